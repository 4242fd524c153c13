/**
 * What the play screen knows: the newest views of the round, worked out at most once a tick and shown once a frame, and what this
 * person has selected. Panels read its signals; nothing here computes a rule or a number that is shown.
 */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import { seatOfPid } from '#game/round.ts';
import type { Action, CardId, CardView, HoldingId, Seat, SeatView } from '#game/types.ts';
import type { Session } from '../../session/Session.ts';
import { chooseHues, looks, watchedSeats } from '../../views/owners.ts';
import type { Hues } from '../../views/owners.ts';
import { HUES } from '../../views/palette.ts';
import type { LookOf } from '../../views/texels.ts';
import type { LogLine } from './logLines.ts';
import type { PanelName } from './opening.ts';
import { createSaid } from './said.ts';
import type { Notice, Sent } from './said.ts';
import { watchRound } from './watchRound.ts';
import type { Seen } from './watchRound.ts';

export interface Play {
  readonly session: Session;
  /** -1 for a watcher. */
  readonly seat: Seat;
  readonly seen: ReadonlySignal<Seen | null>;
  readonly hues: ReadonlySignal<Hues>;
  readonly looks: ReadonlySignal<LookOf>;
  readonly log: ReadonlySignal<readonly LogLine[]>;
  /** The card that a call is for. */
  readonly card: ReadonlySignal<CardView | null>;
  readonly order: Signal<number>;
  /** The seat whose frames are lit, besides one's own introduction. */
  readonly lit: Signal<Seat | null>;
  /** What one holds and points at: its frames are lit instead. `stays` until it is pressed again. */
  readonly spot: Signal<{ holding: HoldingId; stays: boolean } | null>;
  readonly sent: ReadonlySignal<Sent | null>;
  readonly notice: ReadonlySignal<Notice | null>;
  readonly opened: ReadonlySignal<ReadonlySet<PanelName>>;
  nameOf(seat: Seat | null): string;
  select(card: CardId): void;
  open(panel: PanelName, open: boolean): void;
  act(action: Action, sent: Sent): void;
  say(text: string, kind: Notice['kind']): void;
  stop(): void;
}

/** Ticks between two looks at who deserves a hue: colours may not dance. */
const HUE_TICKS = 20;

export function createPlay(session: Session, seat: Seat, allOpen: boolean, sentenceOf: (code: string) => string): Play {
  const seen = signal<Seen | null>(null);
  const hues = signal<Hues>(new Map());
  const chosen = signal<CardId>(0);
  const lit = signal<Seat | null>(null);
  const spot = signal<{ holding: HoldingId; stays: boolean } | null>(null);
  const said = createSaid(session, seat, allOpen);
  let huesAt = -HUE_TICKS;

  const stop = watchRound(session, seat, (now, happened) => {
    if (now !== null) {
      const last = seen.value;
      if (last === null || now.round.seed !== last.round.seed || now.tick < last.tick) said.clear();
      if (now.tick < huesAt || now.tick - huesAt >= HUE_TICKS || hues.value.size < Math.min(HUES, now.all.processes.length - 1)) {
        huesAt = now.tick;
        hues.value = chooseHues(hues.value, watchedSeats(now.all.processes, seat), seat);
      }
      said.take(happened, now.tick);
      const { value: at } = spot;
      if (at !== null && !now.mine?.holdings.some(({ id }) => id === at.holding)) spot.value = null;
    }
    seen.value = now;
  });

  return {
    session,
    seat,
    seen,
    hues,
    looks: computed(() => {
      const round = session.round.value;
      return looks((pid) => (round === null ? null : seatOfPid(round, pid)), seat, hues.value, spot.value === null ? lit.value : null);
    }),
    card: computed(() => cardFor(seen.value?.mine ?? null, chosen.value)),
    order: signal(0),
    lit,
    spot,
    ...said,
    select: (card) => void (chosen.value = card),
    act(action, what) {
      said.send(what, seen.value?.tick ?? 0);
      void session.act(action).then((reply) => {
        if (!reply.ok) said.refuse(sentenceOf(reply.code));
      });
    },
    stop,
  };
}

/** The chosen card while it lies there, else the one with least patience. */
function cardFor(mine: SeatView | null, chosen: CardId): CardView | null {
  if (mine === null) return null;
  const there = mine.hand.find((card) => card.id === chosen);
  if (there !== undefined) return there;
  return mine.hand.reduce<CardView | null>(
    (least, card) => (least === null || card.patienceLeftTicks < least.patienceLeftTicks ? card : least),
    null,
  );
}
