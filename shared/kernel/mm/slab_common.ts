/**
 * Caches, of whichever allocator (mm/slab_common.c; spec §9, §10): made, merged and found; objects out of them; kmalloc, which is a
 * family of caches by size.
 */
import { GFP_BIT, GFP_KERNEL } from '../gfp.ts';
import { printk } from '../kernel/printk.ts';
import type { Machine, MachineConfig, Pid } from '../types.ts';
import { allocDescriptor, slabAlloc, slabCache } from './slab.ts';
import { fillBytes, getOrder, physOf } from './slab_bytes.ts';
import { alignUp, fls } from './slab_geometry.ts';
import { freeDescriptor } from './slab_free.ts';
import { hold, holdLarge, objectIndex, slabAt } from './slab_objects.ts';
import { fixFlags, slabPages } from './slab_pages.ts';
import { leakCache } from './slab_release.ts';
import { SLAB, type Cache, type CacheWish, type SlabState } from './slab_types.ts';
import { mergeSize, slubAlloc, slubCache } from './slub.ts';

/** Caches that a machine may have beside its own. */
export const CACHES_MAX = 1024;

/** kmalloc(0): an address that faults, but that kfree takes (ZERO_SIZE_PTR). */
export const ZERO_SIZE_PTR = 16;

/** Caches never merge that are checked, or that ask not to; and only with caches that have the same of the others. */
const NEVER_MERGE = SLAB.poison | SLAB.redZone | SLAB.noMerge;
const MERGE_SAME = SLAB.reclaimAccount | SLAB.cacheDma;

/** Families of kmalloc: by what the flags ask for. */
export const FAMILY = { normal: 0, reclaimable: 1, dma: 2 } as const;
const SLUB_NAMES = ['kmalloc-', 'kmalloc-rcl-', 'dma-kmalloc-'];
const FAMILY_FLAGS = [0, SLAB.reclaimAccount, SLAB.cacheDma];
/** SLUB's classes in the order in which they are made; the class of a size is kmallocClass(). */
const SLUB_CLASSES = [96, 192, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];
const SLAB_MIN = 32;

export function createSlabState(): SlabState {
  return {
    caches: new Map(),
    chain: [],
    nextCache: 1,
    handles: new Map(),
    nextHandle: 1,
    kmalloc: [],
    slabs: new Map(),
    large: new Map(),
    pools: new Map(),
    nextPool: 1,
    errors: 0,
  };
}

/** Place of a class among those of its family: 1 for 96, 2 for 192, else the exponent (kmalloc_index). */
export function kmallocClass(size: number): number {
  if (size <= 8) return 3;
  if (size > 64 && size <= 96) return 1;
  if (size > 128 && size <= 192) return 2;
  return fls(size - 1);
}

/** What SLAB adds to a cache with debugging on: no red zones where they would double an object's room (kmem_cache_create, FORCED_DEBUG). */
function debugFlags(config: MachineConfig, size: number): number {
  if (!config.slab.debug) return 0;
  const doubles = size >= 4096 && fls(size - 1) !== fls(size - 1 + 24);
  return config.slab.allocator === 'slab' && doubles ? SLAB.poison : SLAB.poison | SLAB.redZone;
}

/** Sizes and lists of a cache, and its place at the head of the chain; null when no slab can hold an object. */
function addCache(machine: Machine, name: string, wish: CacheWish): Cache | null {
  const state = machine.slab;
  const id = state.nextCache;
  const full = { ...wish, flags: wish.flags | debugFlags(machine.config, wish.objectSize) };
  const isSlub = machine.config.slab.allocator === 'slub';
  const slub = isSlub ? slubCache(machine, full) : null;
  const slab = isSlub ? null : slabCache(machine, full, id);
  const made = slub ?? slab;
  if (made === null) return null;
  const cache: Cache = {
    id,
    name,
    objectSize: wish.objectSize,
    ...made.sizes,
    ctor: wish.ctor,
    refcount: 1,
    leaked: false,
    descriptor: -1,
    slabs: 0,
    total: 0,
    pages: 0,
    live: 0,
    asked: 0,
    slub: slub?.lists ?? null,
    slab: slab?.lists ?? null,
  };
  if (slab !== null && cache.flags & SLAB.offSlab) slab.lists.descriptorCache = generalCache(machine, slab.lists.descriptorSize);
  state.nextCache += 1;
  state.caches.set(id, cache);
  state.chain.unshift(id);
  return cache;
}

/** SLAB's cache for descriptors of so many bytes (kmem_find_general_cachep). */
function generalCache(machine: Machine, size: number): number {
  for (const id of machine.slab.kmalloc[FAMILY.normal]!) if (id > 0 && machine.slab.caches.get(id)!.objectSize >= size) return id;
  return -1;
}

/** One class of one family of kmalloc; a machine whose largest block is too small for it does without. */
function addKmalloc(machine: Machine, family: number, place: number, name: string, size: number, align: number, flags: number): void {
  const { kmalloc } = machine.slab;
  const list = (kmalloc[family] ??= []);
  while (list.length <= place) list.push(0);
  list[place] = addCache(machine, name, { objectSize: size, align, flags: flags | SLAB.kmalloc, ctor: false })?.id ?? 0;
}

/** kmalloc-8 to kmalloc-8k, and the same for reclaimable memory and for DMA (create_kmalloc_caches). */
function bootSlub(machine: Machine, hasDma: boolean): void {
  if (machine.config.rules === '2.6.32') {
    bootSlub26(machine, hasDma);
    return;
  }
  for (let family = FAMILY.normal; family <= (hasDma ? FAMILY.dma : FAMILY.reclaimable); family++) {
    for (const size of SLUB_CLASSES) {
      const name = SLUB_NAMES[family]! + (size < 1024 ? size : `${size / 1024}k`);
      // As large as the size's lowest bit: objects of a power of two lie at multiples of it.
      addKmalloc(machine, family, kmallocClass(size), name, size, size & -size, FAMILY_FLAGS[family]!);
    }
  }
}

/** 2.6.32 names its classes in bytes, and knows no reclaimable ones. */
// Simplified: its caches for DMA are there from boot; 2.6.32 makes each when it is first asked for.
function bootSlub26(machine: Machine, hasDma: boolean): void {
  machine.slab.kmalloc = [[], []];
  for (const size of SLUB_CLASSES) addKmalloc(machine, FAMILY.normal, kmallocClass(size), `kmalloc-${size}`, size, 8, 0);
  if (!hasDma) return;
  for (const size of SLUB_CLASSES) {
    addKmalloc(machine, FAMILY.dma, kmallocClass(size), `kmalloc_dma-${size}`, size, 8, SLAB.cacheDma);
  }
}

/** Place of a class of SLAB among its family's: two a power of two, the second for 96 and 192. */
function slabClass(size: number): number {
  const bits = fls(Math.max(size, SLAB_MIN) - 1);
  const isBetween = (size > 64 && size <= 96) || (size > 128 && size <= 192);
  return isBetween ? 2 * bits - 1 : 2 * bits;
}

/** Classes of SLAB by size: 96 and 192 only where they spare cache lines. */
function slabSizes(config: MachineConfig): number[] {
  const { cacheLine } = config.slab;
  const sizes: number[] = [];
  for (let size = SLAB_MIN; size <= 4096 << config.maxOrder; size *= 2) {
    sizes.push(size);
    if (size === 64 && cacheLine < 64) sizes.push(96);
    if (size === 128 && cacheLine < 128) sizes.push(192);
  }
  return sizes;
}

/** cache_cache, then size-32 and size-64, which the first caches need themselves, then the others, each with its twin for DMA (kmem_cache_init). */
function bootSlab(machine: Machine, hasDma: boolean): void {
  const { slab } = machine.config;
  addCache(machine, 'kmem_cache', { objectSize: descriptorBytes(slab.cpus), align: slab.cacheLine, flags: 0, ctor: false });
  const flags = SLAB.hwcacheAlign;
  machine.slab.kmalloc = [[], []];
  const add = (family: number, size: number) => {
    const isDma = family === FAMILY.dma;
    const [list, name] = isDma ? [1, `size-${size}(DMA)`] : [0, `size-${size}`];
    addKmalloc(machine, list, slabClass(size), name, size, 8, isDma ? flags | SLAB.cacheDma : flags);
  };
  const sizes = slabSizes(machine.config);
  add(FAMILY.normal, 32);
  add(FAMILY.normal, 64);
  for (const size of sizes) {
    if (size !== 32 && size !== 64) add(FAMILY.normal, size);
    if (hasDma) add(FAMILY.dma, size);
  }
}

/** struct kmem_cache of 2.6.32 on i386: 104 bytes and a pointer for each CPU. */
const descriptorBytes = (cpus: number): number => 104 + 4 * cpus;

/** The caches that every machine has. They hold no slab until somebody uses them. */
// Simplified: SLUB's kmem_cache and kmem_cache_node, which hold the descriptors of caches, are left out.
export function bootCaches(machine: Machine): void {
  const hasDma = machine.config.zones.dma > 0;
  if (machine.config.slab.allocator === 'slub') bootSlub(machine, hasDma);
  else bootSlab(machine, hasDma);
  if (machine.disk !== null) bootFiles(machine);
}

/** Bytes of a dentry, and of an inode of ext4 in memory, by the size of a word: of 64 bits 6.x, as slabinfo has them; of 32 bits a dentry of 2.6.1x. */
// Simplified: an ext4 inode of 32 bits is a little more than half of the other, by estimate. Its constructor is left out, which costs eight
// bytes of room (for the pointer to the next free object) and would fill memory with what nobody reads.
const FILE_SIZES = { 4: [132, 620], 8: [192, 1128] } as const;

/** The caches of dentries and inodes, on a machine with a disk (dcache_init, ext4's init_inodecache). */
function bootFiles(machine: Machine): void {
  const { dcache } = machine.disk!;
  const [dentry, inode] = FILE_SIZES[machine.config.slab.word];
  const add = (name: string, objectSize: number): number =>
    addCache(machine, name, { objectSize, align: 0, flags: SLAB.reclaimAccount | SLAB.noMerge, ctor: false })!.id;
  dcache.dentries = add('dentry', dentry);
  dcache.inodes = add('ext4_inode_cache', inode);
}

/** The oldest cache that can serve a request for a new one as well (find_mergeable). */
function findMergeable(machine: Machine, wish: CacheWish): Cache | null {
  const { slab, config } = machine;
  const flags = wish.flags | debugFlags(config, wish.objectSize);
  if (config.slab.allocator !== 'slub' || wish.ctor || flags & NEVER_MERGE) return null;
  const { size, align } = mergeSize(machine, wish);
  for (let i = slab.chain.length - 1; i >= 0; i--) {
    const cache = slab.caches.get(slab.chain[i]!)!;
    if (cache.ctor || cache.flags & (NEVER_MERGE | SLAB.kmalloc) || size > cache.size) continue;
    if ((flags & MERGE_SAME) !== (cache.flags & MERGE_SAME) || cache.size % align !== 0) continue;
    if (cache.size - size < config.slab.word) return cache;
  }
  return null;
}

function addHandle(machine: Machine, cache: Cache, name: string, owner: Pid): number {
  const { slab } = machine;
  const id = slab.nextHandle;
  slab.nextHandle += 1;
  slab.handles.set(id, { cache: cache.id, name, owner });
  return id;
}

const isNameTaken = (machine: Machine, name: string): boolean =>
  machine.slab.chain.some((id) => machine.slab.caches.get(id)!.name === name);

/** No cache: its name is taken (SLAB), or no slab can hold such an object. Else what allocPages says. */
export const NAME_TAKEN = -20;
export const TOO_LARGE = -21;

/** A new cache, or another handle of one that does as well (kmem_cache_create): the handle, or why not. */
export function kmemCacheCreate(machine: Machine, pid: Pid, name: string, wish: CacheWish): number {
  const isSlub = machine.config.slab.allocator === 'slub';
  const isTaken = isNameTaken(machine, name);
  if (isTaken && !isSlub) return NAME_TAKEN;
  if (wish.objectSize > 4096 << machine.config.maxOrder) return TOO_LARGE;
  if (isTaken) printk(machine, `kmem_cache of name '${name}' already exists`);
  const same = findMergeable(machine, wish);
  if (same !== null) {
    same.refcount += 1;
    same.objectSize = Math.max(same.objectSize, wish.objectSize);
    same.inuse = Math.max(same.inuse, alignUp(wish.objectSize, machine.config.slab.word));
    return addHandle(machine, same, name, pid);
  }
  const descriptor = isSlub ? -1 : newDescriptor(machine, pid);
  if (descriptor < -1) return descriptor;
  const cache = addCache(machine, name, wish);
  if (cache === null) {
    if (descriptor >= 0) freeDescriptor(machine, descriptor);
    return TOO_LARGE;
  }
  cache.descriptor = descriptor;
  return addHandle(machine, cache, name, pid);
}

/** SLAB keeps the descriptors of caches in a cache of their own, cache_cache. */
function newDescriptor(machine: Machine, pid: Pid): number {
  return allocDescriptor(machine, CACHE_CACHE, descriptorBytes(machine.config.slab.cpus), GFP_KERNEL, pid);
}

/** Number of SLAB's first cache. */
export const CACHE_CACHE = 1;

/** Physical address of an object for a process (0: the kernel), or why there is none. `asked` bytes are what it wants of it. */
export function allocObject(machine: Machine, cache: Cache, gfp: number, pid: Pid, asked: number): number {
  // The process that made the cache may be the OOM killer's victim meanwhile.
  cache.refcount += 1;
  const phys = cache.slub !== null ? slubAlloc(machine, cache, gfp, pid, asked) : slabAlloc(machine, cache, gfp, pid);
  cache.refcount -= 1;
  if (phys < 0) {
    if (cache.refcount === 0) leakCache(machine, cache);
    return phys;
  }
  const slab = slabAt(machine, phys)!;
  hold(machine, cache, slab, objectIndex(cache, slab, phys), pid, asked);
  if (gfp & GFP_BIT.__GFP_ZERO) {
    const isRedBeyond = (cache.flags & (SLAB.kmalloc | SLAB.redZone)) === (SLAB.kmalloc | SLAB.redZone);
    fillBytes(machine, phys, isRedBeyond && cache.slub !== null ? asked : cache.objectSize, 0);
  }
  if (cache.refcount === 0) leakCache(machine, cache);
  machine.cost += machine.config.costs.object!;
  return phys;
}

/** The family of kmalloc that the flags ask for (kmalloc_type). */
function familyOf(machine: Machine, gfp: number): number {
  const { kmalloc } = machine.slab;
  const isSlab = machine.config.slab.allocator === 'slab';
  if (gfp & GFP_BIT.__GFP_DMA && kmalloc[isSlab ? 1 : FAMILY.dma]?.length) return isSlab ? 1 : FAMILY.dma;
  return gfp & GFP_BIT.__GFP_RECLAIMABLE && !isSlab && kmalloc[FAMILY.reclaimable]!.length > 0 ? FAMILY.reclaimable : FAMILY.normal;
}

/** The cache that serves a kmalloc of so many bytes; null where pages do, or nothing. */
export function kmallocCache(machine: Machine, size: number, gfp: number): Cache | null {
  const isSlub = machine.config.slab.allocator === 'slub';
  if (size > (isSlub ? 8192 : 4096 << machine.config.maxOrder)) return null;
  const family = machine.slab.kmalloc[familyOf(machine, gfp)]!;
  let place = isSlub ? kmallocClass(size) : slabClass(size);
  // SLAB has no class of 96 or 192 with long cache lines.
  if (!isSlub && (family[place] ?? 0) === 0) place += 1;
  const id = family[place] ?? 0;
  return id === 0 ? null : machine.slab.caches.get(id)!;
}

/** kmalloc beyond the largest class: pages of its own (___kmalloc_large_node). Physical address, or why there is none. */
export function kmallocLarge(machine: Machine, size: number, gfp: number, pid: Pid): number {
  const order = getOrder(size);
  const flags = (fixFlags(machine, gfp) & ~GFP_BIT.__GFP_MOVABLE) | GFP_BIT.__GFP_COMP;
  const pfn = slabPages(machine, order, flags, pid);
  if (pfn < 0) return pfn;
  holdLarge(machine, pfn, order, pid, size);
  return physOf(pfn);
}
