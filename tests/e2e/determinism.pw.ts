/** The same log gives the same machine, tick by tick: on the server, in Node again, in Chromium, and with a save in the middle. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { BotName } from '#game/types.ts';
import { atTick, door, expect, inPhase, test } from './classroom.ts';
import { goldenRounds } from '../golden/rounds.ts';
import { CALLS } from '#kernel/calls.ts';
import { callLogs } from './callLogs.ts';
import { EVERY, playCalls } from './playCalls.ts';
import { playLog, type playFile } from './playLog.ts';

const CALLS_A_SHAPE = 6000;
const BOTS: BotName[] = ['free', 'never', 'keep', 'splinter', 'spam', 'guess', 'half', 'bigOnly', 'smallOnly'];

/** A player and all that it imports, as one script for a page. */
async function bundle(player: 'playLog' | 'playCalls'): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      lib: { entry: fileURLToPath(new URL(`./${player}.ts`, import.meta.url)), formats: ['iife'], name: 'replay' },
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
  await page.addScriptTag({ content: await bundle('playLog') });
  const inChromium = await page.evaluate((record) => (window as unknown as { playLog: typeof playLog }).playLog(record), log);
  expect(inChromium).toEqual(inNode);
});

test('golden rounds have their hashes in Chromium too', async ({ classroom }) => {
  const page = await classroom.somebody();
  await page.addScriptTag({ content: await bundle('playLog') });
  for (const { log, hashes } of goldenRounds()) {
    const inChromium = await page.evaluate(
      (file) => (window as unknown as { playFile: typeof playFile }).playFile(file),
      Buffer.from(log).toString('base64'),
    );
    expect(inChromium).toBe(hashes);
  }
});

test('100,000 calls of all kinds on machines of all shapes leave the same hashes and answers in Node and in Chromium', async ({
  classroom,
}) => {
  const logs = callLogs(CALLS_A_SHAPE);
  const made = new Set(logs.flatMap(({ steps }) => steps.flatMap((step) => ('call' in step ? [step.call] : []))));
  expect(Object.keys(CALLS).filter((name) => !made.has(name))).toEqual([]);
  const calls = logs.reduce((sum, { steps }) => sum + steps.filter((step) => 'call' in step).length, 0);
  expect(calls).toBeGreaterThanOrEqual(100_000);
  const page = await classroom.somebody();
  await page.addScriptTag({ content: await bundle('playCalls') });
  for (const log of logs) {
    const json = JSON.stringify(log);
    const inNode = playCalls(json);
    expect(inNode.length).toBe(Math.ceil(log.steps.length / EVERY));
    const inChromium = await page.evaluate((text) => (window as unknown as { playCalls: typeof playCalls }).playCalls(text), json);
    expect(inChromium, log.name).toEqual(inNode);
  }
});
