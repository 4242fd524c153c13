/** What an operator watches, in the words of Prometheus. Numbers only: no code of a room, no name, no address stands in a label. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Code } from '#protocol/codes.ts';

/** Seconds; a tick that is 50 ms late is what quality.md (P7) counts as too late. */
const LATENESS_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What a room says of itself when it is asked. */
export interface Counted {
  phase: string;
  isUnlogged: boolean;
  /** Roles of those who are in it now; 'bot' for bots. */
  here: string[];
}

export class Metrics {
  readonly registry = new Registry();
  private readonly lateness: Histogram;
  private readonly refusals: Counter;
  private readonly inputs: Counter;
  private readonly failures: Counter;
  private readonly answers: Counter;

  constructor(rooms: () => Iterable<Counted>) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.lateness = new Histogram({
      name: 'overcommit_tick_lateness_seconds',
      help: 'By how much ticks began too late.',
      buckets: LATENESS_BUCKETS,
      registers,
    });
    this.refusals = new Counter({ name: 'overcommit_refusals_total', help: 'What was refused, by code.', labelNames: ['code'], registers });
    this.inputs = new Counter({ name: 'overcommit_inputs_total', help: 'Actions of players that were queued.', registers });
    this.failures = new Counter({ name: 'overcommit_tick_failures_total', help: 'Ticks that threw.', registers });
    this.answers = new Counter({
      name: 'overcommit_http_answers_total',
      help: 'Answers over HTTP, by status.',
      labelNames: ['status'],
      registers,
    });
    this.gauge('overcommit_rooms', 'Rooms, by phase.', 'phase', () => [...rooms()].map((room) => room.phase));
    this.gauge('overcommit_people', 'People with an open page, and bots, by role.', 'role', () =>
      [...rooms()].flatMap((room) => room.here),
    );
    this.gauge('overcommit_unlogged_rooms', 'Rooms whose log is not written at present.', 'phase', () =>
      [...rooms()].filter((room) => room.isUnlogged).map((room) => room.phase),
    );
  }

  /** How late a tick began, and for how many rooms. */
  tick(lateMs: number): void {
    this.lateness.observe(Math.max(0, lateMs) / 1000);
  }

  refused(code: Code): void {
    this.refusals.inc({ code });
  }

  input(): void {
    this.inputs.inc();
  }

  tickFailed(): void {
    this.failures.inc();
  }

  answered(status: number): void {
    this.answers.inc({ status: String(status) });
  }

  /** Counts words when it is asked; a word that is there no more is 0 no more. */
  private gauge(name: string, help: string, label: string, words: () => string[]): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const word of words()) this.inc({ [label]: word });
      },
    });
  }
}
