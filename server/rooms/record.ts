/**
 * What is kept of a room on the disk: options and phase, roster, and the log of its round. Callers only say that something
 * may have changed; the record compares with what it wrote, and writes the difference before anybody is told of it.
 * A disk that fails stops nothing: the room goes on unlogged, says so, and what is missing is written when the disk is well.
 */
import { podium, roundHash, RULES } from '#game/round.ts';
import type { Code } from '#protocol/codes.ts';
import type { RoomState } from '#protocol/roomState.ts';
import type { Logger } from '../log.ts';
import type { Digest } from '../secrets.ts';
import type { Playing, Snapshot } from '../sequencer/Playing.ts';
import type { Journal, Trace } from '../store/Journal.ts';
import { closeRoom, insertRoom, putPerson, removeOthers, removePerson, updateRoom } from '../store/rooms.ts';
import { dropSnapshots, endRound, insertRound, putSnapshot } from '../store/rounds.ts';
import { forgetRoom, type Retention } from '../store/retention.ts';
import type { Store } from '../store/Store.ts';
import type { Roster } from './roster.ts';
import { personRow, roomText } from './saved.ts';

/** What the record reads of its room. */
export interface Recorded {
  readonly log: Logger;
  readonly state: RoomState;
  readonly roster: Roster;
  /** The round that is on, or the last one while its podium stands. */
  readonly playing: Playing | null;
  /** Somebody is in it, or it plays. */
  readonly isAlive: boolean;
}

/** Where it writes. */
export interface Archive {
  store: Store;
  journal: Journal;
  retention: Retention;
}

/** The log of a round on its way to the disk. */
interface RoundTrace extends Trace {
  readonly playing: Playing;
  round: number | null;
  ended: boolean;
  /** Tick of the newest snapshot that was written. */
  snapshot: number;
}

/** What stands in the database. */
interface Written {
  key: number;
  round: number | null;
  /** The room's row, to compare with. */
  room: string;
  /** The rows of people, by id. */
  people: ReadonlyMap<string, string>;
  ended: boolean;
}

type Standing = Pick<Written, 'room' | 'round' | 'people'>;

const NOTHING: Standing = { room: '', round: null, people: new Map() };
/** That somebody was there is written once in so many ms. */
const TOUCH_MS = 30_000;
const RETRY_MS = 1000;
/** Between two snapshots that are written. */
const SNAPSHOT_TICKS = 50;

export class RoomRecord {
  private readonly room: Recorded;
  private readonly archive: Archive;
  private readonly hostDigest: Digest;
  private written = NOTHING;
  private key: number | null = null;
  private trace: RoundTrace | null = null;
  private tryAgainAt = 0;
  private isRoomWritten = true;
  private isLogWritten = true;
  /** Nothing is written before the room is whole, nor after its end. */
  private isOpen = false;

  constructor(room: Recorded, archive: Archive, hostDigest: Digest) {
    this.room = room;
    this.archive = archive;
    this.hostDigest = hostDigest;
  }

  /** Some of what happened is not on the disk. */
  get unlogged(): boolean {
    return !this.isRoomWritten || !this.isLogWritten;
  }

  /** The room stands in the database under this key. */
  resume(key: number): void {
    this.key = key;
  }

  /** And so does its round, with all its ticks. */
  resumeRound(playing: Playing, round: number): void {
    this.trace = { ...this.traceOf(playing), round, written: playing.ticks.length, snapshot: playing.ticks.length };
  }

  /** The room is whole. */
  open(): void {
    this.isOpen = true;
    this.keep();
  }

  /** Writes what has changed. Never throws. */
  keep(): void {
    if (!this.isOpen || performance.now() < this.tryAgainAt) return;
    this.follow();
    try {
      const written = this.archive.store.transact(() => this.write());
      this.key = written.key;
      this.written = written;
      if (this.trace !== null) Object.assign(this.trace, { round: written.round, ended: written.ended });
      this.isRoomWritten = true;
      this.tell(null);
      this.catchUp();
    } catch (error) {
      this.written = NOTHING;
      this.tryAgainAt = performance.now() + RETRY_MS;
      this.isRoomWritten = false;
      this.tell(error);
    }
  }

  /** Ticks that could not be written are still to come, though the room may have none of its own any more. */
  private catchUp(): void {
    if (this.trace === null || this.trace.written === this.trace.ticks.length) return;
    this.archive.journal.add(this.trace);
    this.archive.journal.commit();
  }

  /** A tick was closed: it is written with the coming commit. */
  tick(): void {
    if (this.trace !== null && this.isOpen) this.archive.journal.add(this.trace);
  }

  /** The room leaves this process; it can be asked for again. */
  sleep(): void {
    this.keep();
    this.stop();
  }

  /** The room ends for good. */
  close(why: Code): void {
    this.stop();
    try {
      if (this.key !== null) closeRoom(this.archive.store, this.key, why);
    } catch (error) {
      this.room.log.error({ err: error }, 'the end of the room could not be written');
    }
  }

  /** The room ends, and all that was kept of it goes. */
  forget(): void {
    this.stop();
    try {
      if (this.key !== null) forgetRoom(this.archive.store, this.key);
      this.archive.retention.sweep();
    } catch (error) {
      this.room.log.error({ err: error }, 'the room could not be forgotten');
    }
  }

  private stop(): void {
    this.isOpen = false;
    if (this.trace !== null) this.archive.journal.remove(this.trace);
  }

  /** Takes up another round than before, or none. */
  private follow(): void {
    const { playing } = this.room;
    if (playing === (this.trace?.playing ?? null)) return;
    if (this.trace !== null) this.archive.journal.remove(this.trace);
    this.trace = playing === null ? null : this.traceOf(playing);
    this.isLogWritten = true;
  }

  private traceOf(playing: Playing): RoundTrace {
    playing.onSnapshot = (snapshot) => void snapshot.then((taken) => this.keepSnapshot(playing, taken)).catch(() => {});
    return {
      playing,
      ticks: playing.ticks,
      round: null,
      written: 0,
      ended: false,
      snapshot: 0,
      onWritten: () => {
        this.isLogWritten = true;
        this.tell(null);
      },
      onFailed: (error) => {
        this.isLogWritten = false;
        this.tell(error);
      },
    };
  }

  private write(): Written {
    const { store } = this.archive;
    const { room, trace } = this;
    const saved = roomText(room.state, room.roster);
    const touched = Math.floor(Date.now() / TOUCH_MS) * TOUCH_MS;
    const key = this.key ?? insertRoom(store, { code: room.state.code, hostDigest: this.hostDigest, saved, touched });
    const round = trace === null ? null : (trace.round ?? insertRound(store, { ...beganBy(trace.playing), ...this.placeOf(key) }));
    // A room that nobody is in keeps the time at which the last one left.
    const now = `${saved} ${round} ${room.isAlive ? touched : ''}`;
    if (now !== this.written.room) updateRoom(store, key, { saved, round, ...(room.isAlive ? { touched } : {}) });
    if (round !== this.written.round) dropSnapshots(store, key, round);
    return { key, round, room: now, people: this.writePeople(key), ended: this.writeEnd(round) };
  }

  private placeOf(key: number): { room: number; code: string; number: number } {
    const { code, rounds } = this.room.state;
    return { room: key, code, number: rounds };
  }

  private writePeople(key: number): Map<string, string> {
    const { store } = this.archive;
    const people = new Map<string, string>();
    for (const [place, member] of this.room.roster.all().entries()) {
      const row = personRow(member, place);
      const text = JSON.stringify(row);
      people.set(row.id, text);
      if (this.written.people.get(row.id) !== text) putPerson(store, { room: key, ...row });
    }
    // After a fault it is not known who stands there.
    if (this.written === NOTHING) removeOthers(store, key, [...people.keys()]);
    else for (const id of this.written.people.keys()) if (!people.has(id)) removePerson(store, key, id);
    return people;
  }

  /** The result, once the whole log is there. */
  private writeEnd(round: number | null): boolean {
    const { trace } = this;
    if (trace === null || round === null || trace.ended) return trace?.ended ?? false;
    if (!trace.playing.round.over || trace.written < trace.ticks.length) return false;
    endRound(this.archive.store, round, roundHash(trace.playing.round), podium(trace.playing.round));
    return true;
  }

  /** A snapshot is ahead of no log, and costs something: not each is written. */
  private keepSnapshot(playing: Playing, { n, message }: Snapshot): void {
    const { trace } = this;
    if (trace?.playing !== playing || trace.round === null || !this.isOpen) return;
    if (trace.written < n || n < trace.snapshot + (playing.round.over ? 1 : SNAPSHOT_TICKS)) return;
    putSnapshot(this.archive.store, trace.round, n, message);
    trace.snapshot = n;
  }

  /** The host sees it, and so does who reads the server's log. */
  private tell(error: unknown): void {
    const { state, log } = this.room;
    if (state.unlogged === this.unlogged) return;
    state.unlogged = this.unlogged;
    if (this.unlogged) log.error({ err: error, tick: this.trace?.written }, 'unlogged: what happens is not written to the disk');
    else log.warn({ tick: this.trace?.written }, 'logged again, and complete');
  }
}

function beganBy({ scenario, seed, seatsPlanned }: Playing) {
  return { rules: RULES, scenario, seed, seats: seatsPlanned };
}
