/** Rounds for tests: a plain scenario of one kind of card, seats that act by hand, and a log of every tick that was played. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { random32 } from '#kernel/rng.ts';
import { createRound, playTick, RULES, seatView, type Round } from '#game/round.ts';
import { parseScenario } from '#game/scenario.ts';
import type { SeatState } from '#game/state.ts';
import type { Action, CardView, Economy, HoldingView, Input, RoundEvent, Scenario, Seat, SeatView, Tick, Variant } from '#game/types.ts';

const FOLDER = fileURLToPath(new URL('../../../assets/scenarios/', import.meta.url));

export const scenarioFiles: readonly string[] = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
export const scenarioJson = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(FOLDER + file, 'utf8')) as Record<string, unknown>;
export const shipped = (id: string): Scenario => parseScenario(scenarioJson(`${id}.json`));
export const shippedAll = (): Scenario[] => scenarioFiles.map((file) => parseScenario(scenarioJson(file)));

export const variant = (over: Partial<Variant> = {}): Variant => ({
  weight: 1,
  holdMilli: 1000,
  count: 1,
  bytes: 8 * 4096,
  touchMilli: 1000,
  frames: 8,
  writesMilli: 500,
  ...over,
});

export const ECONOMY: Economy = {
  rentMilliPerFrameSecond: 50,
  patienceFloorMilli: 500,
  doneShareMilli: 500,
  reuseBonusMilli: 250,
  fairMilli: 700,
  poorMilli: 150,
  missMilli: 250,
  killShareMilli: 100,
  killMax: 60,
  respawnSeconds: [5, 10, 20],
  graceSeconds: 0,
  budgetPerTick: 80,
  stallTicksMax: 30,
  discardSeconds: 10,
};

/** Every card asks for 8 frames in one piece, of the family named; a seat has plenty of memory. */
export function plain(
  family: Scenario['families'][number]['family'] = 'buffer',
  variants: Partial<Variant>[] = [{}],
  over: Partial<Scenario> = {},
): Scenario {
  return {
    rules: RULES,
    id: 'plain',
    title: { en: 'Plain', 'zh-CN': '普通' },
    idea: { en: 'Plain', 'zh-CN': '普通' },
    seconds: 120,
    seats: 4,
    machine: { framesPerSeat: 100, homeFrames: 4, kernel: {} },
    meanAsk: 8,
    dealSeconds: 5,
    hand: 3,
    patienceSeconds: 30,
    families: [{ family, weight: 1, variants: variants.map(variant) }],
    tools: ['mmap', 'brk', 'alloc_pages', 'fork'],
    calls: [],
    economy: ECONOMY,
    pulse: { calmSeconds: 0, demandMilli: [100, 100], rushSeconds: 0, noLongCardsSeconds: 0 },
    ranks: 'full',
    ...over,
  };
}

export class Table {
  round: Round;
  readonly ticks: Tick[] = [];
  events: RoundEvent[] = [];
  private readonly chance: { rng: number };
  private readonly seqs = new Map<Seat, number>();

  constructor(scenario: Scenario, seats = 1, seed = 7, join = true) {
    this.round = createRound(scenario, seed, seats);
    this.chance = { rng: seed };
    if (join) this.tick(...Array.from({ length: seats }, (_, seat): Input => ({ type: 'join', seat, bot: null })));
  }

  tick(...inputs: Input[]): RoundEvent[] {
    const tick = { n: this.round.now + 1, entropy: random32(this.chance), inputs };
    this.ticks.push(tick);
    this.events = playTick(this.round, tick);
    return this.events;
  }

  /** Plays `count` empty ticks; what happened in them. */
  wait(count: number): RoundEvent[] {
    const all: RoundEvent[] = [];
    for (let i = 0; i < count; i++) all.push(...this.tick());
    this.events = all;
    return all;
  }

  /** Plays empty ticks until it is so; fails after 5,000. */
  until(isSo: () => boolean): RoundEvent[] {
    const all: RoundEvent[] = [];
    for (let i = 0; !isSo(); i++) {
      if (i === 5000) throw new Error('it never came to that');
      all.push(...this.tick());
    }
    this.events = all;
    return all;
  }

  input(seat: Seat, action: Action): Input {
    const seq = (this.seqs.get(seat) ?? 0) + 1;
    this.seqs.set(seat, seq);
    return { type: 'act', seat, seq, action };
  }

  act(seat: Seat, action: Action): RoundEvent[] {
    return this.tick(this.input(seat, action));
  }

  view(seat: Seat = 0): SeatView {
    return seatView(this.round, seat)!;
  }

  state(seat: Seat = 0): SeatState {
    return this.round.game.seats.get(seat)!;
  }

  /** The card in hand that came first, waiting for it if need be. */
  card(seat: Seat = 0): CardView {
    this.until(() => this.view(seat).hand.length > 0);
    return this.view(seat).hand[0]!;
  }

  holding(seat: Seat = 0): HoldingView {
    const { holdings } = this.view(seat);
    return holdings[holdings.length - 1]!;
  }

  /** Serves the first card with a tool; the new holding. */
  serve(tool: 'mmap' | 'brk' | 'alloc_pages' | 'fork', order?: number, seat: Seat = 0): HoldingView {
    const card = this.card(seat);
    this.act(seat, order === undefined ? { do: 'use', tool, card: card.id } : { do: 'use', tool, card: card.id, order });
    return this.holding(seat);
  }

  /** Points in thousandths, without the display's floor. */
  milli(seat: Seat = 0): number {
    return this.state(seat).milli;
  }

  finish(): void {
    while (!this.round.over) this.tick();
  }
}

export function ofType<T extends RoundEvent['type']>(events: readonly RoundEvent[], type: T): Extract<RoundEvent, { type: T }>[] {
  return events.filter((event): event is Extract<RoundEvent, { type: T }> => event.type === type);
}
