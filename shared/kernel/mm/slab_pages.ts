/** Pages for slabs, and what a new slab's objects hold: constructors run once for each object, when its slab is made. */
import { GFP_BIT, gfpText } from '../gfp.ts';
import { printk } from '../kernel/printk.ts';
import { PG, type Machine, type Pfn, type Pid } from '../types.ts';
import { CONTENTS_PAGES_MAX } from './contents.ts';
import { freePagesBlock } from './page_alloc.ts';
import { fillBytes, hasRoomForContents, physOf } from './slab_bytes.ts';
import { objectPhys } from './slab_objects.ts';
import { SLAB, type Cache, type Slab } from './slab_types.ts';
import { allocPages, allocWhy, ASKER_KILLED, NO_PAGES, WOULD_SLEEP } from './slowpath.ts';
import type { Why } from '../why.ts';

/** No object, beside what allocPages answers: no room for what constructors or poison write; or a frame without an address. */
export const NO_CONTENTS = -4;
export const NO_ADDRESS = -5;
/** The next object was written to while it was free; its slab was set aside. */
export const CORRUPT = -6;
export { ASKER_KILLED, NO_PAGES, WOULD_SLEEP };

/** What a constructor writes into every byte of an object: the state that it has whenever nobody uses it. */
export const CONSTRUCTED = 0xc5;

/** What the caller may decide for a slab: how hard to try (GFP_RECLAIM_MASK, GFP_CONSTRAINT_MASK). The zone is the cache's own. */
const CALLERS =
  GFP_BIT.__GFP_DIRECT_RECLAIM |
  GFP_BIT.__GFP_KSWAPD_RECLAIM |
  GFP_BIT.__GFP_HIGH |
  GFP_BIT.__GFP_IO |
  GFP_BIT.__GFP_FS |
  GFP_BIT.__GFP_NOWARN |
  GFP_BIT.__GFP_RETRY_MAYFAIL |
  GFP_BIT.__GFP_NOFAIL |
  GFP_BIT.__GFP_NORETRY |
  GFP_BIT.__GFP_NOMEMALLOC |
  GFP_BIT.__GFP_HARDWALL;
const NOT_FOR_SLAB = GFP_BIT.__GFP_HIGHMEM | GFP_BIT.__GFP_DMA32;

/** Slabs are always in directly mapped memory; whoever asks for another zone is told so (kmalloc_fix_flags). */
export function fixFlags(machine: Machine, gfp: number): number {
  const wrong = gfp & NOT_FOR_SLAB;
  if (wrong === 0) return gfp;
  const right = gfp & ~NOT_FOR_SLAB;
  const text = (bits: number) => gfpText(bits).replace('(', ' (');
  printk(machine, `Unexpected gfp: ${text(wrong)}. Fixing up to gfp: ${text(right)}. Fix your code!`);
  return right;
}

/** How the pages of a cache's slabs are asked for. */
export function slabGfp(cache: Cache, gfp: number): number {
  let flags = (gfp & CALLERS) | GFP_BIT.__GFP_COMP;
  if (cache.flags & SLAB.cacheDma) flags |= GFP_BIT.__GFP_DMA;
  return cache.flags & SLAB.reclaimAccount ? flags | GFP_BIT.__GFP_RECLAIMABLE : flags;
}

/** A block of the allocator's own: the frame, or why there is none. */
export function slabPages(machine: Machine, order: number, gfp: number, pid: Pid): Pfn {
  const pfn = allocPages(machine, order, gfp, pid, PG.slab);
  if (pfn < 0) return pfn;
  machine.frames.owner[pfn] = 0;
  if (pfn + (1 << order) > machine.config.layout.maxLowPfn) {
    freePagesBlock(machine, pfn, order);
    return NO_ADDRESS;
  }
  const { costs } = machine.config;
  machine.cost += order === 0 ? costs.alloc_page! : costs.contiguous! + costs.contiguous_frame! * (1 << order);
  return pfn;
}

/** Do slabs of this cache hold something from the start? */
export function needsContents(cache: Cache): boolean {
  return cache.ctor || (cache.flags & (SLAB.poison | SLAB.redZone)) !== 0;
}

/** Is there room for the contents of a new slab? If not, its frames go back. */
export function mayFill(machine: Machine, cache: Cache, pfn: Pfn, order: number): boolean {
  if (!needsContents(cache) || hasRoomForContents(machine, pfn, 1 << order)) return true;
  freePagesBlock(machine, pfn, order);
  return false;
}

export function construct(machine: Machine, cache: Cache, phys: number): void {
  fillBytes(machine, phys, cache.objectSize, CONSTRUCTED);
}

export function constructAll(machine: Machine, cache: Cache, slab: Slab): void {
  if (!cache.ctor) return;
  for (let index = 0; index < slab.objects; index++) construct(machine, cache, objectPhys(cache, slab, index));
}

/** Why there was no object or block, in the numbers of this moment. */
export function slabWhy(machine: Machine, outcome: number, order: number, gfp: number): Why {
  if (outcome === NO_CONTENTS) return { code: 'CONTENTS_FULL', limit: CONTENTS_PAGES_MAX };
  if (outcome === NO_ADDRESS) return { code: 'NO_KERNEL_ADDRESS', phys: physOf(machine.config.layout.maxLowPfn) };
  return allocWhy(machine, order, gfp);
}
