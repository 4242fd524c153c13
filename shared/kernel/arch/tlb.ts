/**
 * The translation lookaside buffer (spec §2): the last translations, with the rights of all levels together, so that most
 * accesses walk no table. An entry may allow less than the tables do, never more: what takes rights away must flush it.
 *
 * It exists where the machine's `tlb` key asks for it, else from the first `translate` on; until then no access looks at it.
 */
// Simplified: the kernel flushes what has become untrue when a call ends, and only what the buffer holds; Linux flushes range by range, held or not.
import { count, VMSTAT } from '../mm/vmstat.ts';
import type { AccessKind } from '../mm/memory.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Pid } from '../types.ts';
import { mmuOf } from './mmu.ts';
import { allows, find, type Translation } from './walk.ts';

export interface TlbEntry extends Translation {
  /** Whose tables it was read from. */
  pid: Pid;
  /** Page number of its first page. */
  vpn: number;
}

export interface Tlb {
  /** Translations that it holds at most. */
  entries: number;
  /** Are entries told apart by address space (PCID)? */
  asid: boolean;
  /** By key, the least recently used first. */
  slots: Map<number, TlbEntry>;
  /** How many of them are large pages. */
  large: number;
  /** The process whose tables CR3 names; 0 before the first. */
  current: Pid;
  /** The process of each address-space number; 0 for none. */
  contexts: Pid[];
  /** The number that the next newcomer gets. */
  next: number;
  hits: number;
  misses: number;
  /** Page faults counted when the kernel last looked what has become untrue. */
  settledAt: number;
}

export const TLB_DEFAULT = { entries: 64, asid: false } as const;
/** Address spaces that Linux keeps apart at once (TLB_NR_DYN_ASIDS). */
export const ASIDS = 6;
/** Above so many pages at once Linux drops everything (tlb_single_page_flush_ceiling). */
const SINGLE_PAGE_FLUSH_CEILING = 33;

const VPN_SPAN = 0x10_0000_0000;

export function createTlb({ entries, asid }: { entries: number; asid: boolean }): Tlb {
  const contexts = Array.from({ length: asid ? ASIDS : 1 }, () => 0);
  return { entries, asid, slots: new Map(), large: 0, current: 0, contexts, next: 0, hits: 0, misses: 0, settledAt: 0 };
}

/** Kernel translations are the same in all address spaces and have keys of their own, below zero. */
function keyOf(asid: number, vpn: number, large: boolean, isKernel: boolean): number {
  const page = (((vpn % VPN_SPAN) + VPN_SPAN) % VPN_SPAN) + (large ? VPN_SPAN : 0);
  return isKernel ? -1 - page : asid * 2 * VPN_SPAN + page;
}

const isKernelAddress = (machine: Machine, addr: Addr): boolean => addr < 0 || addr >= mmuOf(machine).taskSize;

/** The frames that a large page spans. */
function largeFrames(machine: Machine): number {
  const { spans } = mmuOf(machine);
  return spans[spans.length - 2]! / PAGE_SIZE;
}

/** The number of a process's address space; −1 while its translations are not in the buffer. */
function asidOf(tlb: Tlb, pid: Pid): number {
  if (!tlb.asid) return tlb.current === pid ? 0 : -1;
  return tlb.contexts.indexOf(pid);
}

/** The translation held for an address, if there is one. Nothing is counted, and nothing moves. */
export function lookup(machine: Machine, tlb: Tlb, pid: Pid, addr: Addr): TlbEntry | undefined {
  const isKernel = isKernelAddress(machine, addr);
  const asid = isKernel ? 0 : asidOf(tlb, pid);
  if (asid < 0) return undefined;
  const vpn = Math.floor(addr / PAGE_SIZE);
  const small = tlb.slots.get(keyOf(asid, vpn, false, isKernel));
  if (small !== undefined || tlb.large === 0) return small;
  return tlb.slots.get(keyOf(asid, Math.floor(vpn / largeFrames(machine)), true, isKernel));
}

function drop(tlb: Tlb, key: number, entry: TlbEntry): void {
  tlb.slots.delete(key);
  if (entry.frames > 1) tlb.large -= 1;
}

/** Drops everything but the kernel's (or one address space's part); counts a flush of all. */
function flushAll(machine: Machine, tlb: Tlb, asid: number): void {
  const [low, high] = [asid * 2 * VPN_SPAN, (asid + 1) * 2 * VPN_SPAN];
  for (const [key, entry] of tlb.slots) if (key >= low && key < high) drop(tlb, key, entry);
  count(machine, VMSTAT.nr_tlb_local_flush_all, 1);
}

/** Loads CR3 with a process's tables (switch_mm): without numbers for address spaces all that is not global goes. Returns the number. */
export function loadCr3(machine: Machine, tlb: Tlb, pid: Pid): number {
  const known = asidOf(tlb, pid);
  if (known >= 0) {
    tlb.current = pid;
    return known;
  }
  const asid = tlb.next;
  if (tlb.contexts[asid] !== 0) flushAll(machine, tlb, asid);
  tlb.contexts[asid] = pid;
  tlb.next = (asid + 1) % tlb.contexts.length;
  tlb.current = pid;
  return asid;
}

/** Puts a translation in, in place of the least recently used when it is full. */
function fill(machine: Machine, tlb: Tlb, asid: number, pid: Pid, addr: Addr, found: Translation): void {
  const vpn = Math.floor(addr / PAGE_SIZE);
  const large = found.frames > 1;
  const isKernel = isKernelAddress(machine, addr);
  const first = large ? Math.floor(vpn / found.frames) : vpn;
  const key = keyOf(asid, first, large, isKernel);
  const old = tlb.slots.get(key);
  if (old !== undefined) drop(tlb, key, old);
  else if (tlb.slots.size >= tlb.entries) {
    const [oldestKey, oldest] = tlb.slots.entries().next().value!;
    drop(tlb, oldestKey, oldest);
  }
  tlb.slots.set(key, { ...found, pid, vpn: first * found.frames });
  if (large) tlb.large += 1;
}

/** The kernel's own fixed slots change hands without notice and are not kept. */
const isKept = (machine: Machine, addr: Addr): boolean => !isKernelAddress(machine, addr) || addr < machine.config.layout.fixaddrStart;

/** Does the entry say no more than the tables? */
export function isTrue(entry: Translation, fresh: Translation | null): boolean {
  return (
    fresh !== null &&
    fresh.pfn === entry.pfn &&
    fresh.frames === entry.frames &&
    fresh.zeroPage === entry.zeroPage &&
    (fresh.write || !entry.write) &&
    (fresh.user || !entry.user) &&
    (fresh.exec || !entry.exec) &&
    (fresh.dirty || !entry.dirty)
  );
}

/** An access that the tables allow went through the buffer: a hit, or a walk that fills it. A write by a clean entry walks to set the dirty bit, and is a hit. */
export function useTlb(machine: Machine, tlb: Tlb, mm: Mm | null, addr: Addr, access: AccessKind, ring: number): void {
  const pid = mm?.pid ?? 0;
  const asid = isKernelAddress(machine, addr) || pid === 0 ? 0 : loadCr3(machine, tlb, pid);
  const entry = lookup(machine, tlb, pid, addr);
  const fresh = find(machine, mm, addr, null);
  if (fresh === null) return;
  if (entry !== undefined && allows(entry, access, ring) && isTrue(entry, fresh)) tlb.hits += 1;
  else tlb.misses += 1;
  if (isKept(machine, addr)) fill(machine, tlb, asid, pid, addr, fresh);
}

/** After a call: what the kernel took away is flushed. A fork takes the right to write from all of an address space (flush_tlb_mm). */
export function settleTlb(machine: Machine, tlb: Tlb, isFork: boolean): void {
  let flushed = 0;
  tlb.settledAt = machine.vmstat[VMSTAT.pgfault]!;
  for (const [key, entry] of tlb.slots) {
    const task = machine.tasks.get(entry.pid);
    const gone = entry.pid !== 0 && task === undefined && key >= 0;
    if (!gone && isTrue(entry, find(machine, task?.mm ?? null, entry.vpn * PAGE_SIZE, null))) continue;
    drop(tlb, key, entry);
    flushed += 1;
  }
  if (flushed === 0) return;
  if (isFork || flushed > SINGLE_PAGE_FLUSH_CEILING) count(machine, VMSTAT.nr_tlb_local_flush_all, 1);
  else count(machine, VMSTAT.nr_tlb_local_flush_one, flushed);
}

/** Was the kernel not entered since it last looked? Then nothing was taken away. */
export function isSettled(machine: Machine, tlb: Tlb): boolean {
  return tlb.settledAt === machine.vmstat[VMSTAT.pgfault]!;
}
