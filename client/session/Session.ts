import type { ReadonlySignal } from '@preact/signals';
import type { FactRing } from '#kernel/facts.ts';
import type { Round } from '#game/round.ts';
import type { Action, BotName, RoundEvent, Seat } from '#game/types.ts';
import type { Recorded } from './recording.ts';

export type Phase = 'lobby' | 'briefing' | 'running' | 'paused' | 'podium';
/** A spectator watches on a device of its own; a screen is a projector's. */
export type Role = 'host' | 'player' | 'spectator' | 'screen';

export interface RosterEntry {
  /** Stable within a room; not a secret and not a session id. */
  id: string;
  /** -1 for all but players: they have no process. */
  seat: Seat;
  name: string;
  role: Role;
  online: boolean;
  bot: BotName | null;
}

export interface RoomFacts {
  code: string;
  phase: Phase;
  role: Role;
  /** One's own seat, -1 for all but players. */
  seat: Seat;
  scenario: string;
  /** Seconds of game time in the round. */
  seconds: number;
  seats: number;
  locked: boolean;
  /** Whether bots play for players who dropped. */
  standIns: boolean;
  /** The server cannot write what happens to its disk. */
  unlogged: boolean;
  /** Milliseconds of the briefing left; 0 outside it. */
  briefingMs: number;
  roster: RosterEntry[];
  /** Why this page has another role than it asked for, a code of protocol/codes.ts. */
  why: string | null;
}

export type HostAction =
  | { do: 'start' }
  | { do: 'pause' }
  | { do: 'resume' }
  | { do: 'extend'; seconds: number }
  | { do: 'end' }
  /** Same class, same scenario, a new round: back to the lobby. */
  | { do: 'again' }
  | { do: 'kick'; id: string }
  /** Not to come back; of somebody who is here, or was. */
  | { do: 'ban'; id: string }
  | { do: 'pardon'; id: string }
  | { do: 'lock'; locked: boolean }
  | { do: 'standIns'; on: boolean }
  | { do: 'addBots'; bots: BotName[] }
  | { do: 'removeBots' }
  /** Deletes the room and all that was kept of it. */
  | { do: 'forget' }
  | { do: 'cap'; seat: Seat; on: boolean }
  /** In the lobby only. */
  | { do: 'options'; scenario?: string; seconds?: number };

/** `lost`: nothing heard for 3 s. `behind`: playing the log to catch up. */
export type Link = 'connecting' | 'live' | 'lost' | 'behind' | 'closed';

export type Passed = { ok: true; pass: string } | { ok: false; code: string };

/**
 * Give me ticks, take my inputs. RoomSession (Colyseus), LocalSession (a sequencer in the browser) and ReplaySession (a log
 * with a cursor) stand behind it; nothing above knows which one it has.
 */
export interface Session {
  readonly room: ReadonlySignal<RoomFacts | null>;
  readonly link: ReadonlySignal<Link>;
  /** Null outside a round. The object stays the same while its ticks are played: subscribe to `tick`. */
  readonly round: ReadonlySignal<Round | null>;
  /** Number of the last tick played; rises after each. */
  readonly tick: ReadonlySignal<number>;
  /** The kernel's facts of this round (see kernel/facts.ts, readFacts). */
  readonly facts: FactRing;
  /** Why the session ended, a code of protocol/codes.ts. */
  readonly ended: ReadonlySignal<string | null>;
  /** Called after each tick with what happened in it. Returns the unsubscriber. */
  onEvents(see: (events: RoundEvent[], tick: number) => void): () => void;
  /** Resolves when queued (not yet confirmed; the tick confirms), or with the code of the refusal. */
  act(action: Action): Promise<{ ok: true; seq: number } | { ok: false; code: string }>;
  host(action: HostAction): Promise<{ ok: true } | { ok: false; code: string }>;
  /** For another device, to go on there as who one is; or why there is none, as a code. */
  pass(): Promise<Passed>;
  /** The round so far, to be played again; or why not, as a code. */
  recorded(): Promise<Recorded>;
  leave(): void;
}
