/** kmalloc and its family, kmem_cache_…, virt_to_phys, phys_to_virt: bytes for the kernel and its drivers. */
import { directPhys } from '../arch/layout.ts';
import { address, BadArgument, flags, gfp, int, optional, positiveBytes, SIZE_MAX, type Argument } from '../args.ts';
import { GFP_BIT, GFP_KERNEL } from '../gfp.ts';
import { freePages } from '../mm/mmzone.ts';
import { getOrder, pfnOf, physOf } from '../mm/slab_bytes.ts';
import {
  allocObject,
  CACHES_MAX,
  kmallocCache,
  kmallocLarge,
  kmemCacheCreate,
  NAME_TAKEN,
  TOO_LARGE,
  ZERO_SIZE_PTR,
} from '../mm/slab_common.ts';
import { reportSlabDoubleFree } from '../mm/slab_debug.ts';
import { cacheOf, freeLarge, objectIndex, objectPhys, slabAt } from '../mm/slab_objects.ts';
import { ASKER_KILLED, slabGfp, slabWhy, WOULD_SLEEP } from '../mm/slab_pages.ts';
import { destroyHandle, freeObject, nameOf, shrinkCache } from '../mm/slab_release.ts';
import { HOLDER, SLAB, SLAB_FLAGS, type Cache, type CacheHandle, type Slab } from '../mm/slab_types.ts';
import { isDebugged, reportDoubleFree, reportInvalidPointer } from '../mm/slub_debug.ts';
import type { Addr, Answer, Machine, Pid, Refused, Task } from '../types.ts';
import { badArgument, granted, oomKilled, refused } from './answer.ts';

const pidOf = (task: Task | null): Pid => task?.pid ?? 0;
export const isRoot = (machine: Machine, task: Task | null): boolean => task === null || machine.config.root.includes(task.pid);
const ANY = int(1, 0x7fffffff);

/** A request for an object or for pages that was not served. `order` is what it would have needed. */
export function noObject(machine: Machine, outcome: number, order: number, gfpBits: number): Refused {
  if (outcome === ASKER_KILLED) return oomKilled(machine);
  if (outcome === WOULD_SLEEP) return refused('EAGAIN', { code: 'WOULD_SLEEP', order, freePages: freePages(machine.zones) });
  return refused('ENOMEM', slabWhy(machine, outcome, order, gfpBits));
}

const direct = (machine: Machine, phys: number): Addr => machine.config.layout.pageOffset + phys;

export const kmallocArgs = { size: int(0, SIZE_MAX), gfp };

export function sysKmalloc(machine: Machine, task: Task | null, size: number, gfpBits: number): Answer {
  if (size === 0) return { ok: true, addr: ZERO_SIZE_PTR, cost: 0 };
  const { allocator } = machine.config.slab;
  const cache = kmallocCache(machine, size, gfpBits);
  if (cache === null) {
    const order = getOrder(size);
    const { maxOrder } = machine.config;
    if (order > maxOrder || allocator === 'slab') return refused('ENOMEM', { code: 'ORDER_TOO_LARGE', order, maxOrder });
    const phys = kmallocLarge(machine, size, gfpBits, pidOf(task));
    return phys < 0 ? noObject(machine, phys, order, gfpBits) : { ok: true, addr: direct(machine, phys), cost: 0 };
  }
  const phys = allocObject(machine, cache, gfpBits, pidOf(task), size);
  return phys < 0 ? noObject(machine, phys, cache.minOrder, slabGfp(cache, gfpBits)) : { ok: true, addr: direct(machine, phys), cost: 0 };
}

export function sysKzalloc(machine: Machine, task: Task | null, size: number, gfpBits: number): Answer {
  return sysKmalloc(machine, task, size, gfpBits | GFP_BIT.__GFP_ZERO);
}

/** An object that somebody holds. */
export interface Held {
  slab: Slab;
  cache: Cache;
  index: number;
}

/** No such object: with debugging the kernel says what it thinks of the pointer. */
function notAnObject(machine: Machine, slab: Slab, phys: number, addr: Addr): Refused {
  const cache = cacheOf(machine, slab);
  if (cache.slub !== null && isDebugged(cache)) reportInvalidPointer(machine, cache, slab, phys);
  return refused('EINVAL', { code: 'NOT_AN_OBJECT', addr });
}

/** The object is free already: without debugging Linux would spoil its list of free objects here and go on. */
// Simplified: a double free is always found and refused; only its report needs debugging.
function doubleFree(machine: Machine, { slab, cache, index }: Held, addr: Addr): Refused {
  if (cache.slub === null) reportSlabDoubleFree(machine, cache, objectPhys(cache, slab, index));
  else if (isDebugged(cache)) reportDoubleFree(machine, cache, slab, index);
  return refused('EINVAL', { code: 'DOUBLE_FREE', addr });
}

/** A slab's place that an address lies in; `index` is -1 where no object starts. */
interface Place extends Held {
  phys: number;
}

function placeAt(machine: Machine, addr: Addr): Place | Refused {
  const phys = directPhys(machine.config.layout, addr);
  if (phys < 0) return refused('EFAULT', { code: 'NOT_IN_DIRECT_MAP', addr });
  const slab = slabAt(machine, phys);
  if (slab === undefined) return refused('EINVAL', { code: 'NOT_AN_OBJECT', addr });
  const cache = cacheOf(machine, slab);
  return { slab, cache, index: objectIndex(cache, slab, phys), phys };
}

/** The object at an address, if the caller may give it back. */
export function heldObject(machine: Machine, task: Task | null, addr: Addr): Held | Refused {
  const place = placeAt(machine, addr);
  if (!('slab' in place)) return place;
  const { slab, index, phys } = place;
  if (index < 0) return notAnObject(machine, slab, phys, addr);
  const holder = slab.holder[index]!;
  if (holder === HOLDER.allocator) return refused('EINVAL', { code: 'NOT_AN_OBJECT', addr });
  if (holder < 0) return doubleFree(machine, place, addr);
  if (holder === pidOf(task) || isRoot(machine, task)) return place;
  return refused('EPERM', { code: 'NOT_OWNER', pfn: pfnOf(phys), owner: holder });
}

/** Gives back an object; debugging may find that it was written beyond, and then it is not freed. */
export function freed(machine: Machine, { slab, cache, index }: Held, addr: Addr): Answer {
  return freeObject(machine, cache, slab, index) ? granted() : refused('EFAULT', { code: 'OBJECT_OVERWRITTEN', addr });
}

export const addrArgs = { addr: address };

/** kfree(NULL) and kfree(ZERO_SIZE_PTR) do nothing. */
export function sysKfree(machine: Machine, task: Task | null, addr: Addr): Answer {
  if (addr === 0 || addr === ZERO_SIZE_PTR) return granted();
  const large = largeAt(machine, addr);
  if (large < 0) {
    const held = heldObject(machine, task, addr);
    return 'slab' in held ? freed(machine, held, addr) : held;
  }
  const holder = machine.frames.owner[large]!;
  if (holder !== pidOf(task) && !isRoot(machine, task)) return refused('EPERM', { code: 'NOT_OWNER', pfn: large, owner: holder });
  freeLarge(machine, large);
  machine.cost += machine.config.costs.free_block!;
  return granted();
}

/** Head frame of the kmalloc of pages that starts at an address, −1 if none does. */
function largeAt(machine: Machine, addr: Addr): number {
  const phys = directPhys(machine.config.layout, addr);
  const pfn = pfnOf(phys);
  return phys >= 0 && machine.slab.large.has(pfn) && physOf(pfn) === phys ? pfn : -1;
}

/** What an object really has: all of its class, unless something of the allocator's lies behind it (slab_ksize). */
function roomOf(cache: Cache): number {
  if (cache.slub === null) return cache.inuse;
  return isDebugged(cache) ? cache.objectSize : cache.size;
}

export function sysKsize(machine: Machine, _task: Task | null, addr: Addr): Answer {
  if (addr === 0 || addr === ZERO_SIZE_PTR) return granted({ size: 0 });
  const large = largeAt(machine, addr);
  if (large >= 0) return granted({ size: physOf(1 << machine.slab.large.get(large)!.order) });
  const place = placeAt(machine, addr);
  if (!('slab' in place)) return place;
  const { slab, cache, index } = place;
  return index >= 0 && slab.holder[index]! >= 0 ? granted({ size: roomOf(cache) }) : refused('EINVAL', { code: 'NOT_AN_OBJECT', addr });
}

/** Only addresses of the direct map have a physical address that is a subtraction away. */
export function sysVirtToPhys(machine: Machine, _task: Task | null, addr: Addr): Answer {
  const phys = directPhys(machine.config.layout, addr);
  return phys < 0 ? refused('EFAULT', { code: 'NOT_IN_DIRECT_MAP', addr }) : granted({ phys });
}

export const physArgs = { phys: int(0, SIZE_MAX) };

export function sysPhysToVirt(machine: Machine, _task: Task | null, phys: number): Answer {
  const isMapped = phys < physOf(machine.config.layout.maxLowPfn);
  return isMapped ? granted({ addr: direct(machine, phys) }) : refused('EFAULT', { code: 'NO_KERNEL_ADDRESS', phys });
}

const NAME = /^[!-~]{1,63}$/;
const badName = new BadArgument('1 to 63 printable characters without spaces');
const cacheName: Argument<string> = {
  parse: (value) => (typeof value === 'string' && NAME.test(value) ? value : badName),
  optional: false,
};
const badFlag = new BadArgument('true or false');
const truth: Argument<boolean> = { parse: (value) => (typeof value === 'boolean' ? value : badFlag), optional: false };

export const cacheCreateArgs = {
  name: cacheName,
  size: positiveBytes,
  align: optional(int(0, 4096)),
  flags: optional(flags(SLAB_FLAGS)),
  ctor: optional(truth),
};

export function sysCacheCreate(machine: Machine, task: Task | null, name: string, size: number, align = 0, bits = 0, ctor = false): Answer {
  if ((align & (align - 1)) !== 0) return badArgument('align', 'a power of two');
  const { config, slab } = machine;
  if (config.slab.allocator === 'slab' && size < 4) return badArgument('size', 'at least a word');
  if (slab.handles.size >= CACHES_MAX) return refused('ENOMEM', { code: 'TOO_MANY_CACHES', limit: CACHES_MAX });
  const wish = { objectSize: size, align, flags: bits & ~SLAB.kmalloc, ctor };
  const cache = kmemCacheCreate(machine, pidOf(task), name, wish);
  if (cache === NAME_TAKEN) return refused('EEXIST', { code: 'CACHE_EXISTS', name });
  if (cache === TOO_LARGE) return refused('ENOMEM', { code: 'ORDER_TOO_LARGE', order: getOrder(size), maxOrder: config.maxOrder });
  return cache < 0 ? noObject(machine, cache, 0, GFP_KERNEL) : granted({ cache });
}

/** The cache behind a handle, or that there is none. */
function idOf(machine: Machine, id: number): { handle: CacheHandle; cache: Cache } | Refused {
  const handle = machine.slab.handles.get(id);
  if (handle === undefined) return refused('EINVAL', { code: 'NO_SUCH_CACHE', cache: id });
  return { handle, cache: machine.slab.caches.get(handle.cache)! };
}

export const cacheAllocArgs = { cache: ANY, gfp: optional(gfp) };

export function sysCacheAlloc(machine: Machine, task: Task | null, id: number, gfpBits = GFP_KERNEL): Answer {
  const found = idOf(machine, id);
  if (!('handle' in found)) return found;
  const { cache } = found;
  const phys = allocObject(machine, cache, gfpBits, pidOf(task), cache.objectSize);
  return phys < 0 ? noObject(machine, phys, cache.minOrder, slabGfp(cache, gfpBits)) : { ok: true, addr: direct(machine, phys), cost: 0 };
}

export const cacheFreeArgs = { cache: ANY, addr: address };

export function sysCacheFree(machine: Machine, task: Task | null, id: number, addr: Addr): Answer {
  const found = idOf(machine, id);
  if (!('handle' in found)) return found;
  const held = heldObject(machine, task, addr);
  if (!('slab' in held)) return held;
  if (held.cache === found.cache) return freed(machine, held, addr);
  return refused('EINVAL', { code: 'WRONG_CACHE', addr, cache: found.cache.name, of: held.cache.name });
}

export const cacheArgs = { cache: ANY };

export function sysCacheShrink(machine: Machine, _task: Task | null, id: number): Answer {
  const found = idOf(machine, id);
  if (!('handle' in found)) return found;
  const { slabs } = found.cache;
  shrinkCache(machine, found.cache);
  machine.cost += machine.config.costs.free_block! * (slabs - found.cache.slabs);
  return granted();
}

export function sysCacheDestroy(machine: Machine, task: Task | null, id: number): Answer {
  const found = idOf(machine, id);
  if (!('handle' in found)) return found;
  const { owner } = found.handle;
  if (owner !== pidOf(task) && !isRoot(machine, task)) return refused('EPERM', { code: 'NOT_CACHE_OWNER', cache: id, owner });
  const { live: objects, slabs } = found.cache;
  machine.cost += machine.config.costs.free_block! * slabs;
  return destroyHandle(machine, id, nameOf(pidOf(task))) ? granted() : refused('EBUSY', { code: 'CACHE_BUSY', cache: id, objects });
}
