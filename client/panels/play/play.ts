/**
 * What the play screen knows: the newest views of the round, worked out at most once a tick and shown once a frame, and what this
 * person has selected. Panels read its signals; nothing here computes a rule or a number that is shown.
 */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import { classView, seatView } from '#game/round.ts';
import type { Round } from '#game/round.ts';
import type { Action, CardId, CardView, ClassView, RoundEvent, Seat, SeatView, ToolId } from '#game/types.ts';
import type { Session } from '../../session/Session.ts';
import { chooseHues, looks, watchedSeats } from '../../views/owners.ts';
import type { Hues } from '../../views/owners.ts';
import type { LookOf } from '../../views/texels.ts';
import { lineOf } from './logLines.ts';
import type { LogLine } from './logLines.ts';
import { openedBy } from './opening.ts';
import { seatOfPid } from './pids.ts';
import type { PanelName } from './opening.ts';

export interface Seen {
  round: Round;
  tick: number;
  /** Null for a watcher. */
  mine: SeatView | null;
  all: ClassView;
}

/** An action that is on its way: sent, not yet seen in a tick. */
export interface Sent {
  tool: ToolId | 'free' | 'other';
  card: CardId;
}

export interface Notice {
  text: string;
  kind: 'bad' | 'good' | 'plain';
  /** Counts up, so that the same words twice are seen twice. */
  id: number;
}

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

const LOG_MAX = 60;
/** Ticks after which an action that nothing answered is forgotten. */
const SENT_TICKS = 15;
/** Ticks between two looks at who deserves a hue: colours may not dance. */
const HUE_TICKS = 20;

export function createPlay(session: Session, seat: Seat, allOpen: boolean, sentenceOf: (code: string) => string): Play {
  const seen = signal<Seen | null>(null);
  const hues = signal<Hues>(new Map());
  const log = signal<readonly LogLine[]>([]);
  const chosen = signal<CardId>(0);
  const lit = signal<Seat | null>(null);
  const sent = signal<(Sent & { until: number }) | null>(null);
  const notice = signal<Notice | null>(null);
  const opened = signal<ReadonlySet<PanelName>>(openedBy(allOpen));
  const names = computed(() => new Map((session.room.value?.roster ?? []).map((entry) => [entry.seat, entry.name])));
  const nameOf = (of: Seat | null): string => (of === null ? '' : (names.value.get(of) ?? ''));
  const waiting: { events: RoundEvent[]; tick: number }[] = [];
  let huesAt = -HUE_TICKS;
  let frame = 0;

  const paint = (): void => {
    frame = 0;
    const round = session.round.value;
    if (round === null) {
      seen.value = null;
      waiting.length = 0;
      return;
    }
    const all = classView(round);
    const mine = seat < 0 ? null : seatView(round, seat);
    if (round.now < huesAt || round.now - huesAt >= HUE_TICKS || hues.value.size < Math.min(8, all.processes.length - 1)) {
      huesAt = round.now;
      hues.value = chooseHues(hues.value, watchedSeats(all.processes, seat), seat);
    }
    takeEvents();
    if (sent.value !== null && round.now > sent.value.until) sent.value = null;
    seen.value = { round, tick: round.now, mine, all };
  };

  const takeEvents = (): void => {
    const lines: LogLine[] = [];
    for (const { events, tick } of waiting.splice(0)) {
      for (const event of events) {
        const line = lineOf(event, tick, seat, nameOf);
        if (line !== null) lines.push(line);
        if ('seat' in event && event.seat === seat && (event.type === 'granted' || event.type === 'refused' || event.type === 'ignored'))
          sent.value = null;
      }
      opened.value = openedBy(allOpen, opened.value, events, seat);
    }
    if (lines.length > 0) log.value = [...log.value, ...lines].slice(-LOG_MAX);
  };

  const later = (): void => {
    if (frame === 0) frame = requestAnimationFrame(paint);
  };
  const stops = [
    session.tick.subscribe(later),
    session.round.subscribe(() => {
      log.value = [];
      waiting.length = 0;
      later();
    }),
    session.onEvents((events, tick) => {
      // A hidden page paints nothing: keep only what the log will show.
      if (events.length > 0) waiting.push({ events, tick });
      if (waiting.length > LOG_MAX) waiting.shift();
    }),
  ];

  const say = (text: string, kind: Notice['kind']): void => {
    notice.value = { text, kind, id: (notice.value?.id ?? 0) + 1 };
  };

  return {
    session,
    seat,
    seen,
    hues,
    looks: computed(() => {
      void session.round.value;
      return looks((pid) => seatOfPid(seen.peek(), pid), seat, hues.value, lit.value);
    }),
    log,
    card: computed(() => cardFor(seen.value?.mine ?? null, chosen.value)),
    order: signal(0),
    lit,
    sent,
    notice,
    opened,
    nameOf,
    select: (card) => void (chosen.value = card),
    open(panel, open) {
      const next = new Set(opened.value);
      if (open) next.add(panel);
      else next.delete(panel);
      opened.value = next;
    },
    act(action, what) {
      sent.value = { ...what, until: (seen.value?.tick ?? 0) + SENT_TICKS };
      void session.act(action).then((reply) => {
        if (reply.ok) return;
        sent.value = null;
        say(sentenceOf(reply.code), 'bad');
      });
    },
    say,
    stop() {
      for (const stop of stops) stop();
      if (frame !== 0) cancelAnimationFrame(frame);
    },
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
