/**
 * A recording with a cursor, behind the Session interface: it plays, pauses, steps and goes to any tick, and nothing above
 * needs to know that this round is over already. It takes no inputs.
 */
import { batch, computed, signal } from '@preact/signals';
import { createFacts } from '#kernel/facts.ts';
import type { Chronicle } from '#game/chronicle.ts';
import type { Round } from '#game/round.ts';
import type { RoundEvent, Seat } from '#game/types.ts';
import { Cursor, SLICE_MS, type CursorParts } from './Cursor.ts';
import { Keyframes } from './keyframes.ts';
import { Reader, type Story } from './Reader.ts';
import { botsOf, type Recording } from './recording.ts';
import type { HostAction, Link, RoomFacts, RosterEntry, Session, Passed } from './Session.ts';

export const SPEEDS = [0.5, 1, 2, 4, 8] as const;
export type Speed = (typeof SPEEDS)[number];

export interface ReplayParts extends Partial<CursorParts> {
  /** Without a timer, `beat` moves it. */
  timer?: boolean;
  keyframes?: Keyframes;
}

const TICK_MS = 100;
const BEAT_MS = 20;
/** Ticks that a page played late (another tab) makes up for at once; the rest of the time is forgotten. */
const LATE_MAX = 10;
/** After a jump, so many ticks before it are told again: what the log shows. */
const TOLD_TICKS = 300;

export class ReplaySession implements Session {
  readonly link = signal<Link>('live');
  readonly round = signal<Round | null>(null);
  readonly tick = signal(0);
  readonly ended = signal<string | null>(null);
  readonly facts = createFacts(1 << 14);
  readonly playing = signal(false);
  readonly speed = signal<Speed>(1);
  /** The seat that is followed, -1 for none. */
  readonly followed = signal<Seat>(-1);
  /** The last tick that was read; marks up to there are known. */
  readonly readTo = signal(0);
  /** Once all is read. */
  readonly story = signal<Story | null>(null);
  /** The round's end is not the one that was recorded. */
  readonly differs = signal(false);
  readonly room = computed(() => this.roomNow());

  readonly recording: Recording;
  private readonly cursor: Cursor;
  private readonly reader: Reader;
  private readonly time: () => number;
  private readonly roster: RosterEntry[];
  private readonly watchers = new Set<(events: RoundEvent[], tick: number) => void>();
  private timer: ReturnType<typeof setInterval> | null = null;
  private beatAt = 0;
  private due = 0;

  /** Throws what beginning the recording throws: ConfigError, CodecError. */
  constructor(recording: Recording, { timer = true, keyframes = new Keyframes(), ...given }: ReplayParts = {}) {
    const parts: CursorParts = { time: () => performance.now(), later: (work) => void setTimeout(work), ...given };
    this.recording = recording;
    this.time = parts.time;
    this.cursor = new Cursor(recording, keyframes, this.facts, parts);
    this.readTo.value = this.tick.value = this.cursor.first;
    this.round.value = this.cursor.round;
    this.roster = recording.roster.length > 0 ? [...recording.roster] : rosterOf(recording);
    this.reader = new Reader(recording, keyframes, parts, {
      read: (count) => void (this.readTo.value = this.first + count),
      done: (story) => this.told(story),
    });
    if (timer) this.timer = setInterval(() => this.beat(), BEAT_MS);
  }

  /** Ticks played where it begins, and where it ends. */
  get first(): number {
    return this.cursor.first;
  }
  get last(): number {
    return this.cursor.last;
  }

  /** What was read so far: complete once there is a story. */
  get chronicle(): Chronicle {
    return this.reader.chronicle;
  }
  /** All that had a process, by number. */
  get seats(): Seat[] {
    return this.roster.flatMap(({ role, seat }) => (role === 'player' && seat >= 0 ? [seat] : [])).toSorted((a, b) => a - b);
  }

  onEvents(see: (events: RoundEvent[], tick: number) => void): () => void {
    this.watchers.add(see);
    return () => void this.watchers.delete(see);
  }

  async act(): Promise<{ ok: false; code: string }> {
    return { ok: false, code: 'REPLAY' };
  }

  async host(action: HostAction): Promise<{ ok: true } | { ok: false; code: string }> {
    if (action.do !== 'pause' && action.do !== 'resume') return { ok: false, code: 'REPLAY' };
    if (action.do === 'pause') this.pause();
    else this.play();
    return { ok: true };
  }

  /** Nobody else knows of it. */
  async pass(): Promise<Passed> {
    return { ok: false, code: 'NO_SEAT' };
  }

  async recorded(): Promise<{ ok: true; recording: Recording }> {
    return { ok: true, recording: this.recording };
  }

  leave(): void {
    this.pause();
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.cursor.close();
    this.reader.close();
    batch(() => {
      this.ended.value = 'LEFT';
      this.link.value = 'closed';
    });
  }

  /* ---- the cursor ---- */

  /** From the end it begins anew. */
  play(): void {
    if (this.cursor.aimedAt >= this.last) this.seek(this.first);
    this.beatAt = this.time();
    this.due = 0;
    this.playing.value = true;
  }

  pause(): void {
    this.playing.value = false;
  }

  /** One tick on, or back. */
  step(by: 1 | -1 = 1): void {
    this.pause();
    if (by === 1 && !this.cursor.isMoving) this.playOne();
    else this.seek(this.cursor.aimedAt + by);
    this.show();
  }

  /** To the state after tick n, or as near as there is one. */
  seek(n: number): void {
    const from = this.tick.peek();
    this.cursor.go(n, () => this.arrive(from));
    if (this.cursor.isMoving) this.link.value = 'behind';
  }

  follow(seat: Seat): void {
    this.followed.value = seat;
  }

  /** Plays what is due by the clock. */
  beat(): void {
    if (!this.playing.peek()) return;
    const now = this.time();
    this.due = Math.min(LATE_MAX, this.due + ((now - this.beatAt) * this.speed.peek()) / TICK_MS);
    this.beatAt = now;
    // On the way to somewhere else, time stands still.
    if (this.cursor.isMoving) this.due = 0;
    while (this.due >= 1 && this.time() < now + SLICE_MS) {
      this.due -= 1;
      if (!this.playOne()) break;
    }
    this.show();
    if (this.cursor.aimedAt >= this.last) this.pause();
  }

  private playOne(): boolean {
    const events = this.cursor.step();
    if (events === null) return false;
    for (const see of this.watchers) see(events, this.cursor.round.now);
    return true;
  }

  private arrive(from: number): void {
    this.tell(this.cursor.round.now < from ? 0 : from);
    this.beatAt = this.time();
    this.show();
  }

  /** Says again what happened lately, for who has only just come. */
  tellAgain(): void {
    if (!this.cursor.isMoving) this.tell(0);
  }

  /** What happened after a tick, and not long before now. */
  private tell(after: number): void {
    const { now } = this.cursor.round;
    for (let n = Math.max(after, now - TOLD_TICKS, this.first) + 1; n <= now; n++) {
      const events = this.reader.events[n - this.first - 1];
      if (events !== undefined && events.length > 0) for (const see of this.watchers) see(events, n);
    }
  }

  private show(): void {
    if (this.cursor.isMoving) return;
    batch(() => {
      this.round.value = this.cursor.round;
      this.tick.value = this.cursor.round.now;
      if (this.link.peek() === 'behind') this.link.value = 'live';
    });
  }

  private told(story: Story): void {
    const { hash } = this.recording;
    batch(() => {
      this.story.value = story;
      this.differs.value = hash !== null && hash !== story.hash;
    });
  }

  private roomNow(): RoomFacts {
    const { scenario } = this.cursor.round;
    const isOver = this.tick.value >= this.last;
    return {
      code: this.recording.code,
      phase: isOver ? 'podium' : this.playing.value ? 'running' : 'paused',
      role: 'spectator',
      seat: this.followed.value,
      scenario: scenario.id,
      seconds: scenario.seconds,
      seats: this.roster.length,
      locked: true,
      standIns: false,
      unlogged: false,
      why: null,
      briefingMs: 0,
      roster: this.roster,
    };
  }
}

/** Nobody's name is in a log: its seats, and which of them were bots. */
function rosterOf({ ticks }: Recording): RosterEntry[] {
  const bots = botsOf(ticks);
  const seats = new Set(ticks.flatMap(({ inputs }) => inputs.flatMap((input) => (input.type === 'join' ? [input.seat] : []))));
  return [...seats]
    .toSorted((a, b) => a - b)
    .map((seat) => ({ id: `seat-${seat}`, seat, name: '', role: 'player', online: false, bot: bots.get(seat) ?? null }));
}
