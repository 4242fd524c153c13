/** Allocation flags (include/linux/gfp_types.h, 6.x): to which zone a request may go and what it may do to get there. */
export const GFP_BIT = {
  __GFP_DMA: 0x01,
  __GFP_HIGHMEM: 0x02,
  __GFP_DMA32: 0x04,
  __GFP_MOVABLE: 0x08,
  __GFP_RECLAIMABLE: 0x10,
  __GFP_HIGH: 0x20,
  __GFP_IO: 0x40,
  __GFP_FS: 0x80,
  __GFP_ZERO: 0x100,
  __GFP_DIRECT_RECLAIM: 0x400,
  __GFP_KSWAPD_RECLAIM: 0x800,
  __GFP_NOWARN: 0x2000,
  __GFP_RETRY_MAYFAIL: 0x4000,
  __GFP_NOFAIL: 0x8000,
  __GFP_NORETRY: 0x10000,
  __GFP_COMP: 0x40000,
  __GFP_NOMEMALLOC: 0x80000,
  __GFP_HARDWALL: 0x100000,
} as const;

const RECLAIM = GFP_BIT.__GFP_DIRECT_RECLAIM | GFP_BIT.__GFP_KSWAPD_RECLAIM;
const KERNEL = RECLAIM | GFP_BIT.__GFP_IO | GFP_BIT.__GFP_FS;
const USER = KERNEL | GFP_BIT.__GFP_HARDWALL;
const HIGHUSER = USER | GFP_BIT.__GFP_HIGHMEM;

/** The names that calls may use (calls.md), with their bits. */
export const GFP: Readonly<Record<string, number>> = {
  GFP_KERNEL: KERNEL,
  GFP_ATOMIC: GFP_BIT.__GFP_HIGH | GFP_BIT.__GFP_KSWAPD_RECLAIM,
  GFP_NOWAIT: GFP_BIT.__GFP_KSWAPD_RECLAIM | GFP_BIT.__GFP_NOWARN,
  GFP_NOIO: RECLAIM,
  GFP_NOFS: RECLAIM | GFP_BIT.__GFP_IO,
  GFP_USER: USER,
  GFP_HIGHUSER: HIGHUSER,
  GFP_HIGHUSER_MOVABLE: HIGHUSER | GFP_BIT.__GFP_MOVABLE,
  GFP_DMA: GFP_BIT.__GFP_DMA,
  GFP_DMA32: GFP_BIT.__GFP_DMA32,
  __GFP_HIGHMEM: GFP_BIT.__GFP_HIGHMEM,
  __GFP_MOVABLE: GFP_BIT.__GFP_MOVABLE,
  __GFP_RECLAIMABLE: GFP_BIT.__GFP_RECLAIMABLE,
  __GFP_ZERO: GFP_BIT.__GFP_ZERO,
  __GFP_NOFAIL: GFP_BIT.__GFP_NOFAIL,
  __GFP_NORETRY: GFP_BIT.__GFP_NORETRY,
  __GFP_RETRY_MAYFAIL: GFP_BIT.__GFP_RETRY_MAYFAIL,
  __GFP_COMP: GFP_BIT.__GFP_COMP,
};

export const GFP_KERNEL = KERNEL;
export const GFP_USER = USER;
export const GFP_KERNEL_ZERO = KERNEL | GFP_BIT.__GFP_ZERO;
export const GFP_HIGHUSER_MOVABLE = HIGHUSER | GFP_BIT.__GFP_MOVABLE;

const WHOLE = [
  'GFP_HIGHUSER_MOVABLE',
  'GFP_HIGHUSER',
  'GFP_USER',
  'GFP_KERNEL',
  'GFP_NOFS',
  'GFP_ATOMIC',
  'GFP_NOIO',
  'GFP_NOWAIT',
  'GFP_DMA',
  'GFP_DMA32',
];

/** As the kernel prints a mask: the largest named set first, then what is left (show_gfp_flags). */
export function gfpText(gfp: number): string {
  const names: string[] = [];
  let left = gfp;
  for (const name of WHOLE) {
    const bits = GFP[name]!;
    if ((left & bits) !== bits) continue;
    names.push(name);
    left &= ~bits;
  }
  for (const [name, bit] of Object.entries(GFP_BIT)) if (left & bit) names.push(name);
  return `0x${gfp.toString(16)}(${names.length > 0 ? names.join('|') : '0'})`;
}

/** The bits of 2.6.32 (spec §4): __GFP_WAIT was what is now reclaim by oneself. */
const GFP_BIT_2632: readonly (readonly [keyof typeof GFP_BIT, number])[] = [
  ['__GFP_DMA', 0x1],
  ['__GFP_HIGHMEM', 0x2],
  ['__GFP_DMA32', 0x4],
  ['__GFP_MOVABLE', 0x8],
  ['__GFP_DIRECT_RECLAIM', 0x10],
  ['__GFP_HIGH', 0x20],
  ['__GFP_IO', 0x40],
  ['__GFP_FS', 0x80],
  ['__GFP_NOWARN', 0x200],
  ['__GFP_RETRY_MAYFAIL', 0x400],
  ['__GFP_NOFAIL', 0x800],
  ['__GFP_NORETRY', 0x1000],
  ['__GFP_COMP', 0x4000],
  ['__GFP_ZERO', 0x8000],
  ['__GFP_NOMEMALLOC', 0x10000],
  ['__GFP_HARDWALL', 0x20000],
  ['__GFP_RECLAIMABLE', 0x80000],
];

/** A mask as 2.6.32 would have printed it. */
export function gfpOf2632(gfp: number): number {
  let old = 0;
  for (const [name, bit] of GFP_BIT_2632) if (gfp & GFP_BIT[name]) old |= bit;
  return old;
}
