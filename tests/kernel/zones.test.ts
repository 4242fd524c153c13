/** Zones, watermarks, lowmem_reserve and the zonelist (mm/page_alloc.c; fidelity spec §4 and §20). */
import { describe, expect, test } from 'vitest';
import { call, type Machine } from '#kernel/machine.ts';
import { KERNEL, allocPages, boot, bootFlat, cat, freeIn, refused, spawn, zoneNamed } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

const MIB_FRAMES = 256;

/** The classic bounds in frames: 16 MiB, 896 MiB. */
function classic(ramMib: number): Machine {
  const frames = ramMib * MIB_FRAMES;
  const lowmem = Math.min(frames, 229376);
  return boot({ frames, zones: { dma: 4096, normal: lowmem - 4096, highmem: frames - lowmem }, minFreeKbytes: undefined });
}

function marks(machine: Machine, name: string): string {
  const { min, low, high } = zoneNamed(machine, name).watermark;
  return `${min}/${low}/${high}`;
}

describe('golden values of spec §20 (6.x rules, zones without holes; pages min/low/high)', () => {
  // RAM, DMA, NORMAL, HIGHMEM, lowmem_reserve of DMA for NORMAL and HIGHMEM, of NORMAL for HIGHMEM.
  // The DMA column follows from the formula with the same min_free_kbytes: high = min + 2·max(min/4, managed/1000).
  const GOLDEN = [
    [32, '90/112/134', '90/112/134', null, [16]],
    [64, '64/80/96', '192/240/288', null, [48]],
    [128, '45/56/67', '316/395/474', null, [112]],
    [256, '32/40/48', '480/600/720', null, [240]],
    [512, '22/27/32', '701/876/1051', null, [496]],
    [1024, '17/21/25', '939/1173/1407', '32/66/100', [880, 1008, 1024]],
    [2048, '17/21/25', '939/1173/1407', '128/435/742', [880, 2032, 9216]],
    [4096, '17/21/25', '939/1173/1407', '128/982/1836', [880, 4080, 25600]],
  ] as const;

  test.each(GOLDEN)('%i MiB', (ram, dma, normal, highmem, reserve) => {
    const machine = classic(ram);
    expect(marks(machine, 'DMA')).toBe(dma);
    expect(marks(machine, 'Normal')).toBe(normal);
    const dmaReserve = zoneNamed(machine, 'DMA').lowmemReserve;
    expect(dmaReserve[0]).toBe(0);
    expect(dmaReserve[1]).toBe(reserve[0]);
    expect(zoneNamed(machine, 'Normal').lowmemReserve.slice(0, 2)).toEqual([0, 0]);
    if (highmem === null) {
      expect(machine.zones.map((zone) => zone.name)).toEqual(['DMA', 'Normal']);
      return;
    }
    expect(marks(machine, 'HighMem')).toBe(highmem);
    expect(dmaReserve[2]).toBe(reserve[1]);
    expect(zoneNamed(machine, 'Normal').lowmemReserve[2]).toBe(reserve[2]);
    expect(zoneNamed(machine, 'HighMem').lowmemReserve).toEqual([0, 0, 0]);
  });

  test('above 65,536 frames the zones have the classic bounds by themselves', () => {
    const machine = boot({ frames: 262144, minFreeKbytes: undefined });
    expect(machine.zones.map(({ name, start, end }) => [name, start, end])).toEqual([
      ['DMA', 0, 4096],
      ['Normal', 4096, 229376],
      ['HighMem', 229376, 262144],
    ]);
    expect(marks(machine, 'Normal')).toBe('939/1173/1407');
  });
});

describe('min_free_kbytes', () => {
  // init_per_zone_wmark_min's published table, lowmem in MiB → kB; the floor of 128 kB below 1 MiB.
  test.each([
    [0.25, 128],
    [0.5, 128],
    [1, 128],
    [16, 512],
    [32, 724],
    [64, 1024],
    [128, 1448],
    [256, 2048],
    [512, 2896],
  ])('%f MiB of lowmem → %i kB', (mib, kb) => {
    const machine = bootFlat(mib * MIB_FRAMES, { minFreeKbytes: undefined });
    expect(zoneNamed(machine, 'Normal').watermark.min).toBe(kb >> 2);
  });

  test('1 GiB of lowmem → 4096 kB', () => {
    expect(zoneNamed(bootFlat(262144, { minFreeKbytes: undefined }), 'Normal').watermark.min).toBe(1024);
  });

  test('high memory does not count', () => {
    const machine = boot({ frames: 16384, zones: { normal: 8192, highmem: 8192 }, minFreeKbytes: undefined });
    expect(zoneNamed(machine, 'Normal').watermark.min).toBe(724 >> 2);
  });

  test('a number sets it; 0 turns watermarks off', () => {
    expect(zoneNamed(bootFlat(4096, { minFreeKbytes: 400 }), 'Normal').watermark).toEqual({ min: 100, low: 125, high: 150 });
    expect(zoneNamed(bootFlat(4096, { minFreeKbytes: 0 }), 'Normal').watermark).toEqual({ min: 0, low: 0, high: 0 });
  });

  test('the managed pages decide: what the kernel’s image reserves counts for nothing', () => {
    const machine = bootFlat(8192, { reserved: 4096, minFreeKbytes: undefined });
    expect(zoneNamed(machine, 'Normal').watermark).toEqual({ min: 128, low: 160, high: 192 });
  });
});

describe('who may go how deep', () => {
  const drain = (machine: Machine, gfp: string, pid = KERNEL) => {
    let count = 0;
    while (call(machine, pid, { call: 'alloc_pages', order: 0, gfp }).ok) count += 1;
    return count;
  };
  const frees = (machine: Machine) => Object.fromEntries(machine.zones.map((zone) => [zone.name, zone.free]));
  const small = () => boot({ frames: 8192, zones: { dma: 4096, normal: 4096 }, minFreeKbytes: undefined }); // 90/112/134, DMA keeps 16

  test('an ordinary request leaves min in its zone, and min + lowmem_reserve in the zone below', () => {
    const machine = small();
    drain(machine, 'GFP_KERNEL');
    expect(frees(machine)).toEqual({ Normal: 90, DMA: 90 + 16 });
    checkMachine(machine);
  });

  test('GFP_NOWAIT has no reserve of its own', () => {
    const machine = small();
    drain(machine, 'GFP_NOWAIT');
    expect(frees(machine)).toEqual({ Normal: 90, DMA: 106 });
  });

  test('GFP_ATOMIC goes to min − min/2, less a quarter of that: 90 → 34', () => {
    const machine = small();
    drain(machine, 'GFP_ATOMIC');
    expect(frees(machine)).toEqual({ Normal: 34, DMA: 34 + 16 });
  });

  test('__GFP_HIGH alone is not in the vocabulary', () => {
    expect(refused(small(), KERNEL, { call: 'alloc_pages', order: 0, gfp: '__GFP_HIGH' })).toMatchObject({ errno: 'EINVAL' });
  });

  test('what GFP_KERNEL leaves, GFP_DMA may still take: the reserve is only kept from higher requests', () => {
    const machine = small();
    drain(machine, 'GFP_KERNEL');
    expect(drain(machine, 'GFP_DMA')).toBe(16);
    expect(frees(machine)).toEqual({ Normal: 90, DMA: 90 });
  });

  test('with watermarks off the last page is given', () => {
    const machine = bootFlat(64);
    expect(drain(machine, 'GFP_NOWAIT')).toBe(64);
    expect(freeIn(machine)).toBe(0);
  });

  test('a block of 2^order counts with all its pages: free − (2^order − 1) must stay above the mark', () => {
    const machine = bootFlat(1024, { minFreeKbytes: 512 }); // min 128
    const take = (order: number) => call(machine, KERNEL, { call: 'alloc_pages', order, gfp: 'GFP_NOWAIT' }).ok;
    expect(take(9)).toBe(true); // 1024 − 511 > 160 (low)
    expect(take(8)).toBe(true); // 512 − 255 > 160
    expect(freeIn(machine)).toBe(256);
    expect(take(8)).toBe(false); // 256 − 255 = 1
    expect(take(7)).toBe(true); // 256 − 127 = 129 > 128
    expect(freeIn(machine)).toBe(128);
    expect(take(0)).toBe(false);
    expect(call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' })).toMatchObject({
      ok: false,
      errno: 'ENOMEM',
      why: { code: 'LOW_MEMORY', order: 0, needed: 1, freePages: 128, mark: 128 },
    });
  });
});

describe('the zonelist goes down only', () => {
  const three = () => boot({ frames: 192, zones: { dma: 64, normal: 64, highmem: 64 } });
  const zoneOfPfn = (pfn: number) => (pfn < 64 ? 'DMA' : pfn < 128 ? 'Normal' : 'HighMem');
  const first = (gfp: string) => zoneOfPfn(allocPages(three(), KERNEL, 0, gfp));

  test.each([
    ['GFP_DMA', 'DMA'],
    ['GFP_KERNEL', 'Normal'],
    ['GFP_ATOMIC', 'Normal'],
    ['GFP_NOIO', 'Normal'],
    ['GFP_NOFS', 'Normal'],
    ['GFP_USER', 'Normal'],
    ['GFP_HIGHUSER', 'HighMem'],
    ['GFP_HIGHUSER_MOVABLE', 'HighMem'],
    ['GFP_KERNEL|__GFP_HIGHMEM', 'HighMem'],
    ['GFP_KERNEL|GFP_DMA', 'DMA'],
  ])('%s starts in %s', (gfp, zone) => {
    expect(first(gfp)).toBe(zone);
  });

  test('HIGHMEM → NORMAL → DMA, each as deep as its reserve for the request allows', () => {
    const machine = three();
    const order: string[] = [];
    for (;;) {
      const answer = call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_HIGHUSER|__GFP_NORETRY' });
      if (!answer.ok) break;
      const zone = zoneOfPfn(answer.pfn!);
      if (order.at(-1) !== zone) order.push(zone);
    }
    expect(order).toEqual(['HighMem', 'Normal', 'DMA']);
  });

  test('a DMA request never goes up, though all else is free', () => {
    const machine = three();
    for (let n = 0; n < 64; n++) expect(allocPages(machine, KERNEL, 0, 'GFP_DMA|__GFP_NORETRY')).toBeLessThan(64);
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_DMA|__GFP_NORETRY' })).toMatchObject({ errno: 'ENOMEM' });
    expect(zoneNamed(machine, 'HighMem').free + zoneNamed(machine, 'Normal').free).toBe(128);
  });

  test('user pages come from high memory, page tables do not', () => {
    const machine = three();
    const pid = spawn(machine);
    expect(machine.tasks.get(pid)!.mm.pgd).toBeGreaterThanOrEqual(64);
    expect(machine.tasks.get(pid)!.mm.pgd).toBeLessThan(128);
    const answer = call(machine, pid, { call: 'mmap', length: 4096, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' });
    call(machine, pid, { call: 'write', addr: answer.ok ? answer.addr : 0, length: 1 });
    expect(zoneNamed(machine, 'HighMem').free).toBe(63);
    expect(zoneNamed(machine, 'Normal').free).toBe(62);
  });

  test('the reserve for atomic requests counts at the last mark only: above it they take the zonelist as everybody does', () => {
    const machine = boot({ frames: 8192, zones: { dma: 4096, normal: 4096 }, minFreeKbytes: undefined });
    while (zoneNamed(machine, 'Normal').free > 112) allocPages(machine, KERNEL, 0);
    // At low (112), the fast path leaves Normal alone and finds DMA far above its own.
    expect(allocPages(machine, KERNEL, 0, 'GFP_ATOMIC')).toBeLessThan(4096);
    expect(zoneNamed(machine, 'Normal').free).toBe(112);
  });

  test('/proc/zoneinfo shows the same numbers', () => {
    const text = cat(classic(1024), '/proc/zoneinfo');
    expect(text).toMatch(/^Node 0, zone {3}Normal\n(?:.*\n)*? {8}min {6}939\n {8}low {6}1173\n {8}high {5}1407\n {8}promo {4}1641\n/m);
    expect(text).toContain('protection: (0, 880, 1008');
    expect(text).toContain('protection: (0, 0, 1024');
  });
});
