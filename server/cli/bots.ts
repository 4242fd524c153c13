/**
 * `npm run bots -- CODE --count 20 --mix free,never,splinter [--url http://127.0.0.1:2567] [--speed 1] [--seconds n]`
 * Bots join a room as people do: a seat over HTTP, a socket by the SDK, every call a message. All of them watch one copy of
 * the round, which plays the ticks that the first of them hears. They end with the round.
 */
import { parseArgs } from 'node:util';
import type { BotName } from '#game/types.ts';
import { SEATS_MAX } from '#protocol/limits.ts';
import { parseRoomCode } from '#protocol/roomCode.ts';
import { BOTS } from '#protocol/tick.ts';
import { Crowd } from './bots/Crowd.ts';

const USAGE = `Usage: npm run bots -- CODE [--count 20] [--mix ${BOTS.slice(0, 4).join(',')}] [--url http://127.0.0.1:2567] [--speed 1] [--seconds 60]
  CODE       the room's six characters
  --count    bots, 1 to ${SEATS_MAX}
  --mix      kinds, taken in turn: ${BOTS.join(', ')}
  --speed    how fast they are, 0.1 to 10 times a person
  --seconds  leave after so long, though the round goes on`;

interface Wishes {
  code: string;
  url: string;
  kinds: BotName[];
  speed: number;
  seconds: number | null;
}

function readWishes(): Wishes {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '20' },
      mix: { type: 'string', default: 'free' },
      url: { type: 'string', default: `http://127.0.0.1:${process.env['PORT'] ?? 2567}` },
      speed: { type: 'string', default: '1' },
      seconds: { type: 'string' },
    },
  });
  const code = parseRoomCode(positionals[0] ?? '');
  if (code === null || positionals.length !== 1) throw new Error(`expected one room code, not ${JSON.stringify(positionals)}`);
  if (!URL.canParse(values.url)) throw new Error(`--url ${values.url} is no address`);
  const mix = values.mix.split(',').map((word) => {
    const kind = BOTS.find((name) => name === word.trim());
    if (kind === undefined) throw new Error(`--mix knows no ${word}`);
    return kind;
  });
  const count = inRange('count', values.count, 1, SEATS_MAX);
  return {
    code,
    url: values.url.replace(/\/$/, ''),
    kinds: Array.from({ length: Math.trunc(count) }, (_, index) => mix[index % mix.length]!),
    speed: inRange('speed', values.speed, 0.1, 10),
    seconds: values.seconds === undefined ? null : inRange('seconds', values.seconds, 1, 86_400),
  };
}

function inRange(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) throw new Error(`--${name} is a number from ${min} to ${max}, not ${text}`);
  return value;
}

let wishes: Wishes;
try {
  wishes = readWishes();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}

const crowd = new Crowd(wishes.url, wishes.code, wishes.speed, (line) => console.log(line));
process.once('SIGINT', () => crowd.leave('stopped'));
process.once('SIGTERM', () => crowd.leave('stopped'));
if (wishes.seconds !== null) setTimeout(() => crowd.leave('time is up'), wishes.seconds * 1000).unref();
const joined = await crowd.join(wishes.kinds);
if (joined === 0) process.exit(1);
await crowd.done;
process.exit(0);
