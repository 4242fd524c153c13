/**
 * Actions on their way: numbered, sent, and kept until a tick brings them back. What was not confirmed when the link broke
 * is sent again under its old number, which the round applies once or not at all.
 */
import type { Action, Seat, Tick } from '#game/types.ts';

export type Sent = { ok: true; seq: number } | { ok: false; code: string };

export interface OutboxParts {
  /** Resolves when the server has queued it, with the code of a refusal, or with NO_LINK when the link broke meanwhile. */
  send(seq: number, action: Action): Promise<{ ok: true } | { ok: false; code: string }>;
  isOpen(): boolean;
  /** Milliseconds, of any origin. */
  time(): number;
}

interface Waiting {
  seq: number;
  action: Action;
  since: number;
  answer(sent: Sent): void;
}

/** An action older than this is not sent again: the moment that it was meant for is over. */
export const STALE_MS = 5000;

export class Outbox {
  private readonly parts: OutboxParts;
  private waiting: Waiting[] = [];
  private last = 0;

  constructor(parts: OutboxParts) {
    this.parts = parts;
  }

  /** Unconfirmed actions. */
  get size(): number {
    return this.waiting.length;
  }

  act(action: Action): Promise<Sent> {
    return new Promise((answer) => {
      const entry: Waiting = { seq: ++this.last, action, since: this.parts.time(), answer };
      this.waiting.push(entry);
      if (this.parts.isOpen()) void this.send(entry);
    });
  }

  /**
   * The link is there (again); the server has queued everything of this seat up to `seq`, of which this page sent what is up to
   * `own`. What never arrived gets new numbers where a bot that stood in has taken some.
   */
  welcome(seq: number, own = seq): void {
    this.last = Math.max(this.last, seq);
    const now = this.parts.time();
    const again: Waiting[] = [];
    for (const entry of this.waiting) {
      if (entry.seq <= own) entry.answer({ ok: true, seq: entry.seq });
      else if (now - entry.since > STALE_MS) entry.answer({ ok: false, code: 'NO_LINK' });
      else again.push(own < seq ? { ...entry, seq: ++this.last } : entry);
    }
    this.waiting = again;
    for (const entry of again) void this.send(entry);
  }

  /** Takes out what a tick confirms. */
  confirm(tick: Tick, seat: Seat): void {
    if (this.waiting.length === 0) return;
    for (const input of tick.inputs) if (input.type === 'act' && input.seat === seat) this.drop((entry) => entry.seq <= input.seq);
  }

  /** Gives up what has waited too long for a link. */
  expire(): void {
    if (this.parts.isOpen()) return;
    const now = this.parts.time();
    for (const entry of this.waiting) if (now - entry.since > STALE_MS) entry.answer({ ok: false, code: 'NO_LINK' });
    this.drop((entry) => now - entry.since > STALE_MS);
  }

  /** The session is over. */
  close(code: string): void {
    for (const entry of this.waiting) entry.answer({ ok: false, code });
    this.waiting = [];
  }

  private async send(entry: Waiting): Promise<void> {
    const answer = await this.parts.send(entry.seq, entry.action);
    if (answer.ok) entry.answer({ ok: true, seq: entry.seq });
    else if (answer.code !== 'NO_LINK') {
      this.drop((other) => other === entry);
      entry.answer({ ok: false, code: answer.code });
    }
  }

  private drop(which: (entry: Waiting) => boolean): void {
    this.waiting = this.waiting.filter((entry) => !which(entry));
  }
}
