/** The keyboard of a replay: everything that can be pressed has a key. */
import { SPEEDS } from '../../session/ReplaySession.ts';
import { listenKeys } from '../listenKeys.ts';
import { nextMark } from './marks.ts';
import { goTo, MOMENTS, openMoment, type Replay } from './replay.ts';

const SECOND = 10;

export interface ReplayWishes {
  close(): void;
  keys(): void;
}

export function listenReplayKeys(replay: Replay, wishes: ReplayWishes): () => void {
  return listenKeys(({ key, shiftKey }) => {
    const act = KEYS.get(key.length === 1 ? key.toLowerCase() : key);
    act?.(replay, shiftKey, wishes);
    return act !== undefined;
  });
}

type Act = (replay: Replay, shift: boolean, wishes: ReplayWishes) => void;

const KEYS: ReadonlyMap<string, Act> = new Map<string, Act>([
  [' ', (replay) => playOrPause(replay)],
  [',', ({ session }) => session.step(-1)],
  ['.', ({ session }) => session.step(1)],
  ['ArrowLeft', ({ session }, shift) => session.seek(session.tick.peek() - (shift ? 10 * SECOND : SECOND))],
  ['ArrowRight', ({ session }, shift) => session.seek(session.tick.peek() + (shift ? 10 * SECOND : SECOND))],
  ['Home', ({ session }) => session.seek(session.first)],
  ['End', ({ session }) => session.seek(session.last)],
  ['ArrowUp', (replay) => changeSpeed(replay, 1)],
  ['ArrowDown', (replay) => changeSpeed(replay, -1)],
  ['n', (replay) => jump(replay, 1)],
  ['p', (replay) => jump(replay, -1)],
  ['f', (replay, shift) => followNext(replay, shift ? -1 : 1)],
  ...MOMENTS.map((name, n): [string, Act] => [String(n + 1), (replay) => openMoment(replay, name)]),
  ['?', (_replay, _shift, wishes) => wishes.keys()],
  ['Escape', (_replay, _shift, wishes) => wishes.close()],
]);

export function playOrPause({ session }: Replay): void {
  if (session.playing.peek()) session.pause();
  else session.play();
}

export function jump(replay: Replay, by: 1 | -1): void {
  const { session } = replay;
  const mark = nextMark(session.chronicle.marks, session.tick.peek(), by);
  goTo(replay, mark?.tick ?? (by === 1 ? session.last : session.first));
}

function changeSpeed({ session }: Replay, by: 1 | -1): void {
  const at = SPEEDS.indexOf(session.speed.peek()) + by;
  session.speed.value = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))]!;
}

/** Nobody, then one seat after another, then nobody again. */
function followNext({ session }: Replay, by: 1 | -1): void {
  const seats = [-1, ...session.seats];
  const at = seats.indexOf(session.followed.peek());
  session.follow(seats[(at + by + seats.length) % seats.length]!);
}
