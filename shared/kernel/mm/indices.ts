/** How fragmented a zone's free memory is, for an order (mm/vmstat.c; spec §5). Integers × 1000. */

interface Contig {
  pages: number;
  blocks: number;
  /** Blocks of the order asked that the free blocks hold. */
  suitable: number;
}

function contigPageInfo(nrFree: Int32Array, order: number): Contig {
  const contig = { pages: 0, blocks: 0, suitable: 0 };
  for (let o = 0; o < nrFree.length; o++) {
    const blocks = nrFree[o]!;
    contig.blocks += blocks;
    contig.pages += blocks * (1 << o);
    if (o >= order) contig.suitable += blocks * (1 << (o - order));
  }
  return contig;
}

/** Share of free memory that is of no use for the order: 0 all usable, 1000 none. */
export function unusableFreeIndex(nrFree: Int32Array, order: number): number {
  const { pages, suitable } = contigPageInfo(nrFree, order);
  return pages === 0 ? 1000 : Math.trunc(((pages - suitable * (1 << order)) * 1000) / pages);
}

/** Why a request of the order would fail: towards 0 for lack of memory, towards 1000 for fragmentation; −1000 when it would not fail. */
export function fragmentationIndex(nrFree: Int32Array, order: number): number {
  const { pages, blocks, suitable } = contigPageInfo(nrFree, order);
  if (blocks === 0) return 0;
  if (suitable > 0) return -1000;
  return 1000 - Math.trunc((1000 + Math.trunc((pages * 1000) / (1 << order))) / blocks);
}
