/** The kernel's virtual layout on i386 (arch/x86/include/asm/pgtable_32_types.h, fixmap.h; fidelity spec §3) against layouts that real kernels printed. */
import { describe, expect, test } from 'vitest';
import {
  directAddress,
  directPhys,
  FIXADDR_TOP,
  kmapAtomicAddress,
  maxmem,
  pkmapBase,
  vmallocEnd,
  VMALLOC_OFFSET,
} from '#kernel/arch/layout.ts';
import { createMachine, type Machine } from '#kernel/machine.ts';
import { MiB, boot, cat } from '../helpers/boot.ts';
import { parseMeminfo } from '../helpers/procText.ts';

const PAGE = 4096;
/** A machine of so many MiB with the kernel's own zones. */
const machineOf = (mib: number, config: Record<string, unknown> = {}): Machine => createMachine({ frames: mib * 256, ...config });
const layoutOf = (mib: number, config: Record<string, unknown> = {}) => machineOf(mib, config).config.layout;

describe('what kernels printed at boot ("virtual kernel memory layout:")', () => {
  // lowmem end, vmalloc start and end, pkmap start; page counts of pkmap follow from PAE (512) or not (1,024).
  const PRINTED = [
    { what: 'PAE, 2 GiB, 2.6.3x: lowmem 887 MB', lowmem: 0xf77fe000, vmalloc: [0xf7ffe000, 0xff7fe000], pkmap: [0xff800000, 0xffa00000] },
    { what: 'PAE, 320 MiB, 3.x: lowmem 319 MB', lowmem: 0xd3fe0000, vmalloc: [0xd47e0000, 0xff5fe000], pkmap: [0xff600000, 0xff800000] },
    { what: 'PAE, vmalloc=512M: lowmem 499 MB', lowmem: 0xdf3fe000, vmalloc: [0xdfbfe000, 0xffbfe000], pkmap: [0xffc00000, 0xffe00000] },
    {
      what: 'no PAE, 1 GiB and more, 2.6.2x: lowmem 896 MB',
      lowmem: 0xf8000000,
      vmalloc: [0xf8800000, 0xff7fe000],
      pkmap: [0xff800000, 0xffc00000],
    },
    {
      what: 'no PAE, 384 MiB, 2.6.2x: lowmem 384 MB',
      lowmem: 0xd8000000,
      vmalloc: [0xd8800000, 0xff7fe000],
      pkmap: [0xff800000, 0xffc00000],
    },
  ];

  test.each(PRINTED)('$what: vmalloc starts 8 MiB above lowmem and ends two pages below pkmap', ({ lowmem, vmalloc, pkmap }) => {
    expect(lowmem + VMALLOC_OFFSET).toBe(vmalloc[0]);
    expect(vmallocEnd(pkmap[0]!)).toBe(vmalloc[1]);
  });

  test('2.6.32 with PAE (the dmesg of fidelity spec §3): fixmap from 0xffc57000, 512 slots of kmap, 887 MB of lowmem', () => {
    // 936 lasting fixed mappings; those of early boot start at the next multiple of 256 and are 256, and one more.
    const lasting = (FIXADDR_TOP - 0xffc57000) / PAGE;
    expect(lasting).toBe(936);
    const fixaddrBootStart = FIXADDR_TOP - (Math.ceil(lasting / 256) * 256 + 257) * PAGE;
    const pkmap = pkmapBase(fixaddrBootStart, 512, 2 * MiB);
    expect(pkmap).toBe(0xff800000);
    expect(maxmem(vmallocEnd(pkmap), 0xc0000000)).toBe(0xf77fe000 - 0xc0000000);
  });

  test('our machines are those without PAE: the same places from 896 MiB up', () => {
    for (const mib of [896, 1024, 2048, 4096]) {
      expect(layoutOf(mib)).toEqual({
        pageOffset: 0xc0000000,
        maxLowPfn: 229376,
        highMemory: 0xf8000000,
        vmallocStart: 0xf8800000,
        vmallocEnd: 0xff7fe000,
        pkmapBase: 0xff800000,
        fixaddrStart: 0xfffa9000,
      });
    }
  });
});

describe('the lecture notes', () => {
  test('a virtual machine of 160 MB: vmalloc starts at 0xC0000000 + 160 MiB + 8 MiB = 0xCA800000', () => {
    expect(layoutOf(160).vmallocStart).toBe(0xca800000);
  });

  test('the kernel window above 896 MiB is 128 MiB; fixmap ends one page below 4 GiB', () => {
    expect(0x1_0000_0000 - layoutOf(1024).highMemory).toBe(128 * MiB);
    expect(FIXADDR_TOP).toBe(0x1_0000_0000 - PAGE);
  });

  test('2 GiB of user space, 2 GiB of kernel: the direct map starts at 0x80000000 and holds 1,920 MiB', () => {
    const layout = layoutOf(2048, { pageOffset: 0x80000000, zones: { dma: 4096, normal: 487424, highmem: 32768 } });
    expect(layout).toMatchObject({ pageOffset: 0x80000000, maxLowPfn: 1920 * 256, highMemory: 0xf8000000, vmallocStart: 0xf8800000 });
    expect(layoutOf(512, { pageOffset: 0x80000000 })).toMatchObject({
      highMemory: 0xa0000000,
      vmallocStart: 0xa0800000,
      vmallocEnd: 0xff7fe000,
    });
  });
});

describe('the direct map', () => {
  test('address = PAGE_OFFSET + physical address, for lowmem only (virt_to_phys is a subtraction)', () => {
    const layout = layoutOf(1024);
    expect(directAddress(layout, 0)).toBe(0xc0000000);
    expect(directAddress(layout, 4096)).toBe(0xc1000000);
    expect(directAddress(layout, 229375)).toBe(0xf7fff000);
    expect(directAddress(layout, 229376)).toBe(-1);
    expect(directPhys(layout, 0xc1000123)).toBe(0x1000123);
    for (const outside of [0xbfffffff, 0xf8000000, 0xf8800000, 0xff801000, 0xffffffff]) expect(directPhys(layout, outside)).toBe(-1);
  });

  test('small machines use the same addresses: 4 MiB end at 0xC0400000', () => {
    expect(layoutOf(4)).toMatchObject({ maxLowPfn: 1024, highMemory: 0xc0400000, vmallocStart: 0xc0c00000 });
    const withHigh = boot({ frames: 1024, zones: { dma: 64, normal: 448, highmem: 512 } }).config.layout;
    expect(withHigh).toMatchObject({ maxLowPfn: 512, highMemory: 0xc0200000, vmallocStart: 0xc0a00000 });
  });

  test('mem= ends the direct map; memory hot-plug finds room in it', () => {
    expect(layoutOf(16, { mem: 2048 })).toMatchObject({ maxLowPfn: 2048, highMemory: 0xc0800000 });
    expect(layoutOf(16, { maxFrames: 8192 })).toMatchObject({ maxLowPfn: 8192, highMemory: 0xc2000000 });
  });
});

describe('fixmap', () => {
  test('slots of kmap_atomic lie one page below the other, within fixmap', () => {
    expect(kmapAtomicAddress(0) - kmapAtomicAddress(1)).toBe(PAGE);
    expect(kmapAtomicAddress(0)).toBeLessThan(FIXADDR_TOP);
    expect(kmapAtomicAddress(15)).toBeGreaterThanOrEqual(layoutOf(1024).fixaddrStart);
  });
});

describe('the key vmalloc', () => {
  test('moves the ends of the space; /proc/meminfo shows its size as VmallocTotal', () => {
    expect(parseMeminfo(cat(machineOf(1024), '/proc/meminfo')).VmallocTotal).toBe((0xff7fe000 - 0xf8800000) / 1024);
    const machine = machineOf(64, { vmalloc: { start: 0xe0800000, end: 0xf0000000 } });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).VmallocTotal).toBe(248 * 1024);
    expect(layoutOf(64, { vmalloc: { end: 0xf0000000 } })).toMatchObject({ vmallocStart: 0xc4800000, vmallocEnd: 0xf0000000 });
  });

  test.each([
    { vmalloc: { start: 0xc3fff000 }, says: 'vmalloc.start is a whole number from 3288334336 to 4286570496' },
    { vmalloc: { start: 0xe0000001 }, says: 'multiples of 4096' },
    { vmalloc: { start: 0xe0000000, end: 0xe0000000 }, says: 'below' },
    { vmalloc: { end: 0xff7ff000 }, says: 'vmalloc.end' },
    { vmalloc: { size: 5 }, says: 'vmalloc.size' },
    { vmalloc: 7, says: 'vmalloc is an object' },
    { vmalloc: { start: '0xe0000000' }, says: 'vmalloc.start' },
  ])('refuses $vmalloc', ({ vmalloc, says }) => {
    expect(() => machineOf(64, { vmalloc })).toThrow(says);
  });
});
