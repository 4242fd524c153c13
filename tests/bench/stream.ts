/** P8: what one client of a 40-player round is sent in a second, and whether it grows with the machine. The load program measures it on real sockets. */
import { playBigRound, SEATS } from './bigRound.ts';
import { median, type Row } from './measure.ts';

const SMALL = 4096;
/** A room holds 65,536 frames at most. */
const LARGE = 61_440;
const TICKS_A_SECOND = 10;
/** A frame's head of the WebSocket protocol, and the name of the message. */
const HEAD = 10;

async function bytesASecond(frames: number, seconds: number): Promise<number[]> {
  const { playing } = await playBigRound(seconds * TICKS_A_SECOND, [], frames);
  const each = playing.ticks.map((bytes) => bytes.length + HEAD);
  return Array.from({ length: seconds }, (_, n) =>
    each.slice(n * TICKS_A_SECOND, (n + 1) * TICKS_A_SECOND).reduce((sum, bytes) => sum + bytes, 0),
  );
}

export async function measureStream(seconds: number): Promise<Row> {
  const bytes = await bytesASecond(LARGE, seconds);
  const note = `${SEATS} players, ${LARGE} frames, ${seconds} s; ticks and their heads`;
  return {
    id: 'P8',
    what: 'ticks to one client: bytes a second',
    value: median(bytes),
    unit: 'B/s',
    must: 2048,
    stretch: 1024,
    note,
    rounds: bytes,
  };
}

export async function measureGrowth(seconds: number): Promise<Row> {
  const small = median(await bytesASecond(SMALL, seconds));
  const large = median(await bytesASecond(LARGE, seconds));
  const note = `${small} and ${large} B/s; an input names frames by their numbers, and larger numbers are longer`;
  const value = large / small;
  return { id: 'P8g', what: `… ${LARGE} frames ÷ ${SMALL}`, value, unit: '×', must: 1.1, stretch: 1, note, rounds: [value] };
}
