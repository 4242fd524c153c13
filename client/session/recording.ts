/** A round that can be played again: where it began, its ticks, and who sat where. */
import type { FactRing } from '#kernel/facts.ts';
import { createRound, restoreRound, type Round } from '#game/round.ts';
import type { BotName, Scenario, Seat, Tick } from '#game/types.ts';
import { WireFormatError } from '#protocol/bytes.ts';
import { checkRules, decodeLog } from '#protocol/log.ts';
import { decodeTick } from '#protocol/tick.ts';
import type { RosterEntry } from './Session.ts';

export interface Recording {
  /** The round as it was before the first of the ticks; a new one with each call. */
  begin(facts: FactRing | null): Round;
  /** In order and without a gap. */
  ticks: readonly Tick[];
  /** Who the seats were; empty where that is not known any more. */
  roster: readonly RosterEntry[];
  /** One's own seat, -1 for all but players. */
  seat: Seat;
  /** The room's code; '' where there was none. */
  code: string;
  /** Of the whole round, as who played it says: 16 hex digits. Null while it is not known. */
  hash: string | null;
  /** Asks for the id under which the server has it, for a link to it; null where it has none. */
  askId(): Promise<string | null>;
}

export type Recorded = { ok: true; recording: Recording } | { ok: false; code: string };

type Known = Partial<Pick<Recording, 'roster' | 'seat' | 'code' | 'hash' | 'askId'>>;

export interface Beginning {
  scenario: Scenario;
  seed: number;
  seats: number;
}

/** From its first tick on. */
export function wholeRecording({ scenario, seed, seats }: Beginning, ticks: readonly Tick[], known: Known = {}): Recording {
  return { ...NOBODY, ...known, begin: (facts) => createRound(scenario, seed, seats, facts), ticks };
}

/** From a snapshot on: what came before is not known. */
export function lateRecording(saved: Uint8Array, ticks: readonly Tick[], known: Known = {}): Recording {
  return { ...NOBODY, ...known, begin: (facts) => restoreRound(saved, facts), ticks };
}

const NOBODY = { roster: [], seat: -1, code: '', hash: null, askId: async () => null } as const;

/**
 * Of a file (protocol/log.ts). Throws WireFormatError for a damaged one, OtherRulesError for one of other rules, and what
 * `check` throws for a scenario that a stranger may have written.
 */
export function recordingOf(
  file: Uint8Array,
  known: Known = {},
  check: (scenario: unknown) => Scenario = (own) => own as Scenario,
): Recording {
  const read = decodeLog(file);
  checkRules(read);
  const log = { ...read, scenario: check(read.scenario) };
  const ticks = log.ticks.map(decodeTick);
  const wrong = ticks.findIndex(({ n }, at) => n !== at + 1);
  if (wrong >= 0) throw new WireFormatError(`tick ${ticks[wrong]!.n} after ${wrong}`);
  return wholeRecording(log, ticks, known);
}

/** Bots as the round's first ticks name them, for a recording without a roster. */
export function botsOf(ticks: readonly Tick[]): Map<Seat, BotName> {
  const bots = new Map<Seat, BotName>();
  for (const { inputs } of ticks)
    for (const input of inputs) if (input.type === 'join' && input.bot !== null) bots.set(input.seat, input.bot);
  return bots;
}
