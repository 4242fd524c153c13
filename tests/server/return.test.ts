/** Who was in a room comes back to it: in every phase, in every role, whatever became of the old socket; and nobody else does. */
import { afterEach, expect, test } from 'vitest';
import type { Phase, Role } from '#protocol/messages.ts';
import { askSeat, describe, enter, enterHost, makeRoom, newSecret, openPlace, type ClassRoom, type Guest, type Place } from './people.ts';

const PHASES: Phase[] = ['lobby', 'briefing', 'running', 'paused', 'podium'];
const ROLES: Role[] = ['host', 'player', 'spectator', 'screen'];
/** A briefing that lasts longer than any test of it. */
const SLOW_BEAT_MS = 1000;

let place: Place | null = null;
afterEach(async () => {
  await place?.close();
  place = null;
});

interface Class {
  room: ClassRoom;
  people: Map<Role, Guest>;
}

/** A class with one of each role, in a phase. */
async function classIn(phase: Phase): Promise<Class> {
  place = await openPlace(phase === 'briefing' ? { beatMs: SLOW_BEAT_MS } : {});
  const room = await makeRoom(place, { seconds: 3600 });
  const people = new Map<Role, Guest>();
  for (const role of ROLES) people.set(role, role === 'host' ? await enterHost(room) : await enter(room, { role }));
  const host = people.get('host')!;
  if (phase !== 'lobby') await host.host({ do: 'start' });
  if (phase !== 'lobby' && phase !== 'briefing') await people.get('player')!.untilTick(20);
  if (phase === 'paused') await host.host({ do: 'pause' });
  if (phase === 'podium') await host.host({ do: 'end' });
  for (const guest of people.values()) {
    await guest.untilPhase(phase);
    await guest.until(() => guest.welcome !== null);
  }
  return { room, people };
}

/** Comes in by the same proof, and is who they were, with the round of now. */
async function back(room: ClassRoom, phase: Phase, role: Role, before: Guest): Promise<Guest> {
  const guest = await enter(room, { role, secret: before.secret });
  await guest.until(() => guest.welcome !== null && guest.phase === phase);
  expect(guest.welcome).toEqual(before.welcome);
  expect(guest.seat).toMatchObject({ role, seat: before.seat.seat, name: before.seat.name });
  if (phase !== 'lobby') await guest.until(() => guest.round !== null);
  if (phase === 'running') await guest.until(() => guest.digests.length > 0);
  expect(guest.differences).toEqual([]);
  return guest;
}

test.each(PHASES)('%s: everybody comes back as who they were, from a reload, a cut and a socket that is only half dead', async (phase) => {
  const { room, people } = await classIn(phase);
  for (const [role, before] of people) {
    // The old socket is still open, as far as the server knows: the newest proof wins.
    const second = await back(room, phase, role, before);
    await before.until(() => before.closed !== null);
    expect(before.closed!.reason).toBe('REPLACED');
    await second.drop();
    people.set(role, await back(room, phase, role, second));
  }
  const [host, player] = [people.get('host')!, people.get('player')!];
  await host.until(() => host.roster.length === ROLES.length && host.roster.every((entry) => entry.online));
  if (phase === 'paused' || phase === 'podium') expect(player.hash).toBe(host.hash);
  expect(await host.host({ do: 'lock', locked: true })).toMatchObject({ ok: true });
});

test.each(PHASES)('%s: the host is away, and nothing happens to the class; nobody takes the host’s place', async (phase) => {
  const { room, people } = await classIn(phase);
  const [host, player] = [people.get('host')!, people.get('player')!];
  const stood = player.round?.now ?? 0;
  await host.drop();
  await player.until(() => player.roster.some((entry) => entry.role === 'host' && !entry.online));
  if (phase === 'running') await player.untilTick(stood + 30);
  expect(await describe(room)).toMatchObject({ phase, players: 1 });
  expect(player.closed).toBeNull();
  for (const secret of [player.secret, newSecret()])
    expect(await askSeat(room, { secret, role: 'host' })).toMatchObject({ status: 403, body: { error: 'NOT_HOST' } });
  expect(await player.host({ do: 'lock', locked: true })).toEqual({ ok: false, code: 'NOT_HOST' });
  const again = await back(room, phase, 'host', host);
  expect(await again.host({ do: 'lock', locked: true })).toMatchObject({ ok: true });
});

test.each(PHASES)('%s: another proof is another person', async (phase) => {
  const { room, people } = await classIn(phase);
  const ids = [...people.values()].map((guest) => guest.welcome!.id);
  for (const role of ROLES.slice(1)) {
    const stranger = await enter(room, { role });
    await stranger.until(() => stranger.welcome !== null);
    expect(ids).not.toContain(stranger.welcome!.id);
    if (role === 'player') expect(stranger.welcome!.seat).not.toBe(people.get('player')!.welcome!.seat);
    expect(people.get(role)!.closed).toBeNull();
  }
});
