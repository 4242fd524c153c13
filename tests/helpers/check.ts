/**
 * `checkMachine(m)`: everything that must be true of a machine between two calls (fidelity spec §19), by walking all of
 * it: every free list both ways, every frame, every page table. It counts anew and compares; it trusts no total.
 */
import { firstFree, nrFree } from '#kernel/mm/buddy.ts';
import type { Machine } from '#kernel/machine.ts';
import { blocksOf } from '#kernel/mm/blocks.ts';
import { MIGRATE, PG, type ShmObject, type Zone } from '#kernel/types.ts';
import { pteAt } from '#kernel/arch/mmu.ts';
import { PGS } from '#kernel/mm/swap.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { type Count, Broken, PAGE, SEEN, equal, must } from './check_base.ts';
import { checkTask } from './check_task.ts';

export { Broken } from './check_base.ts';

const CONTENTS_MAX = 16 * 1024 * 1024;

/** Throws `Broken`, with a sentence, for the first thing that is not true. */
export function checkMachine(machine: Machine): void {
  const frameCount = machine.frames.count;
  const count: Count = {
    seen: new Uint8Array(frameCount),
    maps: new Int32Array(frameCount),
    tableOf: new Map(),
    shmUsers: new Map(),
    anonPages: 0,
    shmemPages: 0,
    shmemMapped: 0,
    fileMapped: 0,
    slots: new Map(),
    tables: 0,
    kernelPages: new Map(),
    pins: pinsOf(machine),
    huge: new Map(),
  };
  for (const zone of machine.zones) checkFreeLists(machine, zone, count);
  checkPartition(machine, count);
  for (const task of machine.tasks.values()) checkTask(machine, task, count);
  checkTableSlots(machine, count);
  checkShm(machine, count);
  checkSwap(machine, count);
  checkFrames(machine, count);
  checkOwners(machine, count);
  checkTotals(machine, count);
  equal(machine.huge.size, count.huge.size, () => 'huge pages');
  for (const [head, entries] of count.huge) equal(machine.huge.get(head) ?? 0, entries, () => `huge page ${head}: entries`);
}

/** §19.1 and .2: lists in both directions, aligned heads, no overlap, each block on the list of its pageblock's type. */
function checkFreeLists(machine: Machine, zone: Zone, count: Count): void {
  let pages = 0;
  for (let order = 0; order <= zone.maxOrder; order++) {
    let blocks = 0;
    for (let type = 0; type < zone.types; type++) blocks += checkFreeList(machine, zone, order, type, count);
    equal(nrFree(zone, order), blocks, () => `${zone.name}, order ${order}: nr_free`);
    pages += blocks * 2 ** order;
  }
  equal(zone.free, pages, () => `${zone.name}: free pages`);
  for (let order = 0; order < zone.maxOrder; order++) {
    for (let type = 0; type < zone.types; type++) checkJoined(machine, zone, order, type);
  }
}

const typeOf = (machine: Machine, pfn: number): number => machine.frames.pageblock[pfn >> machine.frames.pageblockOrder]!;

function checkFreeList(machine: Machine, zone: Zone, order: number, type: number, count: Count): number {
  const { frames } = machine;
  const list = order * zone.types + type;
  let blocks = 0;
  let before = -1;
  for (let pfn = zone.lists[list * 4]!; pfn !== -1; before = pfn, pfn = frames.links[2 * pfn]!) {
    const at = () => `${zone.name}, order ${order}, type ${type}, free block ${pfn}`;
    must(pfn >= zone.start && pfn + 2 ** order <= zone.end, () => `${at()} is outside of its zone`);
    must(pfn % 2 ** order === 0, () => `${at()} is not aligned`);
    equal(frames.links[2 * pfn + 1]!, before, () => `${at()}: link back`);
    equal(frames.flags[pfn]!, PG.buddy, () => `${at()}: flags`);
    equal(frames.order[pfn]!, order, () => `${at()}: order of the frame`);
    for (let n = pfn; n < pfn + 2 ** order; n++) {
      if (count.seen[n] !== SEEN.nothing) throw new Broken(`${at()} overlaps another free block at ${n}`);
      if (n !== pfn && frames.flags[n] !== 0) throw new Broken(`${at()}: frame ${n} inside has flags ${frames.flags[n]}`);
      if (!zone.k26 && typeOf(machine, n) !== type) throw new Broken(`${at()}: the pageblock of frame ${n} has type ${typeOf(machine, n)}`);
      if (frames.mapcount[n] !== 0 || frames.refcount[n] !== 0 || frames.state[n] !== 0)
        throw new Broken(`${at()}: frame ${n} inside is in use`);
      count.seen[n] = SEEN.free;
    }
    // 2.6.32: a block may be on another list than its pageblock's; its head knows.
    if (zone.k26) equal(frames.index[pfn]!, type, () => `${at()}: list`);
    blocks += 1;
  }
  equal(zone.lists[list * 4 + 1]!, before, () => `${zone.name}, order ${order}, type ${type}: end of the list`);
  equal(zone.lists[list * 4 + 2]!, blocks, () => `${zone.name}, order ${order}, type ${type}: length of the list`);
  return blocks;
}

/** No two free buddies side by side, unless their pageblocks are of types that keep to themselves (reserved, lent, isolated). */
function checkJoined(machine: Machine, zone: Zone, order: number, type: number): void {
  const { frames } = machine;
  // 2.6.32 moves pageblocks to and from the reserve without joining them.
  if (zone.k26 && zone.types > 1 && order >= frames.pageblockOrder) return;
  for (let pfn = firstFree(zone, order, type); pfn !== -1; pfn = frames.links[2 * pfn]!) {
    const buddy = pfn ^ (2 ** order);
    const isFree = buddy >= zone.start && buddy < zone.end && frames.flags[buddy] === PG.buddy && frames.order[buddy] === order;
    const mayJoin =
      isFree && (typeOf(machine, buddy) === type || (type < MIGRATE.highatomic && typeOf(machine, buddy) < MIGRATE.highatomic));
    must(!mayJoin, () => `${zone.name}, order ${order}: ${pfn} and ${buddy} are free buddies and not joined`);
  }
}

/** §19.1: every frame is reserved, free or allocated, and just one of them. */
function checkPartition(machine: Machine, count: Count): void {
  const { frames, zones, config } = machine;
  for (const zone of zones) {
    let managed = 0;
    for (let pfn = zone.start; pfn < zone.end;) {
      if (frames.flags[pfn] === PG.reserved) {
        must(count.seen[pfn] === SEEN.nothing, () => `reserved frame ${pfn} is in a free block`);
        count.seen[pfn] = SEEN.reserved;
        pfn += 1;
        continue;
      }
      if (count.seen[pfn] === SEEN.free) {
        managed += 1;
        pfn += 1;
        continue;
      }
      const order = frames.order[pfn]!;
      const end = pfn + (1 << order);
      if ((frames.flags[pfn]! & PG.head) === 0) throw new Broken(`frame ${pfn} is neither reserved nor free nor the head of a block`);
      if (pfn % (1 << order) !== 0 || end > zone.end)
        throw new Broken(`allocated block ${pfn} of order ${order} is not aligned or leaves its zone`);
      for (let n = pfn; n < end; n++) {
        if (count.seen[n] !== SEEN.nothing) throw new Broken(`frame ${n} of the allocated block ${pfn} is free as well`);
        if (n !== pfn && frames.flags[n] !== 0)
          throw new Broken(`frame ${n} inside the allocated block ${pfn} has flags ${frames.flags[n]}`);
        count.seen[n] = SEEN.allocated;
      }
      managed += 1 << order;
      pfn = end;
    }
    equal(zone.managed, managed, () => `${zone.name}: managed pages`);
  }
  for (let pfn = 0; pfn < Math.min(config.reserved, frames.count); pfn++) {
    must(count.seen[pfn] === SEEN.reserved, () => `frame ${pfn} of the kernel's image is not reserved`);
  }
}

/** Each slot of entries is a table that some directory names, or is free and empty. */
function checkTableSlots(machine: Machine, count: Count): void {
  const { tables } = machine;
  let used = 0;
  for (let slot = 0; slot < tables.slots; slot++) {
    const pfn = tables.slotPfn[slot]!;
    if (pfn === -1) {
      for (let n = slot * tables.entries; n < (slot + 1) * tables.entries; n++)
        if (tables.words[n] !== 0) throw new Broken(`free table slot ${slot} has an entry`);
      continue;
    }
    used += 1;
    must(count.tableOf.has(pfn), () => `page table ${pfn} (slot ${slot}) belongs to no process`);
  }
  equal(used, count.tableOf.size, () => 'table slots in use');
  equal(new Set(tables.freeSlots).size + used, tables.slots, () => 'table slots, free and used');
  equal(tables.freeSlots.length, tables.slots - used, () => 'free table slots, each listed once');
}

function checkShm(machine: Machine, count: Count): void {
  const owned = new Set<number>();
  for (const [id, object] of machine.shm) {
    equal(object.users, count.shmUsers.get(id) ?? 0, () => `shared object ${id}: areas that map it`);
    must(object.users > 0 || object.segment >= 0, () => `shared object ${id} is mapped by nobody and still there`);
    for (const [page, pfn] of object.pages) {
      const at = () => `shared object ${id}, page ${page}, frame ${pfn}`;
      must(!owned.has(pfn), () => `${at()}: in two places`);
      must(page >= 0 && page < object.size, () => `${at()}: beyond the object's ${object.size} pages`);
      must(count.seen[pfn] === SEEN.allocated, () => `${at()}: not allocated`);
      equal(machine.frames.flags[pfn]!, PG.head | PG.shmem, () => `${at()}: flags`);
      owned.add(pfn);
      if (count.maps[pfn]! > 0) count.shmemMapped += 1;
      equal(machine.shmPages.get(pfn) ?? -1, id, () => `${at()}: the frame's object`);
      equal(machine.frames.index[pfn]!, page, () => `${at()}: page of the frame`);
    }
    checkSwapped(machine, object, count);
  }
  equal(machine.shmPages.size, owned.size, () => 'frames that know an object');
  for (const id of count.shmUsers.keys()) must(machine.shm.has(id), () => `an area maps shared object ${id}, which is gone`);
  count.shmemPages = owned.size;
}

/** What of an object is in swap: its own slot for each page, and no page beside it. */
function checkSwapped(machine: Machine, object: ShmObject, count: Count): void {
  for (const [page, slot] of object.swapped) {
    const at = () => `shared object ${object.id}, page ${page}, slot ${slot}`;
    must(page >= 0 && page < object.size, () => `${at()}: beyond the object's ${object.size} pages`);
    must(!object.pages.has(page), () => `${at()}: in memory and in swap`);
    must(machine.swap !== null && slot < machine.swap.slots && !count.slots.has(slot), () => `${at()}: not the object's alone`);
    count.slots.set(slot, 1);
  }
}

/** §19.7: a slot counts the entries and objects that name it; it is in use for these or for the swap cache, and for nothing else. */
function checkSwap(machine: Machine, count: Count): void {
  const { swap, frames } = machine;
  if (swap === null) return;
  let used = 0;
  for (let slot = 0; slot < swap.slots; slot++) {
    equal(swap.map[slot]!, count.slots.get(slot) ?? 0, () => `slot ${slot}: who names it`);
    const cached = swap.cache.get(slot);
    if (swap.map[slot]! > 0 || cached !== undefined) used += 1;
    else must(!swap.stored.has(slot) && !swap.evicted.has(slot), () => `slot ${slot} is free and holds something`);
    if (cached === undefined) continue;
    must(
      (frames.state[cached]! & PGS.swapcache) !== 0 && frames.mapping[cached] === slot,
      () => `slot ${slot}: frame ${cached} does not know`,
    );
    equal(frames.flags[cached]!, PG.head | PG.anon, () => `slot ${slot}: flags of frame ${cached}`);
  }
  equal(swap.used, used, () => 'slots in use');
  for (let pfn = 0; pfn < frames.count; pfn++) {
    if ((frames.state[pfn]! & PGS.swapcache) !== 0)
      equal(swap.cache.get(frames.mapping[pfn]!) ?? -1, pfn, () => `frame ${pfn}: its slot's page`);
  }
}

/** §19.3: the map count of every page is what a walk of all tables finds; nothing is allocated for nobody. */
function checkFrames(machine: Machine, count: Count): void {
  const { frames } = machine;
  let shmem = 0;
  for (let pfn = 0; pfn < frames.count; pfn++) {
    if (count.seen[pfn] !== SEEN.allocated) {
      if (count.maps[pfn] !== 0) throw new Broken(`frame ${pfn} is mapped and not allocated`);
      continue;
    }
    const flags = frames.flags[pfn]!;
    if ((flags & PG.head) === 0) continue;
    const wrong = faultOfFrame(machine, pfn, flags, count);
    if (wrong !== null) throw new Broken(`frame ${pfn} (flags ${flags}): ${wrong}`);
    if (flags & PG.anon) count.anonPages += count.maps[pfn]! > 0 ? 1 : 0;
    else if ((frames.state[pfn]! & PGS.file) !== 0) count.fileMapped += count.maps[pfn]! > 0 ? 1 : 0;
    else if (flags & PG.shmem) shmem += 1;
    else if (flags & (PG.kernel | PG.contig))
      count.kernelPages.set(frames.owner[pfn]!, (count.kernelPages.get(frames.owner[pfn]!) ?? 0) + (1 << frames.order[pfn]!));
  }
  equal(shmem, count.shmemPages, () => 'frames of shared memory that some object holds');
}

/** What is wrong with an allocated head, in words. */
function faultOfFrame(machine: Machine, pfn: number, flags: number, count: Count): string | null {
  const { mapcount, refcount } = machine.frames;
  const maps = count.maps[pfn]!;
  if (flags & (PG.anon | PG.shmem)) {
    if (mapcount[pfn] !== maps) return `map count is ${mapcount[pfn]}, ${maps} entries map it`;
    const pins = count.pins.get(pfn) ?? 0;
    const cached = (machine.frames.state[pfn]! & PGS.swapcache) !== 0 ? 1 : 0;
    if (flags & PG.anon && maps + pins + cached === 0) return 'anonymous, and nobody maps or pins it';
    const references = (flags & PG.anon ? maps : maps + 1) + pins + cached;
    return refcount[pfn] === references ? faultOfRmap(machine, pfn, maps) : `${refcount[pfn]} references, counted ${references}`;
  }
  if (maps > 0) return 'mapped into user space';
  if (flags & PG.table) return count.tableOf.has(pfn) ? null : 'a page table of nobody';
  return flags & (PG.kernel | PG.contig) ? null : 'allocated for no known purpose';
}

/** The reverse map names each entry that maps the frame, once (mm/rmap.c). */
function faultOfRmap(machine: Machine, pfn: number, maps: number): string | null {
  const { rmap, frames, tables } = machine;
  let nodes = 0;
  for (let node = frames.rmap[pfn]!; node >= 0; node = rmap.next[node]!) {
    const task = machine.tasks.get(rmap.pid[node]!);
    if (!task) return `its reverse map names pid ${rmap.pid[node]}, who is dead`;
    const at = pteAt(machine, task.mm.pgd, rmap.vpn[node]! * PAGE);
    const first = at < 0 ? -1 : tables.words[at]! >>> 12;
    if ((at >= 0 && tables.words[at]! & 0x80 ? first + (rmap.vpn[node]! % 512) : first) !== pfn)
      return `its reverse map names page ${rmap.vpn[node]} of ${task.pid}, which maps another`;
    nodes += 1;
  }
  return nodes === maps ? null : `${nodes} nodes in its reverse map, ${maps} entries`;
}

/** Pins of all processes, by frame (pin_user_pages). */
function pinsOf(machine: Machine): Map<number, number> {
  const pins = new Map<number, number>();
  for (const task of machine.tasks.values()) {
    for (const pfns of task.pins.values()) for (const pfn of pfns) pins.set(pfn, (pins.get(pfn) ?? 0) + 1);
  }
  return pins;
}

/** Kernel memory belongs to its taker, who is alive; the books of both sides agree. */
function checkOwners(machine: Machine, count: Count): void {
  const { frames } = machine;
  for (const task of machine.tasks.values()) {
    equal(task.kernelPages, count.kernelPages.get(task.pid) ?? 0, () => `pid ${task.pid}: kernel pages`);
    const blocks = blocksOf(frames, task.kernelBlocks);
    equal(task.kernelBlocks.last, blocks.at(-1) ?? -1, () => `pid ${task.pid}: newest block`);
    for (const [n, pfn] of blocks.entries()) {
      equal(frames.links[2 * pfn + 1]!, blocks[n - 1] ?? -1, () => `kernel block ${pfn}: link back`);
      must(
        count.seen[pfn] === SEEN.allocated && frames.flags[pfn] === (PG.head | PG.kernel),
        () => `pid ${task.pid}: ${pfn} is no kernel block`,
      );
      equal(frames.owner[pfn]!, task.pid, () => `kernel block ${pfn}: owner`);
    }
  }
  for (const owner of count.kernelPages.keys()) {
    must(owner === 0 || machine.tasks.has(owner), () => `kernel pages of pid ${owner}, who is dead`);
  }
}

function checkTotals(machine: Machine, count: Count): void {
  const { vmstat, frames } = machine;
  let committed = 0;
  for (const task of machine.tasks.values()) committed += task.mm.committed;
  for (const object of machine.shm.values()) committed += object.promised; // shared memory is promised once, by its object
  equal(machine.committed, committed, () => 'Committed_AS');
  equal(vmstat[VMSTAT.nr_anon_pages]!, count.anonPages, () => 'nr_anon_pages');
  equal(vmstat[VMSTAT.nr_shmem]!, count.shmemPages, () => 'nr_shmem');
  equal(vmstat[VMSTAT.nr_mapped]!, count.shmemMapped + count.fileMapped, () => 'nr_mapped');
  equal(vmstat[VMSTAT.nr_page_table_pages]!, count.tables, () => 'nr_page_table_pages');
  let allocated = 0;
  for (let pfn = 0; pfn < frames.count; pfn++) if (count.seen[pfn] === SEEN.allocated) allocated += 1;
  const given = vmstat[VMSTAT.pgalloc_dma]! + vmstat[VMSTAT.pgalloc_dma32]! + vmstat[VMSTAT.pgalloc_normal]! + vmstat[VMSTAT.pgalloc_high]!;
  // As in Linux, compaction's targets and CMA's runs are freed by a counted path but not taken by one: pgfree may run ahead by as many.
  const uncounted = vmstat[VMSTAT.pgmigrate_success]! + vmstat[VMSTAT.cma_alloc_success]! * (machine.cma?.count ?? 0);
  const out = given - vmstat[VMSTAT.pgfree]!;
  must(out <= allocated && out >= allocated - uncounted, () => `pgalloc_* − pgfree is ${out}, pages given out ${allocated}`);
  must(machine.contents.size * PAGE <= CONTENTS_MAX, () => 'contents are larger than 16 MiB');
  for (const [pfn, bytes] of machine.contents) {
    must(count.seen[pfn] === SEEN.allocated, () => `contents of frame ${pfn}, which is not allocated`);
    equal(bytes.length, PAGE, () => `contents of frame ${pfn}: bytes`);
  }
}
