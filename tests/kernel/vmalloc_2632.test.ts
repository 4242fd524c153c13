/** vmalloc's space under the rules of 2.6.32 (mm/vmalloc.c of 2.6.32, get_vm_area and alloc_vmap_area; fidelity spec §8, tag [K26]). */
import { describe, expect, test } from 'vitest';
import type { Machine } from '#kernel/machine.ts';
import { KERNEL, MiB, PAGE, bootFlat, cat, granted, refused } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkVirtual } from '../helpers/check_virtual.ts';
import { parseMeminfo } from '../helpers/procText.ts';

const HPET = 0xfed00000;
const BASE = 0xe0000000;
const spaceOf = (pages: number, rules = '2.6.32', arch = 'i386'): Machine =>
  bootFlat(4096, arch === 'i386' ? { rules, vmalloc: { start: BASE, end: BASE + pages * PAGE } } : { rules, arch });
const vmalloc = (machine: Machine, pages: number): number =>
  granted(machine, KERNEL, { call: 'vmalloc', size: pages * PAGE }).addr as number;
const vfree = (machine: Machine, addr: number) => granted(machine, KERNEL, { call: 'vfree', addr });
const ioremap = (machine: Machine, size: number): number => granted(machine, KERNEL, { call: 'ioremap', phys: HPET, size }).addr as number;
const check = (machine: Machine) => {
  checkMachine(machine);
  checkVirtual(machine);
};
const rulesOf = ['6.x', '2.6.32'] as const;

describe.each(rulesOf)('%s', (rules) => {
  test('the size of an area counts its guard page (get_vm_area: “we always allocate a guard page”)', () => {
    const machine = spaceOf(64, rules);
    vmalloc(machine, 3);
    ioremap(machine, 2 * PAGE);
    expect(machine.vmap.areas.map(({ size }) => size / PAGE)).toEqual([4, 3]);
    const sizes = cat(machine, '/proc/vmallocinfo').matchAll(/^0x(\w+)-0x(\w+) +(\d+) /gm);
    for (const [, from, to, size] of sizes) expect(Number.parseInt(to!, 16) - Number.parseInt(from!, 16)).toBe(Number(size));
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).VmallocUsed).toBe(7 * 4);
    check(machine);
  });
});

test('behind each area a page stays free beside the guard page: areas of one page lie three pages apart, since 2.6.36 two', () => {
  const starts = (rules: string) => {
    const machine = spaceOf(64, rules);
    return [1, 1, 3, 1].map((pages) => (vmalloc(machine, pages) - BASE) / PAGE);
  };
  expect(starts('2.6.32')).toEqual([0, 3, 6, 11]);
  expect(starts('6.x')).toEqual([0, 2, 4, 8]);
});

test('before the next area no page need stay free: where one of one page was, one of two fits', () => {
  const machine = spaceOf(64);
  const [, second] = [vmalloc(machine, 1), vmalloc(machine, 1), vmalloc(machine, 1)];
  vmalloc(machine, 54);
  vfree(machine, second);
  expect(refused(machine, KERNEL, { call: 'vmalloc', size: 3 * PAGE })).toMatchObject({
    why: { code: 'VMALLOC_FRAGMENTED', needed: 4, freeSpace: 5, largestHole: 3 },
  });
  expect(vmalloc(machine, 2)).toBe(second);
  check(machine);
});

test('what fills the space in 6.x does not in 2.6.32: four areas of three pages with their guard pages in 16', () => {
  const filled = (rules: string) => {
    const machine = spaceOf(16, rules);
    for (let n = 0; n < 3; n++) vmalloc(machine, 3);
    return machine;
  };
  expect(vmalloc(filled('6.x'), 3)).toBe(BASE + 12 * PAGE);
  const machine = filled('2.6.32');
  expect(refused(machine, KERNEL, { call: 'vmalloc', size: 3 * PAGE })).toMatchObject({
    errno: 'ENOMEM',
    why: { code: 'VMALLOC_FRAGMENTED', needed: 4, freeSpace: 4, largestHole: 1 },
  });
  check(machine);
});

describe('ioremap aligns its area', () => {
  test('2.6.32 to the power of two above the size, up to 128 pages (fls, IOREMAP_MAX_ORDER 7 + PAGE_SHIFT); 6.x to that of the size', () => {
    const second = (rules: string, size: number) => {
      const machine = spaceOf(8192, rules);
      vmalloc(machine, 1);
      return (ioremap(machine, size) - BASE) / PAGE;
    };
    expect([PAGE, 3 * PAGE, 4 * PAGE, MiB].map((size) => second('2.6.32', size))).toEqual([4, 4, 8, 128]);
    expect([PAGE, 3 * PAGE, 4 * PAGE, MiB].map((size) => second('6.x', size))).toEqual([2, 4, 4, 256]);
  });

  test('on x86_64 up to 1 GiB (PUD_SHIFT)', () => {
    const machine = bootFlat(4096, { arch: 'x86_64' });
    vmalloc(machine, 1);
    const start = machine.vmap.areas[0]!.start;
    granted(machine, KERNEL, { call: 'ioremap', phys: 0x40000000, size: 16 * MiB });
    expect(machine.vmap.areas[1]!.start - start).toBe(16 * MiB);
  });
});

test('/proc/vmallocinfo has no freed areas, and the address behind ioremap without 0x', () => {
  const machine = spaceOf(64);
  const addr = vmalloc(machine, 1);
  ioremap(machine, PAGE);
  vfree(machine, addr);
  expect(cat(machine, '/proc/vmallocinfo')).toBe('0xe0004000-0xe0006000    8192 kernel phys=fed00000 ioremap\n');
});
