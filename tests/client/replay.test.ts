/** A replay stands at any tick as the round stood there, whichever way it came; and it plays as the round did. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRound, playTick, restoreRound, roundHash, RULES, saveRound } from '#game/round.ts';
import type { RoundEvent } from '#game/types.ts';
import { WireFormatError } from '#protocol/bytes.ts';
import { encodeLog, OtherRulesError, type RoundLog } from '#protocol/log.ts';
import { encodeTick } from '#protocol/tick.ts';
import { Keyframes } from '../../client/session/keyframes.ts';
import { LocalSession } from '../../client/session/LocalSession.ts';
import { lateRecording, recordingOf, wholeRecording, type Recording } from '../../client/session/recording.ts';
import { ReplaySession, SPEEDS } from '../../client/session/ReplaySession.ts';
import { roomRecording } from '../../client/session/roomRecording.ts';
import { Tape } from '../../client/session/Tape.ts';
import { botLog } from '../game/helpers/logs.ts';
import { shipped } from '../game/helpers/rounds.ts';
import { randomBelow } from '#kernel/rng.ts';
import { seeds } from '../helpers/seeds.ts';

const LOG = botLog({ ...shipped('swiss-cheese'), seconds: 90 }, 6, 8);
const LAST = LOG.ticks.length;
const HASHES = hashesOf();

/** After tick n at index n. */
function hashesOf(): string[] {
  const round = createRound(LOG.scenario, LOG.seed, LOG.seats);
  return [roundHash(round), ...LOG.ticks.map((tick) => (playTick(round, tick), roundHash(round)))];
}

/** A page without a clock: time passes by hand, and what goes on later does so when asked. */
function open(recording: Recording = wholeRecording(LOG, LOG.ticks), keyframes = new Keyframes()) {
  let now = 0;
  const waiting: (() => void)[] = [];
  const slow = { each: 0 };
  const session = new ReplaySession(recording, {
    timer: false,
    keyframes,
    time: () => (now += slow.each),
    later: (work) => void waiting.push(work),
  });
  const settle = (): void => {
    for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) work();
  };
  const pass = (ms: number): void => {
    now += ms;
    session.beat();
  };
  return { session, settle, pass, waiting, slow };
}

const hashNow = (session: ReplaySession): string => roundHash(session.round.value!);

describe('seeking', () => {
  test.each(seeds(4))('seed %i: at random ticks the round is the one that was played from the start', (seed) => {
    const { session, settle } = open();
    settle();
    const chance = { rng: seed };
    for (let i = 0; i < 30; i++) {
      const n = randomBelow(chance, LAST + 1);
      session.seek(n);
      settle();
      expect([seed, session.tick.value, hashNow(session)]).toEqual([seed, n, HASHES[n]]);
    }
  });

  test('back and forth by steps; beyond the ends there is nothing', () => {
    const { session, settle } = open();
    settle();
    session.seek(400);
    for (const by of [-1, -1, 1, 1, 1, -1] as const) {
      const n = session.tick.value + by;
      session.step(by);
      expect([session.tick.value, hashNow(session)]).toEqual([n, HASHES[n]]);
    }
    session.seek(-5);
    expect(session.tick.value).toBe(0);
    session.step(-1);
    expect(session.tick.value).toBe(0);
    session.seek(1e9);
    expect([session.tick.value, hashNow(session)]).toEqual([LAST, HASHES[LAST]]);
    session.step(1);
    expect(session.tick.value).toBe(LAST);
    expect(session.room.value.phase).toBe('podium');
  });

  test('a long way is gone in slices, the newest aim counts, and nothing is shown in between', () => {
    const { session, waiting, settle, slow } = open();
    // Nothing was read yet, so that there is no saved round but the first, and every look at the clock takes 5 ms.
    slow.each = 5;
    waiting.length = 0;
    session.seek(LAST);
    expect([session.link.value, session.tick.value]).toEqual(['behind', 0]);
    waiting.shift()!();
    session.seek(333);
    session.seek(222);
    settle();
    expect([session.link.value, session.tick.value, hashNow(session)]).toEqual(['live', 222, HASHES[222]]);
  });

  test('before all is read one can go anywhere, too', () => {
    const { session, settle } = open();
    session.seek(700);
    expect(hashNow(session)).toBe(HASHES[700]);
    session.seek(100);
    expect(hashNow(session)).toBe(HASHES[100]);
    settle();
    expect(session.readTo.value).toBe(LAST);
    expect(hashNow(session)).toBe(HASHES[100]);
  });

  test('saved rounds are few when they are large', () => {
    const size = saveRound(LOG.round).length;
    const keyframes = new Keyframes(size * 3);
    const { session, settle } = open(undefined, keyframes);
    settle();
    expect(keyframes.count).toBeLessThanOrEqual(3);
    expect(keyframes.count).toBeGreaterThanOrEqual(2);
    session.seek(LAST);
    session.seek(450);
    settle();
    expect(hashNow(session)).toBe(HASHES[450]);
  });
});

describe('playing', () => {
  test.each(SPEEDS)('at speed %f ten seconds are that many ticks', (speed) => {
    const { session, settle, pass } = open();
    settle();
    session.speed.value = speed;
    session.play();
    expect(session.room.value.phase).toBe('running');
    for (let n = 0; n < 100; n++) pass(100);
    expect(session.tick.value).toBe(Math.min(LAST, 100 * speed));
    session.pause();
    pass(1000);
    expect(session.tick.value).toBe(Math.min(LAST, 100 * speed));
  });

  test('to the end, where it stops; playing then begins anew', () => {
    const { session, settle, pass } = open();
    settle();
    session.seek(LAST - 3);
    session.play();
    pass(1000);
    expect([session.tick.value, session.playing.value]).toEqual([LAST, false]);
    expect(hashNow(session)).toBe(HASHES[LAST]);
    session.play();
    pass(200);
    expect([session.tick.value, session.playing.value]).toEqual([2, true]);
  });

  test('says what happens as the round did, and after a jump what happened just before', () => {
    const { session, settle, pass } = open();
    settle();
    const heard: [number, RoundEvent][] = [];
    session.onEvents((events, tick) => events.forEach((event) => heard.push([tick, event])));
    const round = createRound(LOG.scenario, LOG.seed, LOG.seats);
    const truth = LOG.ticks.flatMap((tick) => playTick(round, tick).map((event): [number, RoundEvent] => [tick.n, event]));
    session.play();
    for (let n = 0; n < 50; n++) pass(100);
    expect(heard).toEqual(truth.filter(([n]) => n <= 50));
    heard.length = 0;
    session.seek(800);
    expect(heard).toEqual(truth.filter(([n]) => n > 500 && n <= 800));
    heard.length = 0;
    session.seek(790);
    expect(heard).toEqual(truth.filter(([n]) => n > 490 && n <= 790));
    heard.length = 0;
    session.seek(795);
    expect(heard).toEqual(truth.filter(([n]) => n > 790 && n <= 795));
  });

  test('takes no inputs, and pauses and goes on as any session does', async () => {
    const { session } = open();
    expect(await session.act()).toEqual({ ok: false, code: 'REPLAY' });
    expect(await session.host({ do: 'end' })).toEqual({ ok: false, code: 'REPLAY' });
    expect(await session.host({ do: 'resume' })).toEqual({ ok: true });
    expect(session.playing.value).toBe(true);
    expect(await session.host({ do: 'pause' })).toEqual({ ok: true });
    expect(session.playing.value).toBe(false);
    session.leave();
    expect([session.link.value, session.ended.value]).toEqual(['closed', 'LEFT']);
  });
});

describe('a recording', () => {
  const file = (over: Partial<RoundLog> = {}): Uint8Array =>
    encodeLog({ rules: RULES, scenario: LOG.scenario, seed: LOG.seed, seats: LOG.seats, ticks: LOG.ticks.map(encodeTick), ...over });

  test('of a file ends as the round did, and says so', () => {
    const { session, settle } = open(recordingOf(file(), { hash: HASHES[LAST]! }));
    settle();
    expect(session.story.value!.hash).toBe(HASHES[LAST]);
    expect(session.differs.value).toBe(false);
    const other = open(recordingOf(file(), { hash: HASHES[3]! }));
    other.settle();
    expect(other.session.differs.value).toBe(true);
  });

  test('that is damaged, incomplete or of other rules is refused by name', () => {
    const cut = file().slice(0, 500);
    expect(() => recordingOf(cut)).toThrow(WireFormatError);
    expect(() => recordingOf(file({ ticks: LOG.ticks.toSpliced(7, 1).map(encodeTick) }))).toThrow(WireFormatError);
    for (const rules of [RULES - 1, 999]) expect(() => recordingOf(file({ rules }))).toThrow(OtherRulesError);
  });

  test('without a roster knows seats and bots', () => {
    const { session } = open();
    const { roster } = session.room.value;
    expect(roster.map(({ seat }) => seat)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(roster[0]).toMatchObject({ name: '', bot: 'free' });
    session.follow(3);
    expect(session.room.value.seat).toBe(3);
  });

  test('of practice plays to the same end', async () => {
    const local = new LocalSession({
      scenario: LOG.scenario,
      name: 'Ada',
      bots: [{ bot: 'never', name: 'one' }],
      seconds: 20,
      timer: false,
    });
    for (let n = 0; n < 300; n++) local.step();
    const { recording } = await local.recorded();
    const { session, settle } = open(recording);
    settle();
    expect([session.last, session.story.value!.hash]).toEqual([200, roundHash(local.round.value!)]);
    expect(session.differs.value).toBe(false);
    expect(session.room.value.roster.map(({ name }) => name)).toEqual(['Ada', 'one']);
    await local.host({ do: 'again' });
    expect((await local.recorded()).recording.ticks).toHaveLength(1);
  });
});

describe('the tape of a page', () => {
  const at = (n: number) => {
    const round = createRound(LOG.scenario, LOG.seed, LOG.seats);
    for (const tick of LOG.ticks.slice(0, n)) playTick(round, tick);
    return restoreRound(saveRound(round));
  };

  test('begins at the snapshot that came first, and another of the same round keeps what is there', () => {
    const tape = new Tape();
    expect(tape.read()).toBeNull();
    tape.load(at(0));
    for (const tick of LOG.ticks.slice(0, 60)) tape.add(tick);
    tape.load(at(50));
    for (const tick of LOG.ticks.slice(50, 100)) tape.add(tick);
    expect(tape.read()).toMatchObject({ begins: 0, ticks: LOG.ticks.slice(0, 100) });
  });

  test('begins anew after a gap, or with another round', () => {
    const tape = new Tape();
    tape.load(at(0));
    for (const tick of LOG.ticks.slice(0, 60)) tape.add(tick);
    tape.load(at(80));
    expect(tape.read()).toMatchObject({ begins: 80, ticks: [] });
    for (const tick of LOG.ticks.slice(80)) tape.add(tick);
    const { saved, ticks } = tape.read()!;
    const { session, settle } = open(lateRecording(saved, ticks, { hash: HASHES[LAST]! }));
    settle();
    expect([session.first, session.last, session.differs.value]).toEqual([80, LAST, false]);
    session.seek(0);
    expect([session.tick.value, hashNow(session)]).toEqual([80, HASHES[80]]);
    session.seek(300);
    session.seek(120);
    expect(hashNow(session)).toBe(HASHES[120]);
    tape.load(createRound(LOG.scenario, LOG.seed + 1, 2));
    expect(tape.read()).toMatchObject({ begins: 0, ticks: [] });
    tape.clear();
    expect(tape.read()).toBeNull();
  });
});

describe('a page that came late', () => {
  afterEach(() => vi.unstubAllGlobals());
  const file = encodeLog({ rules: RULES, scenario: LOG.scenario, seed: LOG.seed, seats: LOG.seats, ticks: LOG.ticks.map(encodeTick) });
  const tape = { saved: saveRound(LOG.round), begins: LAST, ticks: [] };
  const listed = (): Response => Response.json({ rounds: [{ id: 'one', number: 1, began: 0, ended: 1 }] });
  const served = (round: () => Response) =>
    vi.stubGlobal('fetch', async (path: string) =>
      path.startsWith('/api/rooms/') ? listed() : path === '/api/rounds/one' ? round() : null,
    );

  test('has the beginning from the server', async () => {
    served(() => new Response(file as Uint8Array<ArrayBuffer>));
    const recording = await roomRecording(tape, LOG.round, null);
    expect(recording.ticks).toHaveLength(LAST);
    expect(recording.hash).toBe(HASHES[LAST]);
    expect(await recording.askId()).toBe('one');
  });

  test.each([
    ['has no such round', () => Response.json({ error: 'NO_ROUND' }, { status: 404 })],
    ['sends a damaged file', () => new Response(file.slice(0, 700) as Uint8Array<ArrayBuffer>)],
    ['does not answer', () => Promise.reject(new TypeError('no network')) as never],
  ])('where the server %s, it shows what it has', async (_, round) => {
    served(round);
    const { session, settle } = open(await roomRecording(tape, LOG.round, null));
    settle();
    expect([session.first, session.last, hashNow(session)]).toEqual([LAST, LAST, HASHES[LAST]]);
  });
});
