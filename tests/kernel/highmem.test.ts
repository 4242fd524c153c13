/** kmap, kunmap, kmap_atomic (mm/highmem.c; fidelity spec §3): addresses for pages that have none. */
import { describe, expect, test } from 'vitest';
import { call, hash, type Machine } from '#kernel/machine.ts';
import { KERNEL, PAGE, allocPages, boot, granted, refused, spawn } from '../helpers/boot.ts';
import { checkVirtual } from '../helpers/check_virtual.ts';

const PKMAP_BASE = 0xff800000;
const SLOTS = 1024;
const FIRST_HIGH = 512;

/** 2 MiB of low, 8 MiB of high memory, all of high memory taken by the kernel page by page. */
function start(): { machine: Machine; high: number[] } {
  const machine = boot({ frames: 2560, zones: { normal: FIRST_HIGH, highmem: 2048 } });
  const high: number[] = [];
  for (let n = 0; n < 2048; n++) high.push(allocPages(machine, KERNEL, 0, '__GFP_HIGHMEM'));
  expect(Math.min(...high)).toBe(FIRST_HIGH);
  return { machine, high };
}

const kmap = (machine: Machine, pfn: number, pid = KERNEL): number => granted(machine, pid, { call: 'kmap', pfn }).addr as number;
const kunmap = (machine: Machine, pfn: number, pid = KERNEL) => granted(machine, pid, { call: 'kunmap', pfn });
const slotOf = (addr: number): number => (addr - PKMAP_BASE) / PAGE;

describe('kmap', () => {
  test('a page of low memory has its address in the direct map and takes no slot', () => {
    const { machine } = start();
    const pfn = allocPages(machine, KERNEL, 0);
    expect(kmap(machine, pfn)).toBe(0xc0000000 + pfn * PAGE);
    expect(machine.highmem.busy).toBe(0);
    kunmap(machine, pfn);
  });

  test('slots are taken round robin from the one after the last: the first is slot 1', () => {
    const { machine, high } = start();
    expect(high.slice(0, 3).map((pfn) => slotOf(kmap(machine, pfn)))).toEqual([1, 2, 3]);
    checkVirtual(machine);
  });

  test('a page that is mapped keeps its address; each kmap counts', () => {
    const { machine, high } = start();
    const addr = kmap(machine, high[0]!);
    expect(kmap(machine, high[0]!)).toBe(addr);
    expect(machine.highmem.counts[1]).toBe(3);
    kunmap(machine, high[0]!);
    expect(kmap(machine, high[1]!)).toBe(addr + PAGE);
    checkVirtual(machine);
  });

  test('after the last kunmap the slot is not free: its count is 1 until the round wraps, and the page still has its address', () => {
    const { machine, high } = start();
    const addr = kmap(machine, high[0]!);
    kunmap(machine, high[0]!);
    expect(machine.highmem.counts[1]).toBe(1);
    expect(slotOf(kmap(machine, high[1]!))).toBe(2);
    expect(kmap(machine, high[0]!)).toBe(addr);
    checkVirtual(machine);
  });

  test('when the round comes to slot 0 all unused slots are flushed at once (flush_all_zero_pkmaps)', () => {
    const { machine, high } = start();
    for (let n = 0; n < SLOTS - 1; n++) {
      expect(slotOf(kmap(machine, high[n]!))).toBe(n + 1);
      kunmap(machine, high[n]!);
    }
    expect([...machine.highmem.counts].filter((count) => count === 1)).toHaveLength(SLOTS - 1);
    expect(slotOf(kmap(machine, high[2000]!))).toBe(0);
    expect([...machine.highmem.counts].filter((count) => count !== 0)).toHaveLength(1);
    expect(machine.highmem.slotOf.size).toBe(1);
    expect(slotOf(kmap(machine, high[0]!))).toBe(1);
    checkVirtual(machine);
  });

  test('with all 1,024 slots in use the caller would sleep; nothing changes; one kunmap and it gets a slot', () => {
    const { machine, high } = start();
    for (let n = 0; n < SLOTS; n++) kmap(machine, high[n]!);
    const before = hash(machine);
    expect(refused(machine, KERNEL, { call: 'kmap', pfn: high[SLOTS]! })).toMatchObject({ errno: 'EAGAIN', why: { code: 'WOULD_SLEEP' } });
    expect(hash(machine)).toBe(before);
    expect(slotOf(kmap(machine, high[5]!))).toBe(6);
    kunmap(machine, high[5]!);
    kunmap(machine, high[77]!);
    expect(slotOf(kmap(machine, high[SLOTS]!))).toBe(78);
    checkVirtual(machine);
  });

  test('a process maps its own pages only, and its mappings go when it dies', () => {
    const { machine, high } = start();
    const pid = spawn(machine);
    expect(refused(machine, pid, { call: 'kmap', pfn: high[0]! })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_OWNER', pfn: high[0]!, owner: 0 },
    });
    granted(machine, KERNEL, { call: 'free_pages', pfn: high[0]!, order: 0 });
    const pfn = allocPages(machine, pid, 0, '__GFP_HIGHMEM');
    expect(pfn).toBe(high[0]);
    kmap(machine, pfn, pid);
    kmap(machine, pfn, pid);
    kmap(machine, pfn, KERNEL);
    expect(machine.highmem.counts[1]).toBe(4);
    const other = spawn(machine);
    expect(refused(machine, other, { call: 'kunmap', pfn })).toMatchObject({ errno: 'EPERM', why: { code: 'NOT_OWNER', owner: pid } });
    granted(machine, KERNEL, { call: 'kill', target: pid, sig: 9 });
    expect(machine.highmem.counts[1]).toBe(2);
    checkVirtual(machine);
  });

  test('refuses pages that are free, not there, or a process’s own, and kunmap of what nobody mapped', () => {
    const { machine, high } = start();
    const pid = spawn(machine);
    const refusals: [number, Record<string, unknown>, Record<string, unknown>][] = [
      [KERNEL, { call: 'kmap', pfn: 2560 }, { errno: 'EINVAL', why: { code: 'BAD_PAGE', pfn: 2560, order: 0 } }],
      [KERNEL, { call: 'kmap', pfn: 300 }, { errno: 'EINVAL', why: { code: 'BAD_PAGE', pfn: 300, order: 0 } }],
      [KERNEL, { call: 'kmap', pfn: machine.tasks.get(pid)!.mm.pgd }, { errno: 'EINVAL', why: { code: 'NOT_KERNEL_PAGE' } }],
      [KERNEL, { call: 'kunmap', pfn: high[3]! }, { errno: 'EINVAL', why: { code: 'NOT_KMAPPED' } }],
      [KERNEL, { call: 'kunmap', pfn: 1 << 20 }, { errno: 'EINVAL', why: { code: 'BAD_PAGE' } }],
    ];
    for (const [who, request, answer] of refusals) {
      const before = hash(machine);
      expect(call(machine, who, request as { call: string })).toMatchObject({ ok: false, ...answer });
      expect(hash(machine)).toBe(before);
    }
  });
});

describe('kmap_atomic', () => {
  const atomic = (machine: Machine, pfn: number, pid = KERNEL) => granted(machine, pid, { call: 'kmap_atomic', pfn }).addr as number;

  test('fixed slots as a stack: the first at 0xfffba000, each further one a page lower, last in first out', () => {
    const { machine, high } = start();
    expect([0, 1, 2].map((n) => atomic(machine, high[n]!))).toEqual([0xfffba000, 0xfffb9000, 0xfffb8000]);
    expect(refused(machine, KERNEL, { call: 'kunmap_atomic', addr: 0xfffba000 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'KMAP_ATOMIC_ORDER', addr: 0xfffba000, top: 0xfffb8000 },
    });
    for (const addr of [0xfffb8000, 0xfffb9000, 0xfffba123]) granted(machine, KERNEL, { call: 'kunmap_atomic', addr });
    expect(refused(machine, KERNEL, { call: 'kunmap_atomic', addr: 0xfffba000 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'NO_SUCH_AREA' },
    });
    checkVirtual(machine);
  });

  test('never waits: works while every slot of kmap is in use; nests 16 deep and no deeper', () => {
    const { machine, high } = start();
    for (let n = 0; n < SLOTS; n++) kmap(machine, high[n]!);
    for (let n = 0; n < 16; n++) atomic(machine, high[n]!);
    expect(refused(machine, KERNEL, { call: 'kmap_atomic', pfn: high[0]! })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'KMAP_ATOMIC_FULL', slots: 16 },
    });
  });

  test('a page of low memory gets its direct address; giving that back is nothing', () => {
    const { machine } = start();
    const pfn = allocPages(machine, KERNEL, 0);
    const addr = atomic(machine, pfn);
    expect(addr).toBe(0xc0000000 + pfn * PAGE);
    granted(machine, KERNEL, { call: 'kunmap_atomic', addr });
  });

  test('each process has its own stack (kmap_local since 5.11), which ends with it', () => {
    const { machine } = start();
    const [a, b] = [spawn(machine), spawn(machine)];
    for (const pfn of [600, 601]) granted(machine, KERNEL, { call: 'free_pages', pfn, order: 0 });
    const pa = allocPages(machine, a, 0, '__GFP_HIGHMEM');
    const pb = allocPages(machine, b, 0, '__GFP_HIGHMEM');
    expect(atomic(machine, pa, a)).toBe(atomic(machine, pb, b));
    granted(machine, a, { call: 'exit' });
    expect([...machine.highmem.atomic.keys()]).toEqual([b]);
    checkVirtual(machine);
  });
});
