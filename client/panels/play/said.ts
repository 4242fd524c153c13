/** What the round said: the log, the last word beside the keys, what is on its way, and which panels that opened. */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { CardId, RoundEvent, Seat, ToolId } from '#game/types.ts';
import type { Session } from '../../session/Session.ts';
import { t } from '../../text/t.ts';
import { lineOf } from './logLines.ts';
import type { LogLine } from './logLines.ts';
import { openedBy } from './opening.ts';
import type { PanelName } from './opening.ts';
import type { Happened } from './watchRound.ts';

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

export interface Said {
  readonly log: ReadonlySignal<readonly LogLine[]>;
  readonly sent: ReadonlySignal<Sent | null>;
  readonly notice: ReadonlySignal<Notice | null>;
  readonly opened: ReadonlySignal<ReadonlySet<PanelName>>;
  /** '' for a seat without a name, and for none. */
  nameOf(seat: Seat | null): string;
  open(panel: PanelName, open: boolean): void;
  say(text: string, kind: Notice['kind']): void;
  send(what: Sent, tick: number): void;
  refuse(sentence: string): void;
  take(happened: readonly Happened[], tick: number): void;
  /** Another round begins. */
  clear(): void;
}

/** Own events that are said beside the keys, too, and how. */
const NOTICES: Partial<Record<RoundEvent['type'], (event: RoundEvent) => Notice['kind']>> = {
  granted: (event) => (event.type === 'granted' && event.fit === 'best' ? 'good' : 'plain'),
  refused: () => 'bad',
  ignored: () => 'bad',
  done: () => 'good',
  settled: () => 'good',
};
/** Own events that answer an action. */
const ANSWERS: ReadonlySet<RoundEvent['type']> = new Set(['granted', 'refused', 'ignored', 'settled', 'freed']);

const LOG_MAX = 60;
/** Ticks after which an action that nothing answered is forgotten. */
const SENT_TICKS = 15;

export function createSaid(session: Session, seat: Seat, allOpen: boolean): Said {
  const log = signal<readonly LogLine[]>([]);
  const sent = signal<(Sent & { until: number }) | null>(null);
  const notice = signal<Notice | null>(null);
  const opened = signal<ReadonlySet<PanelName>>(openedBy(allOpen));
  const names = computed(() => new Map((session.room.value?.roster ?? []).map((entry) => [entry.seat, entry.name])));
  const nameOf = (of: Seat | null): string => (of === null ? '' : (names.value.get(of) ?? ''));
  const say = (text: string, kind: Notice['kind']): void => {
    notice.value = { text, kind, id: (notice.value?.id ?? 0) + 1 };
  };
  const takeOne = (event: RoundEvent, tick: number): LogLine | null => {
    const line = lineOf(event, tick, seat, nameOf);
    const kind = line?.mine === true ? NOTICES[event.type]?.(event) : undefined;
    if (line !== null && kind !== undefined) say(t(line.key, line.numbers), kind);
    if ('seat' in event && event.seat === seat && ANSWERS.has(event.type)) sent.value = null;
    return line;
  };
  return {
    log,
    sent,
    notice,
    opened,
    nameOf,
    say,
    open(panel, open) {
      const next = new Set(opened.value);
      if (open) next.add(panel);
      else next.delete(panel);
      opened.value = next;
    },
    send: (what, tick) => void (sent.value = { ...what, until: tick + SENT_TICKS }),
    refuse(sentence) {
      sent.value = null;
      say(sentence, 'bad');
    },
    take(happened, tick) {
      const lines = happened.flatMap((one) => one.events.map((event) => takeOne(event, one.tick))).filter((line) => line !== null);
      if (lines.length > 0) log.value = [...log.value, ...lines].slice(-LOG_MAX);
      for (const { events } of happened) opened.value = openedBy(allOpen, opened.value, events, seat);
      if (sent.value !== null && tick > sent.value.until) sent.value = null;
    },
    clear: () => void (log.value = []),
  };
}
