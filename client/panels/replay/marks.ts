/** What stands on the timeline, and the sentence of each thing there (assets/lang/*\/replay.json). */
import type { Cause, Mark } from '#game/chronicle.ts';
import type { Seat } from '#game/types.ts';
import { t } from '../../text/t.ts';

/** Names a process: a person's name where it is known, else its PID. */
export type NameOf = (seat: Seat | null, pid: number) => string;

export function markSentence(mark: Mark, nameOf: NameOf): string {
  switch (mark.kind) {
    case 'killed': {
      const key = mark.askerPid === 0 && mark.asker === null ? 'killed' : 'killedBy';
      const { badness, lost } = mark;
      return t(`replay.mark.${key}`, { who: nameOf(mark.seat, mark.pid), asker: nameOf(mark.asker, mark.askerPid), badness, lost });
    }
    case 'failed': {
      const { order, free, kept, count: n } = mark;
      const numbers = { who: nameOf(mark.seat, mark.pid), order, needed: 1 << order, free, kept, n };
      const more = n > 1 ? ` ${t('replay.mark.more', { n: n - 1 })}` : '';
      return t(`replay.mark.${mark.fragmented ? 'fragmented' : 'low'}`, numbers) + more;
    }
    case 'crashed':
      return t('replay.mark.crashed', { who: nameOf(mark.seat, mark.pid), signal: mark.signal });
    case 'joined':
    case 'left':
      return t(`replay.mark.${mark.kind}`, { who: nameOf(mark.seat, mark.pid) });
    case 'phase':
      return t(`play.log.phase.${mark.phase}`);
  }
}

export function causeSentence({ kind, seat, pid, frames: n }: Cause, nameOf: NameOf): string {
  return t(`replay.cause.${kind}`, { who: nameOf(seat, pid), n, kib: n * 4 });
}

/** Marks that a key jumps to; a mark that stands at the same tick as another is reached with it. */
export function nextMark(marks: readonly Mark[], tick: number, by: 1 | -1): Mark | null {
  if (by === 1) return marks.find((mark) => mark.tick > tick) ?? null;
  return marks.findLast((mark) => mark.tick < tick) ?? null;
}
