/** Objects, caches and slabs for tests: allocations that must succeed, and where slabs are. */
import { expect } from 'vitest';
import { type Call, type Machine, call, hash } from '#kernel/machine.ts';
import type { Cache, Slab } from '#kernel/mm/slab_types.ts';
import { KERNEL, PAGE, cat, granted, refused } from './boot.ts';

export function kmalloc(machine: Machine, size: number, gfp = 'GFP_KERNEL', pid = KERNEL): number {
  return granted(machine, pid, { call: 'kmalloc', size, gfp }).addr as number;
}

export function kfree(machine: Machine, addr: number, pid = KERNEL): void {
  granted(machine, pid, { call: 'kfree', addr });
}

export function createCache(machine: Machine, name: string, size: number, more: object = {}, pid = KERNEL): number {
  return granted(machine, pid, { call: 'kmem_cache_create', name, size, ...more }).cache as number;
}

export function cacheAlloc(machine: Machine, cache: number, pid = KERNEL): number {
  return granted(machine, pid, { call: 'kmem_cache_alloc', cache }).addr as number;
}

export function cacheFree(machine: Machine, cache: number, addr: number, pid = KERNEL): void {
  granted(machine, pid, { call: 'kmem_cache_free', cache, addr });
}

/** `count` objects of a cache. */
export function many(machine: Machine, cache: number, count: number, pid = KERNEL): number[] {
  return Array.from({ length: count }, () => cacheAlloc(machine, cache, pid));
}

export const pfnOf = (addr: number): number => (addr - 0xc0000000 - ((addr - 0xc0000000) % PAGE)) / PAGE;

/** What the kernel keeps behind a handle. */
export function behind(machine: Machine, handle: number): Cache {
  return machine.slab.caches.get(machine.slab.handles.get(handle)!.cache)!;
}

export function cacheNamed(machine: Machine, name: string): Cache {
  const found = [...machine.slab.caches.values()].find((cache) => cache.name === name);
  if (found === undefined) throw new Error(`no cache ${name}`);
  return found;
}

/** First frames of a list of slabs, from its head. */
export function listed(machine: Machine, head: number): number[] {
  const pfns: number[] = [];
  for (let pfn = head; pfn >= 0; pfn = machine.slab.slabs.get(pfn)!.next) pfns.push(pfn);
  return pfns;
}

export const slabAt = (machine: Machine, addr: number): Slab | undefined => machine.slab.slabs.get(pfnOf(addr));

/** The numbers of a cache's line in /proc/slabinfo; null when it has none. */
export function lineOf(machine: Machine, name: string): Record<string, number> | null {
  const line = cat(machine, '/proc/slabinfo')
    .split('\n')
    .find((each) => each.startsWith(`${name} `));
  if (line === undefined) return null;
  const [active, objects, size, perSlab, pages, limit, batch, shared, activeSlabs, slabs, avail] = line
    .slice(name.length)
    .match(/\d+/g)!
    .map(Number);
  return {
    active: active!,
    objects: objects!,
    size: size!,
    perSlab: perSlab!,
    pages: pages!,
    limit: limit!,
    batch: batch!,
    shared: shared!,
    activeSlabs: activeSlabs!,
    slabs: slabs!,
    avail: avail!,
  };
}

/** A call that must be refused and leave the machine as it was. */
export function refusedWithout(machine: Machine, pid: number, request: Call, errno: string, code: string): void {
  const before = hash(machine);
  expect(refused(machine, pid, request), JSON.stringify(request)).toMatchObject({ errno, why: { code } });
  expect(hash(machine), `${JSON.stringify(request)} leaves the machine as it was`).toBe(before);
}

/** Takes pages until GFP_NOWAIT has no more of this order; their frames. */
export function takeAll(machine: Machine, order = 0, pid = KERNEL): number[] {
  const taken: number[] = [];
  for (;;) {
    const answer = call(machine, pid, { call: 'alloc_pages', order, gfp: 'GFP_NOWAIT' });
    if (!answer.ok) return taken;
    taken.push(answer.pfn!);
  }
}
