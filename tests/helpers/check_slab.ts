/**
 * `checkSlab(m)`: what must be true of the slab allocators between two calls: every object in one place only, counts as the
 * lists say, every list both ways, who holds what, poison and red zones whole. It counts anew and trusts no total.
 */
import type { Machine } from '#kernel/machine.ts';
import { slabinfoLines } from '#kernel/fs/proc/slabinfo.ts';
import { HOLDER, ON, SLAB, type Cache, type Slab, type SlabList } from '#kernel/mm/slab_types.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { PG } from '#kernel/types.ts';
import { Broken } from './check.ts';

const PAGE = 4096;

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

function equal(actual: unknown, expected: unknown, what: () => string): void {
  if (actual !== expected) throw new Broken(`${what()}: is ${String(actual)}, counted ${String(expected)}`);
}

interface Count {
  /** Slabs of each cache. */
  of: Map<number, Slab[]>;
  /** Bytes and objects that each process holds. */
  bytes: Map<number, number>;
  objects: Map<number, number>;
  /** Objects that the allocator itself and the reserves of pools hold. */
  descriptors: number;
  reserved: number;
}

const NO_SLABS: Slab[] = [];

export function checkSlab(machine: Machine): void {
  const count: Count = { of: new Map(), bytes: new Map(), objects: new Map(), descriptors: 0, reserved: 0 };
  for (const [pfn, slab] of machine.slab.slabs) {
    equal(slab.pfn, pfn, () => `slab ${pfn}: its frame`);
    must(machine.slab.caches.has(slab.cache), () => `slab ${pfn} is of cache ${slab.cache}, which is gone`);
    const slabs = count.of.get(slab.cache);
    if (slabs) slabs.push(slab);
    else count.of.set(slab.cache, [slab]);
  }
  for (const [id, cache] of machine.slab.caches) {
    equal(cache.id, id, () => `cache ${cache.name}: its number`);
    checkCache(machine, cache, count);
  }
  checkFrames(machine);
  checkHandles(machine);
  checkPools(machine, count);
  checkDescriptors(machine, count);
  checkHolders(machine, count);
  checkTotals(machine);
}

const objectOf = (slab: Slab, cache: Cache, index: number): number => slab.pfn * PAGE + slab.start + index * cache.size + cache.offset;

/** Who holds the object that starts just there; throws when none does. */
function holderAt(machine: Machine, phys: number, what: string): number {
  for (let order = 0; order <= 10; order++) {
    const slab = machine.slab.slabs.get(Math.floor(phys / PAGE / 2 ** order) * 2 ** order);
    if (slab === undefined || slab.order < order) continue;
    const cache = machine.slab.caches.get(slab.cache)!;
    const index = (phys - objectOf(slab, cache, 0)) / cache.size;
    must(Number.isInteger(index) && index >= 0 && index < slab.objects, () => `${what} ${phys} is no object of ${cache.name}`);
    return slab.holder[index]!;
  }
  throw new Broken(`${what} ${phys} lies in no slab`);
}

function checkCache(machine: Machine, cache: Cache, count: Count): void {
  const says = () => `cache ${cache.name} (${cache.id})`;
  const slabs = count.of.get(cache.id) ?? NO_SLABS;
  must(
    cache.offset + cache.inuse <= cache.size && cache.objectSize <= cache.inuse,
    () => `${says()}: an object does not fit into its place`,
  );
  must((cache.slub === null) !== (cache.slab === null), () => `${says()}: of both allocators, or of none`);
  const free = cache.slub !== null ? freeOfSlub(machine, cache, slabs) : freeOfSlab(machine, cache, slabs);
  let [total, pages, live, asked] = [0, 0, 0, 0];
  for (const slab of slabs) {
    checkSlabOf(machine, cache, slab, free);
    total += slab.objects;
    pages += 2 ** slab.order;
    for (let index = 0; index < slab.objects; index++) {
      const holder = slab.holder[index]!;
      if (holder === HOLDER.none || holder === HOLDER.lost) continue;
      live += 1;
      asked += slab.asked[index] ?? 0;
      note(holder, cache, count);
    }
  }
  equal(cache.slabs, slabs.length, () => `${says()}: slabs`);
  equal(cache.total, total, () => `${says()}: objects in all slabs`);
  equal(cache.pages, pages, () => `${says()}: pages`);
  equal(cache.live, live, () => `${says()}: objects in use`);
  equal(cache.asked, asked, () => `${says()}: bytes asked for`);
}

function note(holder: number, cache: Cache, count: Count): void {
  if (holder === HOLDER.allocator) count.descriptors += 1;
  else if (holder < 0) count.reserved += 1;
  if (holder <= 0) return;
  count.bytes.set(holder, (count.bytes.get(holder) ?? 0) + cache.size);
  count.objects.set(holder, (count.objects.get(holder) ?? 0) + 1);
}

/** One slab: its frames, its chain of free objects, and that every free object is in one place only. `free` are those elsewhere. */
function checkSlabOf(machine: Machine, cache: Cache, slab: Slab, free: ReadonlySet<number>): void {
  const says = () => `slab ${slab.pfn} of ${cache.name}`;
  const bytes = PAGE * 2 ** slab.order;
  const { frames } = machine;
  equal(frames.flags[slab.pfn], PG.head | PG.slab, () => `${says()}: flags of its frame`);
  equal(frames.order[slab.pfn], slab.order, () => `${says()}: order of its frame`);
  equal(frames.owner[slab.pfn], 0, () => `${says()}: owner of its frame`);
  must(slab.pfn + 2 ** slab.order <= machine.config.layout.maxLowPfn, () => `${says()} has no address`);
  must(slab.start + slab.objects * cache.size <= bytes, () => `${says()}: its objects leave it`);
  equal(slab.objects, cache.slub !== null ? Math.floor(bytes / cache.size) : cache.objects, () => `${says()}: objects`);
  equal(slab.holder.length, slab.objects, () => `${says()}: holders`);
  const isChained = new Uint8Array(slab.objects);
  let chained = 0;
  for (let index = slab.free; index >= 0; index = slab.link[index]!) {
    if (index >= slab.objects || isChained[index] === 1) throw new Broken(`${says()}: the chain of free objects comes to ${index} again`);
    if (slab.holder[index] !== HOLDER.none)
      throw new Broken(`${says()}: ${index} is in the chain of free objects, and held by ${slab.holder[index]}`);
    isChained[index] = 1;
    chained += 1;
  }
  equal(slab.inuse, slab.objects - chained, () => `${says()}: objects in use`);
  const isChecked = (cache.flags & (SLAB.poison | SLAB.redZone)) !== 0;
  for (let index = 0; index < slab.objects; index++) {
    const isElsewhere = free.size > 0 && free.has(objectOf(slab, cache, index));
    if (isElsewhere && isChained[index] === 1) throw new Broken(`${says()}: object ${index} is free twice`);
    const isFree = slab.holder[index] === HOLDER.none;
    if (isFree !== (isChained[index] === 1 || isElsewhere))
      throw new Broken(`${says()}: object ${index}, held by ${slab.holder[index]}, is free, or not`);
    if (isChecked) checkDebug(machine, cache, slab, index, isFree);
  }
}

/** Every slab of a list once, linked both ways. */
function checkList(machine: Machine, list: SlabList, on: number, what: () => string): Set<number> {
  const seen = new Set<number>();
  let before = -1;
  for (let pfn = list.head; pfn >= 0;) {
    const slab = machine.slab.slabs.get(pfn)!;
    must(slab !== undefined && !seen.has(pfn), () => `${what()}: comes to ${pfn}, which is no slab, or again`);
    seen.add(pfn);
    equal(slab.prev, before, () => `${what()}: link back of ${pfn}`);
    equal(slab.on, on, () => `${what()}: slab ${pfn} says that it is on`);
    before = pfn;
    pfn = slab.next;
  }
  equal(list.tail, before, () => `${what()}: end`);
  equal(list.length, seen.size, () => `${what()}: length`);
  return seen;
}

function freeOfSlub(machine: Machine, cache: Cache, slabs: readonly Slab[]): Set<number> {
  const lists = cache.slub!;
  const says = () => `cache ${cache.name}`;
  const isChecked = (cache.flags & (SLAB.poison | SLAB.redZone)) !== 0;
  const partial = checkList(machine, lists.partial, ON.partial, () => `${says()}, partial`);
  const chain: number[] = [];
  for (let pfn = lists.cpuPartial; pfn >= 0; pfn = machine.slab.slabs.get(pfn)!.next) chain.push(pfn);
  chain.forEach((pfn, at) => {
    const slab = machine.slab.slabs.get(pfn)!;
    equal(slab.on, ON.cpuPartial, () => `${says()}: ${pfn} is on the CPU's partial list, it says`);
    equal(slab.behind, chain.length - at, () => `${says()}: slabs from ${pfn} on`);
  });
  must(!isChecked || (chain.length === 0 && lists.cpuSlab < 0), () => `${says()}: with debugging the CPU keeps nothing`);
  for (const slab of slabs) {
    const isOnCpu = slab.pfn === lists.cpuSlab;
    equal(slab.on === ON.cpu, isOnCpu, () => `slab ${slab.pfn} is the CPU's`);
    equal(slab.on === ON.partial, partial.has(slab.pfn), () => `slab ${slab.pfn} is partial`);
    if (slab.on === ON.partial || slab.on === ON.cpuPartial) must(slab.free >= 0, () => `slab ${slab.pfn} is full and on a list`);
    if (slab.on === ON.none) equal(slab.free, -1, () => `slab ${slab.pfn} is on no list, its first free object`);
  }
  return new Set();
}

function freeOfSlab(machine: Machine, cache: Cache, slabs: readonly Slab[]): Set<number> {
  const lists = cache.slab!;
  const says = () => `cache ${cache.name}`;
  const full = checkList(machine, lists.full, ON.full, () => `${says()}, full`);
  const partial = checkList(machine, lists.partial, ON.partial, () => `${says()}, partial`);
  const empty = checkList(machine, lists.empty, ON.free, () => `${says()}, empty`);
  let free = 0;
  for (const slab of slabs) {
    const isFull = slab.free < 0;
    const list = isFull ? full : slab.inuse === 0 ? empty : partial;
    must(list.has(slab.pfn), () => `slab ${slab.pfn} of ${cache.name} with ${slab.inuse} of ${slab.objects} in use is on list ${slab.on}`);
    must(lists.descriptorCache >= 0 || slab.start >= lists.descriptorSize, () => `slab ${slab.pfn}: no room for its descriptor`);
    free += slab.objects - slab.inuse;
  }
  equal(lists.freeObjects, free, () => `${says()}: free objects in slabs`);
  must(lists.avail <= lists.limit && lists.sharedAvail <= lists.shared * lists.batchcount, () => `${says()}: an array is too full`);
  const inArrays = [...lists.entry.subarray(0, lists.avail), ...lists.sharedEntry.subarray(0, lists.sharedAvail)];
  equal(new Set(inArrays).size, inArrays.length, () => `${says()}: objects in arrays, each once`);
  return new Set(inArrays);
}

/** Are all bytes of [from, to) this one? */
function mustHold(machine: Machine, from: number, to: number, value: number, what: string): void {
  for (let at = from; at < to;) {
    const page = machine.contents.get(Math.floor(at / PAGE));
    const end = Math.min(to, (Math.floor(at / PAGE) + 1) * PAGE);
    for (; at < end; at++) {
      const byte = page === undefined ? 0 : page[at % PAGE]!;
      if (byte !== value) throw new Broken(`${what} at ${at}, byte ${at - from}: ${byte.toString(16)}, not ${value.toString(16)}`);
    }
  }
}

/** With debugging, free objects hold poison, and red zones are whole. */
function checkDebug(machine: Machine, cache: Cache, slab: Slab, index: number, isFree: boolean): void {
  if (slab.holder[index] === HOLDER.lost) return;
  const phys = objectOf(slab, cache, index);
  if (isFree && (cache.slub === null ? cache.flags & SLAB.poison : cache.flags & SLAB.objectPoison)) {
    const end = phys + (cache.slub === null ? cache.inuse : cache.objectSize);
    mustHold(machine, phys, end - 1, 0x6b, 'poison');
    mustHold(machine, end - 1, end, 0xa5, 'end of the poison');
  }
  if ((cache.flags & SLAB.redZone) === 0 || cache.slub === null) return;
  const red = isFree ? 0xbb : 0xcc;
  mustHold(machine, phys - cache.offset, phys, red, 'red zone on the left');
  mustHold(machine, phys + cache.objectSize, phys + cache.inuse, red, 'red zone on the right');
  must(cache.slub.freePointer + machine.config.slab.word <= cache.size, () => 'the pointer leaves the object');
}

/** Every frame that is marked as slab is a slab's, a large block's or a pool's, and the other way round. */
function checkFrames(machine: Machine): void {
  const { frames, slab } = machine;
  let known = slab.slabs.size + slab.large.size;
  for (const pool of slab.pools.values()) if (pool.cache < 0) known += pool.elements.length;
  let marked = 0;
  for (let pfn = 0; pfn < frames.count; pfn++) if ((frames.flags[pfn]! & (PG.head | PG.slab)) === (PG.head | PG.slab)) marked += 1;
  equal(marked, known, () => 'frames of the slab allocators');
  for (const [pfn, { order, asked }] of slab.large) {
    equal(frames.flags[pfn], PG.head | PG.slab, () => `large block ${pfn}: flags`);
    equal(frames.order[pfn], order, () => `large block ${pfn}: order`);
    must(asked <= PAGE * 2 ** order && asked > (order === 0 ? 0 : PAGE * 2 ** (order - 1)), () => `large block ${pfn}: ${asked} bytes`);
  }
}

function checkHandles(machine: Machine): void {
  const { handles, caches, chain, kmalloc } = machine.slab;
  const counts = new Map<number, number>();
  for (const { cache, owner } of handles.values()) {
    counts.set(cache, (counts.get(cache) ?? 0) + 1);
    must(owner === 0 || machine.tasks.has(owner), () => `a cache of ${owner}, who is dead`);
  }
  const boot = new Set(kmalloc.flat());
  if (machine.config.slab.allocator === 'slab') boot.add(1);
  if (machine.disk !== null) for (const id of [machine.disk.dcache.dentries, machine.disk.dcache.inodes]) boot.add(id);
  for (const cache of caches.values()) {
    const expected = boot.has(cache.id) ? 1 : (counts.get(cache.id) ?? 0);
    equal(cache.refcount, expected, () => `cache ${cache.name}: handles`);
    equal(cache.leaked, expected === 0, () => `cache ${cache.name} is leaked`);
    equal(chain.filter((id) => id === cache.id).length, cache.leaked ? 0 : 1, () => `cache ${cache.name}: times in the chain`);
    must(!cache.leaked || cache.live > 0, () => `cache ${cache.name} is leaked, and nobody uses it`);
  }
  for (const id of [...chain, ...counts.keys()]) must(caches.has(id), () => `cache ${id} is named and gone`);
}

function checkPools(machine: Machine, count: Count): void {
  let objects = 0;
  for (const [id, pool] of machine.slab.pools) {
    must(pool.owner === 0 || machine.tasks.has(pool.owner), () => `pool ${id} of ${pool.owner}, who is dead`);
    must(pool.elements.length <= pool.minNr, () => `pool ${id}: reserve`);
    equal(new Set(pool.elements).size, pool.elements.length, () => `pool ${id}: elements, each once`);
    for (const phys of pool.elements) {
      if (pool.cache >= 0) {
        equal(holderAt(machine, phys, `pool ${id}: element`), HOLDER.pool - id, () => `pool ${id}: holder of element ${phys}`);
        objects += 1;
        continue;
      }
      equal(machine.frames.owner[phys / PAGE], pool.owner, () => `pool ${id}: owner of element ${phys}`);
      equal(machine.frames.flags[phys / PAGE], PG.head | PG.slab, () => `pool ${id}: flags of element ${phys}`);
    }
    if (pool.cache >= 0) count.bytes.set(pool.owner, (count.bytes.get(pool.owner) ?? 0) + pool.elements.length * pool.bytes);
  }
  equal(count.reserved, objects, () => 'objects in reserves');
}

/** SLAB's descriptors: one for each slab with its descriptor elsewhere and for each cache that a call made. */
function checkDescriptors(machine: Machine, count: Count): void {
  const seen = new Set<number>();
  // Dentries and inodes are the kernel's own as well.
  for (const { dentry, object, path } of machine.disk?.inodes.values() ?? []) {
    for (const phys of [dentry, object]) {
      if (phys < 0) continue;
      equal(holderAt(machine, phys, path), HOLDER.allocator, () => `${path}: holder of object ${phys}`);
      seen.add(phys);
    }
  }
  if (machine.config.slab.allocator === 'slub') return equal(count.descriptors, seen.size, () => 'objects of the kernel');
  for (const { descriptor } of [...machine.slab.slabs.values(), ...machine.slab.caches.values()]) {
    if (descriptor < 0) continue;
    equal(holderAt(machine, descriptor, 'descriptor'), HOLDER.allocator, () => `holder of descriptor ${descriptor}`);
    seen.add(descriptor);
  }
  equal(count.descriptors, seen.size, () => 'descriptors');
}

function checkHolders(machine: Machine, count: Count): void {
  for (const pid of count.objects.keys()) must(machine.tasks.has(pid), () => `objects of ${pid}, who is dead`);
  const large = new Map<number, number>();
  for (const pfn of machine.slab.large.keys()) {
    const owner = machine.frames.owner[pfn]!;
    large.set(owner, (large.get(owner) ?? 0) + 1);
  }
  for (const task of machine.tasks.values()) {
    equal(task.objects.size, (count.objects.get(task.pid) ?? 0) + (large.get(task.pid) ?? 0), () => `pid ${task.pid}: objects`);
    for (const phys of task.objects) {
      const isLarge = machine.slab.large.has(phys / PAGE);
      const holder = isLarge ? machine.frames.owner[phys / PAGE] : holderAt(machine, phys, `object of ${task.pid}`);
      if (holder !== task.pid) throw new Broken(`pid ${task.pid}: object ${phys} is held by ${holder}`);
    }
    equal(task.kernelBytes, count.bytes.get(task.pid) ?? 0, () => `pid ${task.pid}: bytes of objects`);
  }
}

function checkTotals(machine: Machine): void {
  const { caches, large } = machine.slab;
  let [reclaimable, unreclaimable] = [0, 0];
  for (const cache of caches.values()) {
    if (cache.flags & SLAB.reclaimAccount) reclaimable += cache.pages;
    else unreclaimable += cache.pages;
  }
  for (const { order } of large.values()) unreclaimable += 2 ** order;
  equal(machine.vmstat[VMSTAT.nr_slab_reclaimable], reclaimable, () => 'nr_slab_reclaimable');
  equal(machine.vmstat[VMSTAT.nr_slab_unreclaimable], unreclaimable, () => 'nr_slab_unreclaimable');
  for (const line of slabinfoLines(machine)) {
    const says = () => `slabinfo, ${line.name}`;
    if (line.pages === line.slabs * line.pagesPerSlab) equal(line.objects, line.slabs * line.objectsPerSlab, () => `${says()}: num_objs`);
    must(line.activeObjects <= line.objects && line.activeSlabs <= line.slabs, () => `${says()}: more active than there are`);
  }
}
