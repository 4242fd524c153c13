/**
 * `checkVirtual(m)`: what must be true of the kernel's virtual space between two calls: areas in order and apart, guard
 * pages, frames behind areas, totals, kmap's counts, resources. It counts anew and trusts no total.
 */
import type { Machine } from '#kernel/machine.ts';
import { PG, USE } from '#kernel/types.ts';
import { Broken } from './check.ts';

const PAGE = 4096;

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

function equal(actual: unknown, expected: unknown, what: () => string): void {
  if (actual !== expected) throw new Broken(`${what()}: is ${String(actual)}, counted ${String(expected)}`);
}

export function checkVirtual(machine: Machine): void {
  checkAreas(machine);
  checkHint(machine);
  checkKmap(machine);
  checkRegions(machine);
}

function checkAreas(machine: Machine): void {
  const { vmap, config, frames, tasks } = machine;
  const { vmallocStart, vmallocEnd } = config.layout;
  const seen = new Set<number>();
  const owned = new Map<number, Set<number>>();
  let [lazy, used, end] = [0, 0, vmallocStart];
  for (const area of vmap.areas) {
    const at = () => `area ${area.start.toString(16)} of ${area.size} bytes`;
    must(area.start >= end, () => `${at()} overlaps the one before, or lies below the space`);
    must(area.start % PAGE === 0 && area.size % PAGE === 0 && area.size >= 2 * PAGE, () => `${at()} is not pages and a guard page`);
    end = area.start + area.size;
    must(end <= vmallocEnd, () => `${at()} leaves the space`);
    if (area.freed) {
      lazy += area.size / PAGE;
      equal(area.frames.length, 0, () => `${at()} is freed and has frames`);
      continue;
    }
    used += area.size / PAGE;
    must(area.pid === 0 || tasks.has(area.pid), () => `${at()} belongs to pid ${area.pid}, who is dead`);
    owned.set(area.pid, (owned.get(area.pid) ?? new Set()).add(area.start));
    equal(area.frames.length, area.kind === 'vmalloc' ? area.size / PAGE - 1 : 0, () => `${at()}: frames`);
    for (const pfn of area.frames) {
      must(!seen.has(pfn), () => `${at()}: frame ${pfn} is in two areas`);
      seen.add(pfn);
      equal(frames.flags[pfn], PG.head | PG.kernel, () => `${at()}: flags of frame ${pfn}`);
      equal(frames.order[pfn], 0, () => `${at()}: order of frame ${pfn}`);
      equal(frames.owner[pfn], area.pid, () => `${at()}: owner of frame ${pfn}`);
      equal(frames.index[pfn], USE.vmalloc, () => `${at()}: use of frame ${pfn}`);
    }
  }
  equal(vmap.lazyPages, lazy, () => 'pages of lazily freed areas');
  equal(vmap.usedPages, used, () => 'pages of areas');
  must(lazy <= 8192, () => `${lazy} pages of freed areas have gathered`);
  equal(vmap.owned.size, owned.size, () => 'processes with areas');
  for (const [pid, starts] of owned) {
    const listed = vmap.owned.get(pid);
    must(
      listed !== undefined && listed.size === starts.size && [...starts].every((start) => listed.has(start)),
      () => `pid ${pid}: its areas`,
    );
  }
  for (let pfn = 0; pfn < frames.count; pfn++) {
    if (frames.flags[pfn] === (PG.head | PG.kernel) && frames.index[pfn] === USE.vmalloc)
      must(seen.has(pfn), () => `frame ${pfn} is of no area`);
  }
}

/** What 2.6.32 leaves free behind each area, where it searches; the next may begin at once where the hole was as long as it. */
const gapOf = ({ config }: Machine): number => (config.rules === '2.6.32' ? PAGE : 0);

/** No hole below the hint's address is larger than it says. */
function checkHint(machine: Machine): void {
  const { areas, hint } = machine.vmap;
  let low = machine.config.layout.vmallocStart;
  must(hint.addr >= low && hint.addr <= machine.config.layout.vmallocEnd, () => 'the hint lies outside of the space');
  for (const area of areas) {
    if (area.start >= hint.addr) break;
    must(area.start - low <= hint.hole, () => `the hole below ${area.start.toString(16)} is larger than the hint has it`);
    low = area.start + area.size + gapOf(machine);
  }
  must(hint.addr - low <= hint.hole, () => 'the hole below the hint is larger than it has it');
}

function checkKmap(machine: Machine): void {
  const { counts, pfns, slotOf, users, busy, atomic } = machine.highmem;
  const uses = new Map<number, number>();
  for (const [pid, pages] of users) {
    must(pid === 0 || machine.tasks.has(pid), () => `pid ${pid} is dead and has pages mapped`);
    must(pages.size > 0, () => `pid ${pid} is listed and has nothing mapped`);
    for (const [pfn, count] of pages) {
      must(count > 0, () => `pid ${pid} has page ${pfn} mapped ${count} times`);
      uses.set(pfn, (uses.get(pfn) ?? 0) + count);
    }
  }
  let inUse = 0;
  let mapped = 0;
  for (let slot = 0; slot < counts.length; slot++) {
    const pfn = pfns[slot]!;
    const at = () => `kmap slot ${slot}, page ${pfn}`;
    if (counts[slot] === 0) {
      equal(pfn, -1, () => `${at()}: free and mapped`);
      continue;
    }
    mapped += 1;
    if (counts[slot]! > 1) inUse += 1;
    equal(slotOf.get(pfn), slot, () => `${at()}: where the page thinks it is mapped`);
    equal(counts[slot]! - 1, uses.get(pfn) ?? 0, () => `${at()}: users`);
    must(pfn >= machine.config.layout.maxLowPfn, () => `${at()}: a page of low memory`);
    uses.delete(pfn);
  }
  equal(uses.size, 0, () => 'pages that processes think are mapped');
  equal(slotOf.size, mapped, () => 'pages with a slot');
  equal(busy, inUse, () => 'slots in use');
  for (const [pid, stack] of atomic) {
    must(pid === 0 || machine.tasks.has(pid), () => `pid ${pid} is dead and holds atomic slots`);
    must(stack.length >= 1 && stack.length <= 16, () => `pid ${pid} holds ${stack.length} atomic slots`);
  }
}

function checkRegions(machine: Machine): void {
  const { regions, owned } = machine.iomem;
  const count = new Map<number, number>();
  let end = -1;
  for (const region of regions) {
    must(region.start > end && region.start <= region.end, () => `region ${region.start.toString(16)} overlaps the one before`);
    must(region.pid === 0 || machine.tasks.has(region.pid), () => `region ${region.start.toString(16)} belongs to the dead`);
    count.set(region.pid, (count.get(region.pid) ?? 0) + 1);
    end = region.end;
  }
  equal(owned.size, count.size, () => 'processes with regions');
  for (const [pid, n] of count) equal(owned.get(pid), n, () => `pid ${pid}: regions`);
}
