/** A fault in one room is that room's alone. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { createRound, playTick, roundHash } from '#game/round.ts';
import { parseScenario } from '#game/scenario.ts';
import type { Scenario } from '#game/types.ts';
import { TOUCHES_PER_TICK } from '#game/work.ts';
import { decodeTick } from '#protocol/tick.ts';
import { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import type { Playing } from '../../server/sequencer/Playing.ts';
import { begin, enter, enterHost, insideOf, makeRoom, openPlace, type Place } from './people.ts';

// One for each test: rounds of an hour that nobody looks at any more take their time from the others.
let place: Place;
beforeEach(async () => {
  place = await openPlace();
});
afterEach(() => place.close());

async function running() {
  const begun = await begin(place);
  return { ...begun, inside: insideOf(begun.room) };
}

/** Takes the machine out of a round: whatever the round does next throws. */
function breakRound(inside: RoundRoom): void {
  (inside.playing!.round as { machine: unknown }).machine = null;
}

test('a tick that throws is dropped, its room and its neighbour go on', async () => {
  const [broken, well] = [await running(), await running()];
  const before = broken.player.round!.now;
  breakRound(broken.inside);
  await broken.player.untilTick(Math.max(100, before + 20));
  await broken.player.until(() => broken.player.digests.length > 0);
  expect(broken.player.differences).toEqual([]);
  expect([...broken.player.heard.keys()]).toEqual(Array.from({ length: broken.player.round!.now }, (_, index) => index + 1));
  await well.player.untilTick(100);
  await isWell(well);
});

test('who came in the tick that failed has a process in the next', async () => {
  const { room, host, player, inside } = await running();
  await host.host({ do: 'pause' });
  await player.untilPhase('paused');
  const late = await enter(room);
  breakRound(inside);
  await host.host({ do: 'resume' });
  await player.until(() => [...player.heard.values()].flat().some((input) => input.type === 'join' && input.seat === late.seat.seat));
});

test('a round that throws again and again ends its room, and only that', async () => {
  const [broken, well] = [await running(), await running()];
  Object.defineProperty(broken.inside.playing!, 'round', {
    get: () => {
      throw new Error('planted');
    },
    set: () => {},
  });
  await broken.player.until(() => broken.player.closed !== null);
  expect(broken.player.closed!.reason).toBe('ROOM_BROKEN');
  expect((await fetch(`${place.url}/api/rooms/${broken.room.code}`)).status).toBe(404);
  const now = well.player.round!.now;
  await well.player.untilTick(now + 60);
  await isWell(well);
  expect((await fetch(`${place.url}/healthz`)).status).toBe(200);
});

test('a message handler that throws answers, and the process stays', async () => {
  const { host, player, inside } = await running();
  const roster = inside.roster;
  Object.defineProperty(inside, 'roster', {
    configurable: true,
    get: () => {
      throw new Error('planted');
    },
  });
  await player.ask('input', { seq: 1, action: { do: 'freeDone' } });
  player.socket.send('input' as never, { seq: 2, action: { do: 'freeDone' } } as never);
  Object.defineProperty(inside, 'roster', { value: roster });
  expect(await host.host({ do: 'pause' })).toMatchObject({ ok: true });
});

test('a fault while a message is decoded closes its socket and nothing else', async () => {
  const { host, player, inside } = await running();
  Object.defineProperty(inside.clients.get(player.socket.sessionId)!, '_lastMessageTime', {
    set: () => {
      throw new Error('planted');
    },
  });
  player.socket.send('input' as never, { seq: 1, action: { do: 'freeDone' } } as never);
  await player.until(() => player.closed !== null);
  expect(player.closed!.reason).toBe('MALFORMED');
  expect(await host.host({ do: 'pause' })).toMatchObject({ ok: true });
});

test('not a byte of one room reaches another', async () => {
  const [one, other] = [await running(), await running()];
  await one.player.act({ do: 'discard', card: 4_000_000_001 });
  await other.player.act({ do: 'discard', card: 4_000_000_002 });
  const cards = (guest: typeof one.player) =>
    [...guest.heard.values()].flat().flatMap((input) => (input.type === 'act' && input.action.do === 'discard' ? [input.action.card] : []));
  await one.player.until(() => cards(one.player).length > 0);
  await other.player.until(() => cards(other.player).length > 0);
  expect(cards(one.player)).toEqual([4_000_000_001]);
  expect(cards(other.player)).toEqual([4_000_000_002]);
  expect(one.player.round!.seed).not.toBe(other.player.round!.seed);
});

/** The hash of an uninterrupted play of a room's ticks, apart from the server. */
function replay({ scenario, seed, seatsPlanned, ticks }: Playing): string {
  const round = createRound(scenario, seed, seatsPlanned);
  for (const bytes of ticks) playTick(round, decodeTick(bytes));
  return roundHash(round);
}

/** A room went on while another was troubled: every tick once, every digest right, and the hash that its log alone gives. */
async function isWell({ host, player, inside }: Awaited<ReturnType<typeof running>>): Promise<void> {
  const digests = player.digests.length;
  await player.until(() => player.digests.length > digests);
  for (const guest of [host, player]) {
    expect([...guest.heard.keys()]).toEqual(Array.from({ length: guest.round!.now }, (_, index) => index + 1));
    expect(guest.differences).toEqual([]);
  }
  expect(roundHash(inside.playing!.round)).toBe(replay(inside.playing!));
}

/** Everything at the limit of what a scenario may say: the largest cards, no stall, no pause, every call open. */
function endless(): Scenario {
  const shipped = RoundRoom.house.scenarios.get(place.scenario)!;
  const variant = { ...shipped.families[0]!.variants[0]!, weight: 1, holdMilli: 50, count: 1, bytes: 4 << 20, touchMilli: 1000 };
  return parseScenario({
    ...shipped,
    id: 'endless',
    seconds: 3600,
    seats: 100,
    machine: { framesPerSeat: 600, homeFrames: 40, kernel: {} },
    meanAsk: 1024,
    dealSeconds: 1,
    hand: 5,
    families: [{ family: 'buffer', weight: 1, variants: [variant] }],
    tools: ['mmap', 'brk', 'alloc_pages', 'fork'],
    calls: ['mmap', 'munmap', 'read', 'write', 'exec', 'peek', 'poke', 'alloc_pages', 'free_pages', 'setrlimit', 'cat'],
    economy: { ...shipped.economy, budgetPerTick: 100_000, stallTicksMax: 0, respawnSeconds: [1, 1, 1], discardSeconds: 0 },
    pulse: { calmSeconds: 0, demandMilli: [3000, 3000], rushSeconds: 3600, noLongCardsSeconds: 0 },
  });
}

test('a scenario without end is bounded in operations a tick, and its neighbour does not notice', { timeout: 180_000 }, async () => {
  const well = await running();
  const scenario = endless();
  const { get } = RoundRoom.house.scenarios;
  RoundRoom.house.scenarios.get = (id) => (id === 'endless' ? scenario : get(id));
  const room = await makeRoom({ ...place, scenario: 'endless' }, { seats: 100, seconds: 3600 });
  const host = await enterHost(room);
  const players = await Promise.all(Array.from({ length: 4 }, () => enter(room)));
  // One of them plays along; six such machines in one process would be this test's own doing.
  for (const guest of [host, ...players.slice(1)]) Object.assign(guest, { onSnap() {}, onTick() {}, onDigest() {} });
  await host.host({ do: 'addBots', bots: Array<'spam'>(96).fill('spam') });
  await host.host({ do: 'start' });
  await players[0]!.untilTick(1);
  const inside = insideOf(room);
  const faults = () => inside.playing!.round.machine.vmstat[VMSTAT.pgfault]!;
  const closeTick = inside.closeTick.bind(inside);
  const perTick: number[] = [];
  inside.closeTick = () => {
    const before = faults();
    closeTick();
    perTick.push(faults() - before);
  };
  const flags = 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE';
  for (const length of [1 << 20, 1 << 20, 1 << 20, 1 << 30, 1 << 20, 1 << 20]) {
    const call = { call: 'mmap', length, prot: 'PROT_READ|PROT_WRITE', flags };
    await Promise.all(players.map((player) => player.act({ do: 'call', call })));
    await players[0]!.untilTick(players[0]!.round!.now + 3);
  }
  expect(Math.max(...perTick)).toBeGreaterThan(200);
  expect(Math.max(...perTick)).toBeLessThanOrEqual(TOUCHES_PER_TICK);
  await isWell(well);
});

test('a flood in one room ends its socket, and its neighbour does not notice', async () => {
  const [flooded, well] = [await running(), await running()];
  for (let i = 0; i < 5000; i++) flooded.player.socket.send('input' as never, { seq: i + 1, action: { do: 'freeDone' } } as never);
  await flooded.player.until(() => flooded.player.closed !== null);
  await isWell(well);
  await flooded.host.untilTick(flooded.host.round!.now + 5);
  expect(flooded.host.differences).toEqual([]);
});
