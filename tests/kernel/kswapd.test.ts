/** kswapd for orders above 0, and kcompactd behind it (mm/vmscan.c balance_pgdat, kswapd_shrink_node; mm/compaction.c kcompactd_do_work). */
import { largestFreeOrder } from '#kernel/mm/buddy.ts';
import { describe, expect, test } from 'vitest';
import { type Machine, call, hash, restore, snapshot, tick } from '#kernel/machine.ts';
import { KERNEL, PAGE, allocPages, bootFlat, cat, freeIn, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';
import { parseVmstat } from '../helpers/procText.ts';

const vmstat = (machine: Machine) => parseVmstat(cat(machine, '/proc/vmstat'));

function sound(machine: Machine): void {
  checkMachine(machine);
  checkReclaim(machine);
}

/** The largest order with a free block. */
const largest = (machine: Machine): number => largestFreeOrder(machine.zones);

/** Free pages in every second place: 120 pages of a process, 120 free ones between them; nothing larger than a page is free. */
function chequered(config: Record<string, unknown> = {}) {
  const machine = bootFlat(256, { swap: { slots: 512 }, minFreeKbytes: 32, ...config });
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 230);
  touch(machine, pid, 'write', addr, 230);
  for (let n = 0; n < 230; n += 2) granted(machine, pid, { call: 'munmap', addr: addr + n * PAGE, length: PAGE });
  while (largest(machine) > 0 && call(machine, KERNEL, { call: 'alloc_pages', order: largest(machine), gfp: 'GFP_NOWAIT' }).ok);
  return { machine, pid };
}

describe('an order that was asked for in vain', () => {
  test('wakes kswapd, which remembers the highest one', () => {
    const { machine } = chequered();
    expect(machine.lru).toMatchObject({ kswapdWoken: false, kswapdOrder: 0 });
    expect(call(machine, KERNEL, { call: 'alloc_pages', order: 2, gfp: 'GFP_ATOMIC' })).toMatchObject({ why: { code: 'FRAGMENTED' } });
    expect(call(machine, KERNEL, { call: 'alloc_pages', order: 1, gfp: 'GFP_ATOMIC' })).toMatchObject({ ok: false });
    expect(machine.lru).toMatchObject({ kswapdWoken: true, kswapdOrder: 2 });
    const twin = restore(snapshot(machine));
    tick(machine);
    tick(twin);
    expect(hash(twin)).toBe(hash(machine));
    expect(machine.lru).toMatchObject({ kswapdWoken: false, kswapdOrder: 0 });
    sound(machine);
  });

  test('is there after the tick: twice its pages are freed at least, and kcompactd moves the rest together', () => {
    const { machine } = chequered();
    call(machine, KERNEL, { call: 'alloc_pages', order: 4, gfp: 'GFP_ATOMIC' });
    tick(machine);
    expect(vmstat(machine)).toMatchObject({ compact_daemon_wake: 1, pageoutrun: 1 });
    expect(vmstat(machine).compact_daemon_migrate_scanned).toBeGreaterThan(0);
    expect(vmstat(machine).pgmigrate_success).toBeGreaterThan(0);
    // More than enough was free at order 0: nobody had to go far.
    expect(vmstat(machine).pgsteal_kswapd).toBeLessThan(120);
    expect(call(machine, KERNEL, { call: 'alloc_pages', order: 4, gfp: 'GFP_ATOMIC' })).toMatchObject({ ok: true });
    sound(machine);
  });

  test('is not cleared away for: a kernel page in every block stays, and kcompactd puts itself off', () => {
    const machine = bootFlat(256, { swap: { slots: 512 }, minFreeKbytes: 32 });
    const pages: number[] = [];
    while (freeIn(machine) > 14) pages.push(allocPages(machine, KERNEL, 0));
    for (const pfn of pages) if (pfn % 4 !== 0) granted(machine, KERNEL, { call: 'free_pages', pfn, order: 0 });
    for (let n = 0; n < 5; n++) {
      expect(call(machine, KERNEL, { call: 'alloc_pages', order: 4, gfp: 'GFP_ATOMIC' })).toMatchObject({ why: { code: 'FRAGMENTED' } });
      tick(machine);
    }
    sound(machine);
    expect(vmstat(machine).pgmigrate_success).toBe(0);
    expect(machine.zones[0]!.compact.deferShift).toBeGreaterThan(0);
  });

  test('with the order there already, nobody is woken for it', () => {
    const machine = bootFlat(256, { swap: { slots: 64 }, minFreeKbytes: 32 });
    granted(machine, KERNEL, { call: 'alloc_pages', order: 3, gfp: 'GFP_ATOMIC' });
    expect(machine.lru.kswapdWoken).toBe(false);
    tick(machine);
    expect(vmstat(machine)).toMatchObject({ compact_daemon_wake: 0, pageoutrun: 0 });
  });

  test('2.6.32 has no compaction: kswapd frees, and that is all', () => {
    const { machine } = chequered({ rules: '2.6.32' });
    call(machine, KERNEL, { call: 'alloc_pages', order: 5, gfp: 'GFP_ATOMIC' });
    expect(machine.lru.kswapdOrder).toBe(5);
    tick(machine);
    expect(vmstat(machine)).toMatchObject({ compact_daemon_wake: 0, pgmigrate_success: 0 });
    sound(machine);
  });

  test('a machine without disk and swap has neither of them', () => {
    const { machine } = chequered({ swap: undefined });
    call(machine, KERNEL, { call: 'alloc_pages', order: 3, gfp: 'GFP_ATOMIC' });
    const { kswapdWoken } = machine.lru;
    expect(kswapdWoken).toBe(false);
  });
});
