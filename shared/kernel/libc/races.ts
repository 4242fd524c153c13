/**
 * Data races (spec §17): two accesses to one place, by different threads or by processes that share memory, at least one of them
 * a write, and nothing between them that makes one wait for the other. ThreadSanitizer and KCSAN look for the same.
 *
 * The last events of all threads are kept in the order in which they came. Before an access is added, a walk back over them
 * finds which threads it is ordered after: its own; whoever gave up a lock that it took since; whoever created or was joined by
 * one of these. The first access on the way that conflicts and is not ordered is the other half of a race. That is the
 * happens-before of the C standard without vector clocks, and the ring bounds what is remembered.
 */
// Simplified: a race with an access that more than EVENTS_MAX events lie behind is not seen (TSan keeps four accesses a word). Instruction fetches,
// system calls on files and libc's own words are not watched.
import { currentTid } from '../kernel/thread.ts';
import { findVmaIndex, VM } from '../mm/vma.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Pid, type Task, type Why } from '../types.ts';

export const EVENTS_MAX = 512;

/** `atomic`: a read and write in one that also orders; `sync`: one whose memory is another's now. `start` and `join` name a thread in `from`. */
export const EVENT = { read: 0, write: 1, atomic: 2, sync: 3, acquire: 4, release: 5, start: 6, join: 7 } as const;
export type EventKind = (typeof EVENT)[keyof typeof EVENT];

export interface RaceEvent {
  kind: EventKind;
  tid: Pid;
  /** Whose bytes [from, to) are: a process's own by its pid, those of a shared object by −2 × its number, of a file by −2 × its inode − 1. */
  space: number;
  from: number;
  to: number;
  /** How many events came before it. */
  step: number;
}

export interface Races {
  /** Oldest first. */
  events: RaceEvent[];
  /** Events ever seen. */
  steps: number;
  /** Races ever found. */
  found: number;
  /** What the call in hand found; null between calls. */
  told: Why | null;
}

export function createRaces(mode: 'report' | 'halt' | null): Races | null {
  return mode === null ? null : { events: [], steps: 0, found: 0, told: null };
}

function add(races: Races, kind: EventKind, tid: Pid, space: number, from: number, to: number): void {
  races.events.push({ kind, tid, space, from, to, step: races.steps });
  races.steps += 1;
  if (races.events.length > EVENTS_MAX) races.events.shift();
}

/** Calls `see` for each stretch of [addr, addr + length) that belongs to one space. */
function eachPlace(mm: Mm, addr: Addr, length: number, see: (space: number, from: number, to: number) => void): void {
  const end = addr + length;
  for (let index = findVmaIndex(mm, addr), from = addr; from < end; index++) {
    const vma = mm.vmas[index];
    const to = vma === undefined ? end : Math.min(end, vma.end);
    const isShared = vma !== undefined && vma.start <= from && (vma.flags & VM.shared) !== 0;
    const base = isShared ? vma.pgoff * PAGE_SIZE - vma.start : 0;
    see(isShared ? (vma.shm !== 0 ? -2 * vma.shm : -2 * vma.file - 1) : mm.pid, from + base, to + base);
    from = to;
  }
}

const orders = (kind: EventKind): boolean => kind === EVENT.atomic || kind === EVENT.sync;

/** Places where threads met, as space and start of each in turn: few, so a walk is quicker than a set. */
function isAmong(places: readonly number[], { space, from }: RaceEvent): boolean {
  for (let i = 0; i < places.length; i += 2) if (places[i] === space && places[i + 1] === from) return true;
  return false;
}

/** The newest access that conflicts with this one and is not ordered before it. */
function findRace({ events }: Races, kind: EventKind, tid: Pid, space: number, from: number, to: number): RaceEvent | null {
  const before = new Set([tid]);
  const taken: number[] = kind === EVENT.atomic ? [space, from] : [];
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i]!;
    if (before.has(event.tid)) {
      if ((event.kind === EVENT.acquire || orders(event.kind)) && !isAmong(taken, event)) taken.push(event.space, event.from);
      else if (event.kind === EVENT.join) before.add(event.from);
    } else if ((event.kind === EVENT.release || orders(event.kind)) && isAmong(taken, event)) before.add(event.tid);
    else if (event.kind === EVENT.start && before.has(event.from)) before.add(event.tid);
    else if (event.kind <= EVENT.atomic && event.space === space && event.from < to && from < event.to) {
      const isHarmless = event.kind === kind && kind !== EVENT.write;
      if (!isHarmless) return event;
    }
  }
  return null;
}

const accessName = (kind: EventKind): string => (kind === EVENT.read ? 'read' : kind === EVENT.write ? 'write' : 'atomic');

/** Adds an access; the race that it makes, and whose other half was the newest. */
export function addAccess(machine: Machine, task: Task, addr: Addr, length: number, kind: EventKind): Why | null {
  const races = machine.races!;
  const tid = currentTid(machine);
  let why: Why | null = null;
  eachPlace(task.mm, addr, length, (space, from, to) => {
    const other = findRace(races, kind, tid, space, from, to);
    if (other !== null)
      why ??= {
        code: 'DATA_RACE',
        addr,
        access: accessName(kind),
        tid,
        step: races.steps,
        other: other.tid,
        otherAccess: accessName(other.kind),
        otherStep: other.step,
      };
    add(races, kind, tid, space, from, to);
  });
  if (why !== null) races.found += 1;
  return why;
}

/** A lock at an address was taken or given up. */
export function noteLock(machine: Machine, task: Task, addr: Addr, kind: typeof EVENT.acquire | typeof EVENT.release): void {
  if (machine.races === null) return;
  const races = machine.races;
  const tid = currentTid(machine);
  eachPlace(task.mm, addr, 1, (space, from, to) => add(races, kind, tid, space, from, to));
}

/** A thread or a process begins (fork, pthread_create), or was waited for (pthread_join). */
export function noteThread(machine: Machine, tid: Pid, kind: typeof EVENT.start | typeof EVENT.join): void {
  if (machine.races !== null) add(machine.races, kind, currentTid(machine), 0, tid, tid);
}

/** [start, end) of a process is other memory from now on: unmapped, or given out by malloc anew. What ordered threads there still does. */
export function forgetAccesses(races: Races, mm: Mm, start: Addr, end: Addr): void {
  races.events = races.events.filter((event) => {
    const isThere = event.space === mm.pid && event.from < end && start < event.to;
    if (isThere && event.kind === EVENT.atomic) event.kind = EVENT.sync;
    return !isThere || event.kind >= EVENT.sync;
  });
}
