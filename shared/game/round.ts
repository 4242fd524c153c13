/**
 * A round: `play(scenario, seed, ticks)` as a value that a tick moves forward. Everything that can change it comes in
 * ticks; whoever plays the same ticks has the same round, frame by frame.
 */
import type { FactRing } from '#kernel/facts.ts';
import { CodecError, createMachine, hash, restore, snapshot, tick as machineTick } from '#kernel/machine.ts';
import { decode, encode } from '#kernel/codec.ts';
import { hashBytes } from '#kernel/hash.ts';
import { random32 } from '#kernel/rng.ts';
import { act, endAdj, isPlain, isWhole, refillTokens } from './actions.ts';
import { countFrames, sumFrames } from './citizen.ts';
import { sampleIndex } from './figures.ts';
import { tickHand } from './hand.ts';
import { finishJobs } from './holdings.ts';
import { askHoldMilli } from './jobs.ts';
import { cap, join, leave, startProcess } from './process.ts';
import { paceOf, phaseAt, TICKS_PER_SECOND } from './pulse.ts';
import { payRent } from './score.ts';
import { machineConfig, SEATS_MAX } from './sizing.ts';
import { payDebt } from './stall.ts';
import { isAlive, type GameState, type Round, type SeatState } from './state.ts';
import type { BotName, RoundEvent, Scenario, Seat, Tick } from './types.ts';
import { workAll } from './work.ts';

export type { Round } from './state.ts';
export { framesOfHolding, seatOfPid } from './owned.ts';
export { classView, podium, seatView } from './view.ts';

export const RULES = 2;
const SAVED = 'overcommit round 1';
/** Numbers of seats that one round may use up (a kicked seat's number is not given away again). */
const SEAT_NUMBERS_MAX = 256;
const EXTEND_TICKS_MAX = 36_000;
const BOT_NAMES: readonly BotName[] = ['free', 'never', 'keep', 'splinter', 'spam', 'guess', 'half', 'bigOnly', 'smallOnly'];

/** Starts at tick 0 with an empty machine sized for `seats`; `facts` gets the kernel's facts. Throws ConfigError for an impossible machine. */
export function createRound(scenario: Scenario, seed: number, seats: number, facts: FactRing | null = null): Round {
  const planned = isWhole(seats, 1, SEATS_MAX) ? seats : seats > SEATS_MAX ? SEATS_MAX : 1;
  const game: GameState = {
    rng: seed | 0,
    seatsPlanned: planned,
    endsAt: scenario.seconds * TICKS_PER_SECOND,
    paceMilli: paceOf(scenario),
    askHoldMilli: askHoldMilli(scenario),
    phase: 'calm',
    nextCard: 1,
    nextHolding: 1,
    seats: new Map(),
    seatOf: new Map(),
    turn: 0,
    killsSeen: 0,
    tally: { dealt: 0, settled: 0, kills: 0, asks: 0, failures: 0, orders: Array.from({ length: 11 }, () => 0), indexMilli: 0, samples: 0 },
  };
  const machine = createMachine(machineConfig(scenario, planned, seed), facts);
  return { scenario, seed, now: 0, machine, over: false, game, events: [] };
}

function seatNamed(round: Round, value: unknown): SeatState | undefined {
  return isWhole(value, 0, SEAT_NUMBERS_MAX - 1) ? round.game.seats.get(value) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** One row an input; what is malformed changes nothing. */
const INPUTS: ReadonlyMap<string, (round: Round, fields: Fields) => void> = new Map<string, (round: Round, fields: Fields) => void>([
  [
    'join',
    (round, { seat, bot }) => {
      const isBot = BOT_NAMES.includes(bot as BotName);
      const isRoom = round.game.seats.has(seat as Seat) || round.game.seats.size < SEAT_NUMBERS_MAX;
      if (!round.over && isRoom && isWhole(seat, 0, SEAT_NUMBERS_MAX - 1) && !Object.is(seat, -0))
        join(round, seat, isBot ? (bot as BotName) : null);
    },
  ],
  [
    'leave',
    (round, { seat }) => {
      const known = seatNamed(round, seat);
      if (known) leave(round, known);
    },
  ],
  [
    'act',
    (round, { seat, seq, action }) => {
      const known = seatNamed(round, seat);
      if (known?.present) act(round, known, seq, action);
    },
  ],
  [
    'extend',
    (round, { ticks }) => {
      if (!round.over && isWhole(ticks, 1, EXTEND_TICKS_MAX)) round.game.endsAt += ticks;
    },
  ],
  [
    'end',
    (round) => {
      if (!round.over) round.game.endsAt = Math.min(round.game.endsAt, round.now);
    },
  ],
  [
    'cap',
    (round, { seat, on }) => {
      const known = seatNamed(round, seat);
      if (known && typeof on === 'boolean') cap(round, known, on);
    },
  ],
]);

function applyInput(round: Round, input: unknown): void {
  if (!isPlain(input) || typeof input.type !== 'string') return;
  INPUTS.get(input.type)?.(round, input);
}

function tickSeat(round: Round, seat: SeatState): void {
  refillTokens(seat);
  if (isAlive(seat)) {
    finishJobs(round, seat);
    endAdj(round, seat);
    payDebt(round, seat);
  } else if (seat.present && seat.respawnAt !== 0 && round.now >= seat.respawnAt) startProcess(round, seat);
  countFrames(round, seat);
  payRent(round, seat);
  sumFrames(seat);
  tickHand(round, seat);
}

function setPhase(round: Round): void {
  const phase = phaseAt(round, round.now);
  if (phase === round.game.phase) return;
  round.game.phase = phase;
  round.events.push({ type: 'phase', phase });
}

/**
 * Plays one tick; ticks come in order, each once. Returns what happened. A tick that was played is ignored; nothing that
 * stands in a tick makes it throw. Throws RangeError for a tick that is not the next one: a gap cannot be played over.
 */
export function playTick(round: Round, tick: Tick): RoundEvent[] {
  if (tick.n <= round.now) return [];
  if (tick.n !== round.now + 1) throw new RangeError(`tick ${tick.n} after ${round.now}`);
  round.events = [];
  round.now = tick.n;
  round.game.rng = (round.game.rng ^ tick.entropy) | 0;
  round.game.rng = random32(round.game);
  setPhase(round);
  for (const input of Array.isArray(tick.inputs) ? tick.inputs : []) applyInput(round, input);
  if (!round.over) play(round);
  machineTick(round.machine);
  const { events } = round;
  round.events = [];
  return events;
}

function play(round: Round): void {
  workAll(round);
  for (const seat of round.game.seats.values()) tickSeat(round, seat);
  sampleIndex(round);
  if (round.now < round.game.endsAt) return;
  round.over = true;
  setPhase(round);
  round.events.push({ type: 'over' });
}

/** 16 hex digits over the machine and the game. */
export function roundHash(round: Round): string {
  const { now, over, seed, game } = round;
  return hashBytes(encode({ now, over, seed, game, machine: hash(round.machine) }));
}

export function saveRound(round: Round): Uint8Array {
  const { scenario, seed, now, over, game, machine } = round;
  return encode({ saved: SAVED, rules: RULES, scenario, seed, now, over, game, machine: snapshot(machine) });
}

/** Throws CodecError for bytes that `saveRound` did not make, or made under other rules. */
export function restoreRound(bytes: Uint8Array, facts: FactRing | null = null): Round {
  const saved = decode(bytes) as Record<string, unknown> | null;
  if (!isPlain(saved) || saved.saved !== SAVED) throw new CodecError('not a round of this version');
  if (saved.rules !== RULES) throw new CodecError(`a round under rules ${String(saved.rules)}, these are ${RULES}`);
  return {
    scenario: saved.scenario as Scenario,
    seed: saved.seed as number,
    now: saved.now as number,
    machine: restore(saved.machine as Uint8Array, facts),
    over: saved.over as boolean,
    game: saved.game as GameState,
    events: [],
  };
}
