/**
 * A room in the browser: the same ticks, closed by a timer of the page instead of a server. Practice alone, offline; nothing above
 * the Session interface knows the difference.
 */
import { signal } from '@preact/signals';
import { createFacts } from '#kernel/facts.ts';
import { createBot } from '#game/bots/bots.ts';
import type { Bot } from '#game/bots/bots.ts';
import { createRound, playTick, roundHash } from '#game/round.ts';
import type { Round } from '#game/round.ts';
import type { Action, BotName, Input, RoundEvent, Scenario, Seat, Tick } from '#game/types.ts';
import { wholeRecording, type Recording } from './recording.ts';
import type { HostAction, Link, RoomFacts, RosterEntry, Session, Passed } from './Session.ts';

export interface LocalRoom {
  scenario: Scenario;
  /** The player's name, and one for each bot. */
  name: string;
  bots: { bot: BotName; name: string }[];
  seconds?: number;
  seed?: number;
  /** 32 bits for a tick; the browser's randomness unless a test wants the same round twice. */
  entropy?: () => number;
  /** Without a timer, `step` closes ticks. */
  timer?: boolean;
}

const TICK_MS = 100;
/** Ticks that a page played late (a slept laptop) makes up for at once; the rest of the time is forgotten. */
const LATE_MAX = 10;
const ME: Seat = 0;

export class LocalSession implements Session {
  readonly room = signal<RoomFacts | null>(null);
  readonly link = signal<Link>('live');
  readonly round = signal<Round | null>(null);
  readonly tick = signal(0);
  readonly ended = signal<string | null>(null);
  readonly facts = createFacts(1 << 14);

  private readonly config: LocalRoom;
  private readonly watchers = new Set<(events: RoundEvent[], tick: number) => void>();
  private bots: { bot: Bot; seq: number }[] = [];
  private waiting: Input[] = [];
  /** Of the round that is on, from its first. */
  private ticks: Tick[] = [];
  private seq = 0;
  private timer: ReturnType<typeof setInterval> | null = null;
  private nextAt = 0;

  constructor(config: LocalRoom) {
    this.config = config;
    this.begin();
    if (config.timer !== false) {
      this.nextAt = performance.now() + TICK_MS;
      this.timer = setInterval(() => this.catchUp(), TICK_MS / 2);
    }
  }

  onEvents(see: (events: RoundEvent[], tick: number) => void): () => void {
    this.watchers.add(see);
    return () => void this.watchers.delete(see);
  }

  async act(action: Action): Promise<{ ok: true; seq: number } | { ok: false; code: string }> {
    if (this.room.value?.phase !== 'running') return { ok: false, code: 'WRONG_PHASE' };
    this.seq += 1;
    this.waiting.push({ type: 'act', seat: ME, seq: this.seq, action });
    return { ok: true, seq: this.seq };
  }

  async host(action: HostAction): Promise<{ ok: true } | { ok: false; code: string }> {
    switch (action.do) {
      case 'pause':
        this.setPhase('paused');
        return { ok: true };
      case 'resume':
        this.setPhase('running');
        return { ok: true };
      case 'extend':
        this.waiting.push({ type: 'extend', ticks: action.seconds * 10 });
        return { ok: true };
      case 'end':
        this.waiting.push({ type: 'end' });
        return { ok: true };
      case 'again':
        this.begin();
        return { ok: true };
      default:
        return { ok: false, code: 'WRONG_PHASE' };
    }
  }

  /** Nobody else knows of it. */
  async pass(): Promise<Passed> {
    return { ok: false, code: 'NO_SEAT' };
  }

  async recorded(): Promise<{ ok: true; recording: Recording }> {
    const round = this.round.value!;
    const known = { roster: this.roster(), seat: ME, hash: round.over ? roundHash(round) : null };
    return { ok: true, recording: wholeRecording({ ...round, seats: this.config.bots.length + 1 }, [...this.ticks], known) };
  }

  leave(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.ended.value = 'LEFT';
    this.link.value = 'closed';
  }

  /** Closes one tick: what waits, and what the bots do. */
  step(): void {
    const round = this.round.value;
    if (round === null || this.room.value?.phase !== 'running') return;
    for (const seated of this.bots) {
      const action = seated.bot.act(round);
      if (action !== null) this.waiting.push({ type: 'act', seat: seated.bot.seat, seq: (seated.seq += 1), action });
    }
    const inputs = this.waiting;
    this.waiting = [];
    const tick = { n: round.now + 1, entropy: this.entropy(), inputs };
    this.ticks.push(tick);
    const events = playTick(round, tick);
    for (const see of this.watchers) see(events, round.now);
    this.tick.value = round.now;
    if (round.over) this.setPhase('podium');
  }

  private begin(): void {
    const { scenario, bots, seconds } = this.config;
    const played: Scenario = seconds === undefined ? scenario : { ...scenario, seconds };
    const seats = bots.length + 1;
    const seed = this.config.seed ?? this.entropy();
    this.seq = 0;
    this.ticks = [];
    this.bots = bots.map(({ bot }, n) => ({ bot: createBot(bot, n + 1, seed), seq: 0 }));
    this.waiting = [{ type: 'join', seat: ME, bot: null }, ...bots.map(({ bot }, n): Input => ({ type: 'join', seat: n + 1, bot }))];
    this.room.value = {
      code: '',
      phase: 'running',
      role: 'player',
      seat: ME,
      scenario: played.id,
      seconds: played.seconds,
      seats,
      locked: true,
      standIns: false,
      unlogged: false,
      why: null,
      briefingMs: 0,
      roster: this.roster(),
    };
    const round = createRound(played, seed, seats, this.facts);
    this.tick.value = 0;
    this.round.value = round;
    // The first tick seats everybody, so that nobody looks at a round without a process.
    this.step();
  }

  private roster(): RosterEntry[] {
    const entry = (seat: Seat, name: string, bot: BotName | null): RosterEntry => ({
      id: `local-${seat}`,
      seat,
      name,
      role: 'player',
      online: true,
      bot,
    });
    return [entry(ME, this.config.name, null), ...this.config.bots.map(({ bot, name }, n) => entry(n + 1, name, bot))];
  }

  private catchUp(): void {
    const now = performance.now();
    if (now - this.nextAt > LATE_MAX * TICK_MS) this.nextAt = now;
    while (this.nextAt <= now) {
      this.nextAt += TICK_MS;
      this.step();
    }
  }

  private setPhase(phase: RoomFacts['phase']): void {
    if (this.room.value !== null) this.room.value = { ...this.room.value, phase };
  }

  private entropy(): number {
    return this.config.entropy?.() ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
  }
}
