/** `window.__overcommit`, only on pages opened with `?test`: what the browser tests ask and press. */
import { classView, podium, roundHash, seatView } from '#game/round.ts';
import type { ReplaySession } from './ReplaySession.ts';
import type { RoomSession } from './RoomSession.ts';

export function openTestDoor(session: RoomSession): void {
  if (!new URLSearchParams(location.search).has('test')) return;
  const round = () => session.round.value;
  const door = {
    session,
    hash: () => (round() === null ? null : roundHash(round()!)),
    tick: () => session.tick.value,
    over: () => round()?.over ?? null,
    phase: () => session.room.value?.phase ?? null,
    room: () => session.room.value,
    link: () => session.link.value,
    ended: () => session.ended.value,
    seat: () => session.seat,
    pid: () => (round() === null ? null : (seatView(round()!, session.seat)?.pid ?? null)),
    view: () => (round() === null ? null : seatView(round()!, session.seat)),
    class: () => (round() === null ? null : classView(round()!)),
    podium: () => (round() === null ? null : podium(round()!)),
    act: (action: Parameters<RoomSession['act']>[0]) => session.act(action),
    host: (action: Parameters<RoomSession['host']>[0]) => session.host(action),
    cut: () => session.cut(),
  };
  Object.assign(window, { __overcommit: door });
}

/** The same for a replay, while it stands over the room's page; returns what gives the door back. */
export function openReplayDoor(session: ReplaySession): () => void {
  if (!new URLSearchParams(location.search).has('test')) return () => {};
  const there = window as unknown as { __overcommit?: object };
  const before = there.__overcommit;
  const round = () => session.round.value;
  there.__overcommit = {
    ...before,
    hash: () => (round() === null ? null : roundHash(round()!)),
    tick: () => session.tick.value,
    seek: (n: number) => session.seek(n),
    story: () => session.story.value?.debrief ?? null,
    marks: () => session.chronicle.marks,
    last: () => session.last,
  };
  return () => {
    if (before === undefined) delete there.__overcommit;
    else there.__overcommit = before;
  };
}
