/**
 * SLUB (mm/slub.c; spec §10): where slabs with free objects are kept, objects coming back, and slabs going.
 *
 * The CPU allocates from one slab of its own. Slabs that were full and got an object back wait on the CPU's partial list, a chain
 * of limited length; when it is full, all of it moves to the tail of the node's partial list. Full slabs are on no list at all.
 */
import type { Machine } from '../types.ts';
import { checkEmptySlab, freeDebug, isDebugged, linkDebug, listSlabObjects } from './slub_debug.ts';
import { addSlab, delSlab, destroySlab, pushFree, slabOf } from './slab_objects.ts';
import { NO_CPU_PARTIAL, ON, type Cache, type Slab } from './slab_types.ts';

/** Slabs with at most so many free objects are sorted by kmem_cache_shrink (SHRINK_PROMOTE_MAX). */
const SHRINK_PROMOTE_MAX = 32;

/** The frames of an empty slab go back (discard_slab). */
function discardSlab(machine: Machine, cache: Cache, slab: Slab): void {
  slab.on = ON.none;
  if (isDebugged(cache)) checkEmptySlab(machine, cache, slab);
  destroySlab(machine, cache, slab);
}

function addPartial(machine: Machine, cache: Cache, slab: Slab, toTail: boolean): void {
  addSlab(machine, cache.slub!.partial, slab, ON.partial, toTail);
}

/** Moves the CPU's partial list to the tail of the node's; what is empty goes when there are enough (__put_partials). */
function putPartials(machine: Machine, cache: Cache): void {
  const lists = cache.slub!;
  let pfn = lists.cpuPartial;
  lists.cpuPartial = -1;
  while (pfn >= 0) {
    const slab = slabOf(machine, pfn);
    pfn = slab.next;
    slab.next = -1;
    slab.behind = 0;
    slab.on = ON.none;
    if (slab.inuse === 0 && lists.partial.length >= lists.minPartial) discardSlab(machine, cache, slab);
    else addPartial(machine, cache, slab, true);
  }
}

/** A slab that has got its first free object goes before the others on the CPU's partial list; `drain`: a full list is emptied first (put_cpu_partial). */
export function putCpuPartial(machine: Machine, cache: Cache, slab: Slab, drain: boolean): void {
  const lists = cache.slub!;
  let behind = lists.cpuPartial < 0 ? 0 : slabOf(machine, lists.cpuPartial).behind;
  const isFull = drain && lists.cpuPartial >= 0 && behind >= lists.cpuPartialSlabs;
  const old = lists.cpuPartial;
  if (isFull) behind = 0;
  slab.behind = behind + 1;
  slab.on = ON.cpuPartial;
  if (isFull) putPartials(machine, cache);
  slab.next = isFull ? -1 : old;
  lists.cpuPartial = slab.pfn;
}

/** An object that nobody holds any more returns to its slab; false when debugging keeps it back (__slab_free). */
export function slubFree(machine: Machine, cache: Cache, slab: Slab, index: number): boolean {
  if (isDebugged(cache)) return freeToPartialList(machine, cache, slab, index);
  const wasFull = slab.free < 0;
  pushFree(slab, index);
  if (slab.on === ON.cpu) return true;
  const lists = cache.slub!;
  if (lists.cpuPartialSlabs === NO_CPU_PARTIAL) freeToNode26(machine, cache, slab, wasFull);
  else if (wasFull) putCpuPartial(machine, cache, slab, true);
  else if (slab.on === ON.partial && slab.inuse === 0 && lists.partial.length >= lists.minPartial) {
    delSlab(machine, lists.partial, slab);
    discardSlab(machine, cache, slab);
  }
  return true;
}

/** 2.6.32: a full slab that got an object back goes to the tail of the node's list, an empty one to the buddy at once. */
function freeToNode26(machine: Machine, cache: Cache, slab: Slab, wasFull: boolean): void {
  if (slab.inuse === 0) {
    if (!wasFull) delSlab(machine, cache.slub!.partial, slab);
    discardSlab(machine, cache, slab);
  } else if (wasFull) addPartial(machine, cache, slab, true);
}

/** With debugging every object goes to the node's list at once (free_to_partial_list). */
function freeToPartialList(machine: Machine, cache: Cache, slab: Slab, index: number): boolean {
  if (!freeDebug(machine, cache, slab, index)) return false;
  const { partial, minPartial } = cache.slub!;
  pushFree(slab, index);
  linkDebug(machine, cache, slab, index);
  const isSurplus = slab.inuse === 0 && partial.length >= minPartial;
  if (slab.on === ON.partial) {
    if (!isSurplus) return true;
    delSlab(machine, partial, slab);
  } else if (!isSurplus) addPartial(machine, cache, slab, true);
  if (isSurplus) discardSlab(machine, cache, slab);
  return true;
}

/** Takes the slab of the CPU from it: to the head of the partial list, to the buddy, or, full, to nowhere (deactivate_slab). */
export function deactivateSlab(machine: Machine, cache: Cache): void {
  const lists = cache.slub!;
  if (lists.cpuSlab < 0) return;
  const slab = slabOf(machine, lists.cpuSlab);
  lists.cpuSlab = -1;
  slab.on = ON.none;
  if (slab.inuse === 0 && lists.partial.length >= lists.minPartial) discardSlab(machine, cache, slab);
  else if (slab.free >= 0) addPartial(machine, cache, slab, false);
}

/** Everything that the CPU keeps goes to the node (flush_all). */
function flushAll(machine: Machine, cache: Cache): void {
  deactivateSlab(machine, cache);
  putPartials(machine, cache);
}

/** Gives back all empty slabs and puts the fullest first, so that the others have time to become empty (__kmem_cache_do_shrink). */
export function slubShrink(machine: Machine, cache: Cache): void {
  flushAll(machine, cache);
  const { partial } = cache.slub!;
  const promoted: Slab[][] = Array.from({ length: SHRINK_PROMOTE_MAX }, () => []);
  const empty: Slab[] = [];
  for (let pfn = partial.head; pfn >= 0;) {
    const slab = slabOf(machine, pfn);
    pfn = slab.next;
    const free = slab.objects - slab.inuse;
    if (slab.inuse === 0) empty.push(slab);
    else if (free <= SHRINK_PROMOTE_MAX) promoted[free - 1]!.push(slab);
    else continue;
    delSlab(machine, partial, slab);
  }
  // Each bucket was filled at its head and goes to the head as it is; the fullest slabs last, so first.
  for (let free = SHRINK_PROMOTE_MAX; free >= 1; free--) {
    for (const slab of promoted[free - 1]!) addPartial(machine, cache, slab, false);
  }
  for (let i = empty.length - 1; i >= 0; i--) discardSlab(machine, cache, empty[i]!);
}

/** Frees what is free; false, with a report, when objects are left (__kmem_cache_shutdown). */
export function slubShutdown(machine: Machine, cache: Cache): boolean {
  flushAll(machine, cache);
  const { partial } = cache.slub!;
  const empty: Slab[] = [];
  for (let pfn = partial.head; pfn >= 0;) {
    const slab = slabOf(machine, pfn);
    pfn = slab.next;
    if (slab.inuse > 0) {
      listSlabObjects(machine, cache, slab);
      continue;
    }
    delSlab(machine, partial, slab);
    empty.push(slab);
  }
  for (let i = empty.length - 1; i >= 0; i--) discardSlab(machine, cache, empty[i]!);
  return cache.slabs === 0;
}
