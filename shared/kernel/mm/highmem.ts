/**
 * Addresses for pages of high memory, which have none of their own (mm/highmem.c, spec §3).
 *
 * kmap: 1,024 slots of one page for everybody. A slot's count is 0 when free, 1 when nobody uses it any more but TLBs may
 * still hold it, n + 1 with n users. Slots are taken round robin; each time the round comes back to slot 0, all slots of
 * count 1 become free together, for one flush. kmap_atomic: a few fixed slots that are taken and given back as a stack and
 * never waited for. A page of low memory needs neither: it has its address in the direct map.
 */
import { emit, FACT } from '../facts.ts';
import { directAddress, KM_MAX_IDX, kmapAtomicAddress, LAST_PKMAP } from '../arch/layout.ts';
import { PAGE_SIZE, type Addr, type Machine, type Pfn, type Pid } from '../types.ts';
import type { Highmem } from './vmap_types.ts';

export function createHighmem(): Highmem {
  return { counts: new Int32Array(0), pfns: new Int32Array(0), last: 0, busy: 0, slotOf: new Map(), users: new Map(), atomic: new Map() };
}

const slotAddress = (machine: Machine, slot: number): Addr => machine.config.layout.pkmapBase + slot * PAGE_SIZE;

/** The round has come back to its start: slots that nobody uses are free again (flush_all_zero_pkmaps). */
function flushUnused(highmem: Highmem): void {
  const { counts, pfns, slotOf } = highmem;
  for (let slot = 0; slot < LAST_PKMAP; slot++) {
    if (counts[slot] !== 1) continue;
    counts[slot] = 0;
    slotOf.delete(pfns[slot]!);
    pfns[slot] = -1;
  }
}

/** The next free slot after the last one taken; some slot has no user (map_new_virtual). */
function takeSlot(highmem: Highmem, pfn: Pfn): number {
  const { counts, pfns, slotOf } = highmem;
  let slot = highmem.last;
  do {
    slot = (slot + 1) & (LAST_PKMAP - 1);
    if (slot === 0) flushUnused(highmem);
  } while (counts[slot] !== 0);
  highmem.last = slot;
  counts[slot] = 1;
  pfns[slot] = pfn;
  slotOf.set(pfn, slot);
  return slot;
}

/** The address of a page, mapped if it has none; −1 when every slot is in use and the caller would sleep. */
export function kmap(machine: Machine, pid: Pid, pfn: Pfn): Addr {
  const direct = directAddress(machine.config.layout, pfn);
  if (direct !== -1) return direct;
  const { highmem } = machine;
  let slot = highmem.slotOf.get(pfn);
  if (slot === undefined) {
    if (highmem.busy === LAST_PKMAP) return -1;
    if (highmem.counts.length === 0) {
      highmem.counts = new Int32Array(LAST_PKMAP);
      highmem.pfns = new Int32Array(LAST_PKMAP).fill(-1);
    }
    slot = takeSlot(highmem, pfn);
  }
  if (highmem.counts[slot] === 1) highmem.busy += 1;
  highmem.counts[slot]! += 1;
  const mine = highmem.users.get(pid);
  if (mine) mine.set(pfn, (mine.get(pfn) ?? 0) + 1);
  else highmem.users.set(pid, new Map([[pfn, 1]]));
  if (machine.facts !== null) emit(machine.facts, FACT.pageKmapped, pfn, slot, pid);
  return slotAddress(machine, slot);
}

/** Who has the page mapped: `pid` itself where it does, else the first that came, −1 for nobody. */
export function kmapUser(machine: Machine, pid: Pid, pfn: Pfn): Pid {
  const { users } = machine.highmem;
  if (users.get(pid)?.has(pfn)) return pid;
  for (const [user, pages] of users) if (pages.has(pfn)) return user;
  return -1;
}

function dropUses(highmem: Highmem, pfn: Pfn, uses: number): void {
  const slot = highmem.slotOf.get(pfn)!;
  highmem.counts[slot]! -= uses;
  if (highmem.counts[slot] === 1) highmem.busy -= 1;
}

/** Takes one use of a page back from a user that has it mapped. Its slot is not free before the round comes back to its start. */
export function kunmap(machine: Machine, pid: Pid, pfn: Pfn): void {
  const { highmem } = machine;
  const mine = highmem.users.get(pid)!;
  const uses = mine.get(pfn)!;
  if (uses > 1) mine.set(pfn, uses - 1);
  else mine.delete(pfn);
  if (mine.size === 0) highmem.users.delete(pid);
  if (machine.facts !== null) emit(machine.facts, FACT.pageKunmapped, pfn, highmem.slotOf.get(pfn)!, pid);
  dropUses(highmem, pfn, 1);
}

/** The address of a page for a short while; −1 when the slots nest no deeper. Each process has its own stack of slots, as the scheduler swaps them. */
export function kmapAtomic(machine: Machine, pid: Pid, pfn: Pfn): Addr {
  const direct = directAddress(machine.config.layout, pfn);
  if (direct !== -1) return direct;
  const { atomic } = machine.highmem;
  const stack = atomic.get(pid);
  if (stack === undefined) atomic.set(pid, [pfn]);
  else if (stack.length === KM_MAX_IDX) return -1;
  else stack.push(pfn);
  return kmapAtomicAddress(atomic.get(pid)!.length - 1);
}

/** The address that must be given back next; −1 when none is held. */
export function topAtomic(machine: Machine, pid: Pid): Addr {
  const depth = machine.highmem.atomic.get(pid)?.length ?? 0;
  return depth === 0 ? -1 : kmapAtomicAddress(depth - 1);
}

/** Gives the top of the stack back; there is one. */
export function kunmapAtomic(machine: Machine, pid: Pid): void {
  const { atomic } = machine.highmem;
  const stack = atomic.get(pid)!;
  stack.pop();
  if (stack.length === 0) atomic.delete(pid);
}

/** All mappings of a process that ends. */
export function unmapAllOf(machine: Machine, pid: Pid): void {
  const { highmem } = machine;
  for (const [pfn, uses] of highmem.users.get(pid) ?? []) dropUses(highmem, pfn, uses);
  highmem.users.delete(pid);
  highmem.atomic.delete(pid);
}
