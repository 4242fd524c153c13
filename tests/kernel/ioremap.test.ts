/** ioremap, iounmap, request_mem_region, /proc/iomem (arch/x86/mm/ioremap.c, kernel/resource.c; fidelity spec §3): mapping is not allocating. */
import { describe, expect, test } from 'vitest';
import { hash, type Machine } from '#kernel/machine.ts';
import { KERNEL, MiB, PAGE, boot, bootFlat, cat, freeIn, granted, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkVirtual } from '../helpers/check_virtual.ts';

/** Where vmalloc starts in a machine of 16 MiB. */
const START = 0xc1800000;
const HPET = 0xfed00000;

const ioremap = (machine: Machine, phys: number, size: number, pid = KERNEL): number =>
  granted(machine, pid, { call: 'ioremap', phys, size }).addr as number;
const check = (machine: Machine) => {
  checkMachine(machine);
  checkVirtual(machine);
};

describe('ioremap', () => {
  test('takes addresses and no frame; the offset within the page stays', () => {
    const machine = boot();
    expect(ioremap(machine, HPET + 0x123, 16)).toBe(START + 0x123);
    expect(freeIn(machine)).toBe(4096);
    expect(machine.vmap.areas).toMatchObject([{ start: START, size: 2 * PAGE, kind: 'ioremap', phys: HPET, frames: [] }]);
    check(machine);
  });

  test('a range that touches two pages maps two', () => {
    const machine = boot();
    ioremap(machine, HPET + PAGE - 1, 2);
    expect(machine.vmap.areas[0]!.size).toBe(3 * PAGE);
  });

  test('an area is aligned to its size rounded up to a power of two, up to 4 MiB (IOREMAP_MAX_ORDER)', () => {
    const machine = boot();
    expect(ioremap(machine, HPET, PAGE)).toBe(START);
    expect(ioremap(machine, 0x40000000, 3 * PAGE)).toBe(START + 4 * PAGE);
    expect(ioremap(machine, 0x40000000, MiB)).toBe(START + MiB);
    expect(ioremap(machine, 0x40000000, 16 * MiB)).toBe(START + 4 * MiB);
    expect(ioremap(machine, HPET, PAGE)).toBe(START + 2 * PAGE);
    check(machine);
  });

  test('refuses RAM that the kernel manages; reserved frames and what mem= left to a driver it maps', () => {
    const machine = boot({ frames: 4096, zones: { normal: 4096 }, reserved: 256, mem: 3072 });
    const before = hash(machine);
    for (const [phys, pfn] of [
      [256 * PAGE, 256],
      [255 * PAGE, 256],
      [3071 * PAGE, 3071],
    ] as const) {
      expect(refused(machine, KERNEL, { call: 'ioremap', phys, size: 2 * PAGE })).toMatchObject({
        errno: 'ENOMEM',
        why: { code: 'IS_RAM', pfn, owner: 0 },
      });
    }
    expect(hash(machine)).toBe(before);
    ioremap(machine, 0, 256 * PAGE);
    ioremap(machine, 3072 * PAGE, 4 * MiB);
    check(machine);
  });

  test('the lecture notes: 1 MiB of device memory at 2 GiB, through a megabyte of addresses above 896 MiB', () => {
    const machine = boot({ frames: 262144, minFreeKbytes: 0 });
    const addr = ioremap(machine, 0x80000000, MiB);
    expect(addr).toBe(0xf8800000);
    expect(cat(machine, '/proc/vmallocinfo')).toBe('0xf8800000-0xf8901000 1052672 kernel phys=0x80000000 ioremap\n');
  });

  test('more addresses than there are: refused, whatever RAM is free', () => {
    const machine = boot({ frames: 262144, minFreeKbytes: 0 });
    const { why } = refused(machine, KERNEL, { call: 'ioremap', phys: 0x80000000, size: 112 * MiB });
    expect(why).toEqual({ code: 'VMALLOC_FULL', needed: 112 * 256 + 1, freeSpace: 28670, largestHole: 28670, freePages: 262144 });
  });
});

describe('iounmap', () => {
  test('takes any address of the first page; another address, or an area of vmalloc, it refuses', () => {
    const machine = boot();
    const addr = ioremap(machine, HPET + 8, 100);
    const other = granted(machine, KERNEL, { call: 'vmalloc', size: PAGE }).addr as number;
    for (const wrong of [other, addr + PAGE, 0, 0xc0000000]) {
      expect(refused(machine, KERNEL, { call: 'iounmap', addr: wrong })).toMatchObject({
        errno: 'EINVAL',
        why: { code: 'NO_SUCH_AREA', addr: wrong },
      });
    }
    expect(refused(machine, KERNEL, { call: 'vfree', addr: START })).toMatchObject({ errno: 'EINVAL', why: { code: 'NO_SUCH_AREA' } });
    granted(machine, KERNEL, { call: 'iounmap', addr });
    expect(refused(machine, KERNEL, { call: 'iounmap', addr })).toMatchObject({ errno: 'EINVAL' });
    check(machine);
  });

  test('only by who mapped it or root; all goes with its owner', () => {
    const machine = boot();
    const [owner, other] = [spawn(machine), spawn(machine)];
    const addr = ioremap(machine, HPET, 16, owner);
    expect(refused(machine, other, { call: 'iounmap', addr })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_OWNER', pfn: HPET / PAGE, owner },
    });
    granted(machine, owner, { call: 'exit' });
    expect(machine.vmap).toMatchObject({ usedPages: 0, lazyPages: 2 });
    check(machine);
  });
});

describe('request_mem_region', () => {
  const request = (machine: Machine, phys: number, size: number, pid = KERNEL) =>
    granted(machine, pid, { call: 'request_mem_region', phys, size });

  test('claims physical addresses; who overlaps is refused, who touches is not', () => {
    const machine = boot();
    request(machine, HPET, 1024);
    request(machine, HPET + 1024, 1024);
    request(machine, HPET - 1, 1);
    const before = hash(machine);
    for (const [phys, size] of [
      [HPET, 1],
      [HPET + 2047, 4],
      [HPET - 2, 2],
      [HPET - 100, 5000],
    ] as const) {
      const answer = refused(machine, KERNEL, { call: 'request_mem_region', phys, size });
      // The function returns a pointer, so its refusal is NULL.
      expect(answer).toMatchObject({ errno: 'ENOMEM', why: { code: 'REGION_BUSY', owner: 0 } });
    }
    expect(hash(machine)).toBe(before);
    expect(cat(machine, '/proc/iomem')).toBe(
      '00000000-00ffffff : System RAM\n' + 'fecfffff-fecfffff : kernel\n' + 'fed00000-fed003ff : kernel\n' + 'fed00400-fed007ff : kernel\n',
    );
    check(machine);
  });

  test('RAM is taken; memory above mem= is not: the way of the lecture notes to more than 4 MB in one piece', () => {
    const machine = bootFlat(16384, { mem: 12288, reserved: 16 });
    expect(refused(machine, KERNEL, { call: 'request_mem_region', phys: 12287 * PAGE, size: 2 * PAGE }).why).toEqual({
      code: 'REGION_BUSY',
      start: 0,
      end: 48 * MiB - 1,
      owner: 0,
    });
    const pid = spawn(machine);
    request(machine, 48 * MiB, 16 * MiB, pid);
    ioremap(machine, 48 * MiB, 16 * MiB, pid);
    expect(cat(machine, '/proc/iomem')).toBe(
      '00000000-02ffffff : System RAM\n' + '  00000000-0000ffff : Kernel code\n' + '03000000-03ffffff : proc2\n',
    );
    granted(machine, pid, { call: 'exit' });
    request(machine, 48 * MiB, 16 * MiB);
    check(machine);
  });

  test('memory is not added where a driver claimed the addresses (register_memory_resource)', () => {
    const machine = bootFlat(1024, { maxFrames: 2048 });
    const pid = spawn(machine);
    request(machine, 6 * MiB, PAGE, pid);
    const before = hash(machine);
    expect(refused(machine, KERNEL, { call: 'add_memory', count: 513 })).toMatchObject({
      errno: 'EEXIST',
      why: { code: 'REGION_BUSY', start: 6 * MiB, owner: pid },
    });
    expect(hash(machine)).toBe(before);
    granted(machine, KERNEL, { call: 'add_memory', count: 512 });
    granted(machine, pid, { call: 'exit' });
    granted(machine, KERNEL, { call: 'add_memory', count: 512 });
    expect(cat(machine, '/proc/iomem')).toBe('00000000-007fffff : System RAM\n');
    check(machine);
  });

  test('a range above 4 GiB is malformed', () => {
    const machine = boot();
    for (const name of ['request_mem_region', 'ioremap']) {
      expect(refused(machine, KERNEL, { call: name, phys: 0xfffff000, size: PAGE + 1 })).toMatchObject({ errno: 'EINVAL', cost: 0 });
      granted(machine, KERNEL, { call: name, phys: 0xfffff000, size: PAGE });
    }
  });
});
