/** /proc/slabinfo (mm/slab_common.c, cache_show; of 2.6.32 mm/slab.c, s_show). */
import type { Machine } from '../../types.ts';
import type { Cache } from '../../mm/slab_types.ts';

/** The numbers of one line. */
export interface SlabinfoLine {
  name: string;
  activeObjects: number;
  objects: number;
  /** Bytes. */
  objectSize: number;
  objectsPerSlab: number;
  pagesPerSlab: number;
  limit: number;
  batchcount: number;
  shared: number;
  activeSlabs: number;
  slabs: number;
  sharedAvail: number;
  /** Pages in all slabs: fewer than slabs × pagesPerSlab when memory was short (SLUB). */
  pages: number;
}

/** SLUB counts as free only what lies in slabs of the node's partial list; what the CPU keeps counts as active. */
function freeOnNode(machine: Machine, cache: Cache): number {
  let free = 0;
  for (let pfn = cache.slub!.partial.head; pfn >= 0;) {
    const slab = machine.slab.slabs.get(pfn)!;
    free += slab.objects - slab.inuse;
    pfn = slab.next;
  }
  return free;
}

function lineOf(machine: Machine, cache: Cache): SlabinfoLine {
  const { name, total: objects, size: objectSize, objects: objectsPerSlab, slabs, pages, slab } = cache;
  const common = { name, objects, objectSize, objectsPerSlab, pagesPerSlab: 1 << cache.order, slabs, pages };
  if (slab === null) {
    const activeObjects = objects - freeOnNode(machine, cache);
    return { ...common, activeObjects, limit: 0, batchcount: 0, shared: 0, activeSlabs: slabs, sharedAvail: 0 };
  }
  const { limit, batchcount, shared, sharedAvail, freeObjects, empty } = slab;
  return { ...common, activeObjects: objects - freeObjects, limit, batchcount, shared, activeSlabs: slabs - empty.length, sharedAvail };
}

/** All caches, the newest first. */
export function slabinfoLines(machine: Machine): SlabinfoLine[] {
  return machine.slab.chain.map((id) => lineOf(machine, machine.slab.caches.get(id)!));
}

const HEAD =
  'slabinfo - version: 2.1\n' +
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>' +
  ' : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n';

const wide = (value: number, width: number): string => String(value).padStart(width);

export function slabinfo(machine: Machine): string {
  let text = HEAD;
  for (const line of slabinfoLines(machine)) {
    text +=
      `${line.name.padEnd(17)} ${wide(line.activeObjects, 6)} ${wide(line.objects, 6)} ${wide(line.objectSize, 6)}` +
      ` ${wide(line.objectsPerSlab, 4)} ${wide(line.pagesPerSlab, 4)}` +
      ` : tunables ${wide(line.limit, 4)} ${wide(line.batchcount, 4)} ${wide(line.shared, 4)}` +
      ` : slabdata ${wide(line.activeSlabs, 6)} ${wide(line.slabs, 6)} ${wide(line.sharedAvail, 6)}\n`;
  }
  return text;
}
