import { computed } from '@preact/signals';
import { podium } from '#game/round.ts';
import type { Session } from './Session.ts';

/**
 * The same session for a page that a whole room reads: nobody has a name in it. While the round runs people are their marks;
 * on the podium each is the process that they were last.
 */
export function nameless(session: Session): Session {
  const pids = computed(() => {
    const round = session.round.value;
    if (round === null || session.room.value?.phase !== 'podium') return new Map<number, number>();
    void session.tick.value;
    return new Map(podium(round).rows.map((row) => [row.seat, row.pid]));
  });
  const nameOf = (seat: number): string => ((pids.value.get(seat) ?? 0) > 0 ? `PID ${pids.value.get(seat)}` : '');
  const room = computed(() => {
    const facts = session.room.value;
    return facts === null ? null : { ...facts, roster: facts.roster.map((entry) => ({ ...entry, name: nameOf(entry.seat) })) };
  });
  const { link, round, tick, facts, ended } = session;
  return {
    room,
    link,
    round,
    tick,
    facts,
    ended,
    onEvents: (see) => session.onEvents(see),
    act: (action) => session.act(action),
    host: (action) => session.host(action),
    pass: () => session.pass(),
    recorded: async () => {
      const answer = await session.recorded();
      return answer.ok ? { ok: true, recording: { ...answer.recording, roster: [] } } : answer;
    },
    leave: () => session.leave(),
  };
}
