/** The same log gives the same machine, tick by tick: on the server, in Node again, in Chromium, and with a save in the middle. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { BotName } from '#game/types.ts';
import { atTick, door, expect, inPhase, test } from './classroom.ts';
import { goldenRounds } from '../golden/rounds.ts';
import { playLog, type playFile } from './playLog.ts';

const BOTS: BotName[] = ['free', 'never', 'keep', 'splinter', 'spam', 'guess', 'half', 'bigOnly', 'smallOnly'];

/** playLog.ts and all that it imports, as one script for a page. */
async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      lib: { entry: fileURLToPath(new URL('./playLog.ts', import.meta.url)), formats: ['iife'], name: 'replay' },
    },
  });
  const [first] = [built].flat() as { output: { code: string }[] }[];
  return first!.output[0]!.code;
}

test('a recorded round has the same hashes on the server, in Node and in Chromium', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 20 });
  expect(await door(host, 'host', { do: 'addBots', bots: [...BOTS, ...BOTS] })).toMatchObject({ ok: true });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 1);
  await inPhase(host, 'podium');
  const log = (await classroom.house.round(code))!;
  expect(log.ticks.length).toBe(200);

  const inNode = playLog(log);
  expect(inNode.at(-1)).toBe(log.hash);
  expect(new Set(inNode).size).toBeGreaterThan(100);
  expect(playLog(log, 37)).toEqual(inNode);

  const page = await classroom.somebody();
  await page.addScriptTag({ content: await bundle() });
  const inChromium = await page.evaluate((record) => (window as unknown as { playLog: typeof playLog }).playLog(record), log);
  expect(inChromium).toEqual(inNode);
});

test('golden rounds have their hashes in Chromium too', async ({ classroom }) => {
  const page = await classroom.somebody();
  await page.addScriptTag({ content: await bundle() });
  for (const { log, hashes } of goldenRounds()) {
    const inChromium = await page.evaluate(
      (file) => (window as unknown as { playFile: typeof playFile }).playFile(file),
      Buffer.from(log).toString('base64'),
    );
    expect(inChromium).toBe(hashes);
  }
});
