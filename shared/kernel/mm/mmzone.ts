/**
 * Zones, their free lists and their watermarks (include/linux/mmzone.h, mm/page_alloc.c).
 * A zone is a run of frames; a request names a zone and may fall back to those below it, never above.
 */
import { GFP_BIT } from '../gfp.ts';
import { MIGRATE, MIGRATE_TYPES, type Frames, type Machine, type MachineConfig, type Pfn, type Zone } from '../types.ts';

/** Zones by number, lowest first (enum zone_type). */
export const ZONE = { DMA: 0, DMA32: 1, Normal: 2, HighMem: 3 } as const satisfies Record<Zone['name'], number>;
const [ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_HIGHMEM] = Object.values(ZONE) as [number, number, number, number];
const { __GFP_DMA: GFP_DMA, __GFP_DMA32: GFP_DMA32, __GFP_HIGHMEM: GFP_HIGHMEM } = GFP_BIT;

/** Orders above this fail rather than kill, and are compacted for before others are driven out (PAGE_ALLOC_COSTLY_ORDER). */
export const COSTLY_ORDER = 3;

const ZONE_ORDER = [
  ['dma', 'DMA'],
  ['dma32', 'DMA32'],
  ['normal', 'Normal'],
  ['highmem', 'HighMem'],
] as const;

/** sysctl_lowmem_reserve_ratio, by the zone that is protected. */
const LOWMEM_RESERVE_RATIO: Readonly<Record<Zone['name'], number>> = { DMA: 256, DMA32: 256, Normal: 32, HighMem: 0 };
const WATERMARK_SCALE_FACTOR = 10;

function createZone(name: Zone['name'], start: Pfn, end: Pfn, { maxOrder, mobility, rules }: MachineConfig): Zone {
  const types = mobility ? MIGRATE_TYPES : 1;
  const lists = (maxOrder + 1) * types;
  return {
    name,
    kind: ZONE[name],
    start,
    end,
    managed: 0,
    free: 0,
    lists: Int32Array.from({ length: lists * 4 }, (_, at) => (at % 4 < 2 ? -1 : 0)),
    types,
    k26: rules === '2.6.32',
    maxOrder,
    reservedHighatomic: 0,
    cmaPages: 0,
    boost: 0,
    compact: { migratePfn: [start, start], freePfn: end, skip: new Set(), considered: 0, deferShift: 0, orderFailed: maxOrder + 1 },
    watermark: { min: 0, low: 0, high: 0 },
    lowmemReserve: [],
  };
}

/** The zones of a machine from the bottom up, still empty; a zone of no frames does not exist, and mem= cuts what lies above it. */
export function createZones(config: MachineConfig): Zone[] {
  const zones: Zone[] = [];
  let start = 0;
  for (const [key, name] of ZONE_ORDER) {
    const end = start + config.zones[key];
    const managedEnd = Math.min(end, config.mem);
    if (managedEnd > start) zones.push(createZone(name, start, managedEnd, config));
    start = end;
  }
  return zones;
}

/** One more than any array needs, so that four bytes always make a word. */
function padded(frameCount: number): number {
  return (frameCount + 3) & ~3;
}

export function createFrames(config: MachineConfig): Frames {
  const { frames: count, maxFrames, pageblockOrder, mobility } = config;
  const size = padded(maxFrames);
  const blocks = padded(Math.ceil(maxFrames / (1 << pageblockOrder)));
  return {
    count,
    flags: new Uint8Array(size),
    order: new Uint8Array(size),
    owner: new Int32Array(size),
    mapcount: new Int32Array(size),
    refcount: new Int32Array(size),
    links: new Int32Array(2 * size).fill(-1),
    index: new Int32Array(size),
    rmap: new Int32Array(size).fill(-1),
    state: new Uint8Array(size),
    mapping: new Int32Array(size),
    pageblock: new Uint8Array(blocks).fill(mobility ? MIGRATE.movable : 0),
    pageblockOrder,
    types: mobility ? MIGRATE_TYPES : 1,
  };
}

/** The zone that holds a frame. */
export function zoneOf(zones: readonly Zone[], pfn: Pfn): Zone {
  for (let i = 0; i < zones.length; i++) if (pfn < zones[i]!.end) return zones[i]!;
  throw new RangeError(`no zone holds frame ${pfn}`);
}

/**
 * Number of the highest zone that a request may use (gfp_zone), -1 when there is none. A kernel without ZONE_DMA or
 * ZONE_DMA32 serves such requests from Normal; a machine that ends below a zone serves it from the one below.
 */
export function classZone(zones: readonly Zone[], gfp: number): number {
  let wanted = gfp & GFP_HIGHMEM ? ZONE_HIGHMEM : ZONE_NORMAL;
  if (gfp & GFP_DMA32 && hasZone(zones, ZONE_DMA32)) wanted = ZONE_DMA32;
  if (gfp & GFP_DMA && hasZone(zones, ZONE_DMA)) wanted = ZONE_DMA;
  for (let i = zones.length - 1; i >= 0; i--) if (zones[i]!.kind <= wanted) return i;
  return -1;
}

/** Does the machine have a zone of that number? Where it has none, the zone's requests go to Normal. */
export function hasZone(zones: readonly Zone[], kind: number): boolean {
  for (const zone of zones) if (zone.kind === kind) return true;
  return false;
}

/** Integer square root, rounded down (lib/math/int_sqrt.c gives the same). */
export function isqrt(n: number): number {
  let root = Math.floor(Math.sqrt(n));
  while (root * root > n) root -= 1;
  while ((root + 1) * (root + 1) <= n) root += 1;
  return root;
}

/** Managed pages of the zones that the kernel maps directly. */
export function lowmemPages(zones: readonly Zone[]): number {
  let pages = 0;
  for (const zone of zones) if (zone.name !== 'HighMem') pages += zone.managed;
  return pages;
}

/** min_free_kbytes by formula: 4 × √(lowmem in kB), 128 to 262,144, of 2.6.32 65,536 (init_per_zone_wmark_min). */
export function minFreeKbytes(zones: readonly Zone[]): number {
  const kbytes = isqrt(lowmemPages(zones) * 4 * 16);
  return Math.min(Math.max(kbytes, 128), zones[0]?.k26 ? 65536 : 262144);
}

/** Sets min, low and high of each zone, in pages (__setup_per_zone_wmarks); 0 kB turns them off. 2.6.32 knows no watermark_scale_factor. */
function setupWatermarks(zones: readonly Zone[], kbytes: number): void {
  const pagesMin = kbytes >> 2;
  const lowmem = Math.max(1, lowmemPages(zones));
  for (const zone of zones) {
    if (kbytes === 0) {
      zone.watermark = { min: 0, low: 0, high: 0 };
      continue;
    }
    const share = Math.floor((pagesMin * zone.managed) / lowmem);
    const min = zone.name === 'HighMem' ? Math.min(Math.max(Math.floor(zone.managed / 1024), 32), 128) : share;
    if (zone.k26) {
      zone.watermark = { min, low: min + (share >> 2), high: min + (share >> 1) };
      continue;
    }
    const delta = Math.max(share >> 2, Math.floor((zone.managed * WATERMARK_SCALE_FACTOR) / 10000));
    zone.watermark = { min, low: min + delta, high: min + 2 * delta };
  }
}

/** Pages of each zone that requests for a higher zone leave alone (setup_per_zone_lowmem_reserve). */
function setupLowmemReserve(zones: readonly Zone[]): void {
  for (let i = 0; i < zones.length; i++) {
    const zone = zones[i]!;
    const ratio = LOWMEM_RESERVE_RATIO[zone.name];
    zone.lowmemReserve = zones.map(() => 0);
    let above = 0;
    for (let j = i + 1; j < zones.length; j++) {
      above += zones[j]!.managed;
      zone.lowmemReserve[j] = ratio === 0 ? 0 : Math.floor(above / ratio);
    }
  }
}

/** After the zones got their pages, and again when memory was added. */
export function setupZones(machine: Pick<Machine, 'zones' | 'config'>): void {
  const { zones, config } = machine;
  setupWatermarks(zones, config.minFreeKbytes >= 0 ? config.minFreeKbytes : minFreeKbytes(zones));
  setupLowmemReserve(zones);
}

/** Zones that have pages: the others are not shown. */
export const populated = (zones: readonly Zone[]): Zone[] => zones.filter((zone) => zone.managed > 0);

export const managedPages = (zones: readonly Zone[]): number => zones.reduce((sum, zone) => sum + zone.managed, 0);
export const freePages = (zones: readonly Zone[]): number => zones.reduce((sum, zone) => sum + zone.free, 0);

/** Pages that are never anybody's: the reserves and high marks (totalreserve_pages). */
export function totalReserve(zones: readonly Zone[]): number {
  let pages = 0;
  for (const zone of zones) pages += Math.min(zone.managed, Math.max(...zone.lowmemReserve, 0) + zone.watermark.high);
  return pages;
}
