/** The event log's lines: which of a round's events somebody sees, under which key of assets/lang/*\/play.json. */
import type { HoldingKind, RoundEvent, Seat } from '#game/types.ts';
import type { Numbers } from '../../text/t.ts';

export interface LogLine {
  tick: number;
  /** A word of four letters or so in front, and the colour of the line. */
  tag: 'deal' | 'mem' | 'fail' | 'pay' | 'oom' | 'room';
  key: string;
  numbers: Numbers;
  mine: boolean;
  id: number;
}

let lines = 0;

export function lineOf(event: RoundEvent, tick: number, seat: Seat, nameOf: (seat: Seat | null) => string): LogLine | null {
  const mine = 'seat' in event && event.seat === seat && seat >= 0;
  const line = (tag: LogLine['tag'], key: string, numbers: Numbers = {}): LogLine => ({
    tick,
    tag,
    key: `play.log.${key}`,
    numbers,
    mine,
    id: (lines += 1),
  });
  const who = (of: Seat | null, pid: number): string => nameOf(of) || `PID ${pid}`;
  switch (event.type) {
    case 'killed': {
      const numbers = { badness: event.badness, lost: event.lost, who: who(event.seat, event.pid), asker: nameOf(event.asker) };
      if (mine) return line('oom', 'killedYou', numbers);
      return line('oom', numbers.asker === '' ? 'killed' : 'killedBy', numbers);
    }
    case 'phase':
      return line('room', `phase.${event.phase}`);
    case 'joined':
      return mine ? null : line('room', 'joined', { who: who(event.seat, event.pid) });
    case 'respawned':
      return line('room', mine ? 'respawnedYou' : 'respawned', { who: who(event.seat, event.pid), pid: event.pid });
    case 'crashed':
      return line('oom', mine ? 'crashedYou' : 'crashed', { who: who(event.seat, event.pid), signal: event.signal });
    case 'left':
      return mine ? null : line('room', 'left', { who: who(event.seat, 0) });
    default:
      return mine ? ownLine(event, line) : null;
  }
}

/** What was asked for is so far no more than addresses: to call it frames would teach the error that the first lesson is about. */
const AT_TOUCH: ReadonlySet<HoldingKind> = new Set(['area', 'heap']);

function ownLine(event: RoundEvent, line: (tag: LogLine['tag'], key: string, numbers?: Numbers) => LogLine): LogLine | null {
  switch (event.type) {
    case 'expired':
      return line('deal', 'expired');
    case 'granted':
      return line('mem', `${AT_TOUCH.has(event.kind) ? 'mapped' : 'granted'}.${event.fit}`, {
        n: event.frames,
        kib: event.frames * 4,
        more: event.wasted,
      });
    case 'refused':
      return { ...line('fail', 'refused'), key: `why.${event.why.code}`, numbers: numbersOf(event.why) };
    case 'ignored':
      return line('fail', `ignored.${event.reason}`);
    case 'done':
      return line('pay', 'done', { points: event.points });
    case 'settled':
      return line('pay', 'settled', { points: event.points });
    case 'freed':
      // A heap that cannot shrink yet gives nothing back.
      if (event.frames === 0) return null;
      return line('mem', 'freed', { n: event.frames, kib: event.frames * 4 });
    default:
      return null;
  }
}

/** The numbers of a why, without its code: what a sentence's places are filled with. */
export function numbersOf(why: { code: string }): Numbers {
  const { code: _, ...numbers } = why as { code: string } & Numbers;
  return numbers;
}
