/** Looks at the round at most once a frame of the screen, however many ticks came: views are worked out then, and only then. */
import { classView, seatView } from '#game/round.ts';
import type { Round } from '#game/round.ts';
import type { ClassView, RoundEvent, Seat, SeatView } from '#game/types.ts';
import type { Session } from '../../session/Session.ts';

export interface Seen {
  round: Round;
  tick: number;
  /** Null for a watcher. */
  mine: SeatView | null;
  all: ClassView;
}

export interface Happened {
  events: RoundEvent[];
  tick: number;
}

/** Ticks' events kept for a page that is not painting. */
const WAITING_MAX = 60;

/** Calls `show` with what is now and what happened since the last call; null outside a round. Returns the stopper. */
export function watchRound(session: Session, seat: Seat, show: (seen: Seen | null, happened: Happened[]) => void): () => void {
  let waiting: Happened[] = [];
  let frame = 0;
  const look = (): void => {
    frame = 0;
    const round = session.round.value;
    const happened = waiting;
    waiting = [];
    if (round === null) return show(null, []);
    show({ round, tick: round.now, mine: seat < 0 ? null : seatView(round, seat), all: classView(round) }, happened);
  };
  const later = (): void => {
    if (frame === 0) frame = requestAnimationFrame(look);
  };
  const stops = [
    session.tick.subscribe(later),
    session.round.subscribe(later),
    session.onEvents((events, tick) => {
      if (events.length > 0) waiting.push({ events, tick });
      if (waiting.length > WAITING_MAX) waiting.shift();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    if (frame !== 0) cancelAnimationFrame(frame);
  };
}
