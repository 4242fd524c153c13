/** /proc/zoneinfo under the rules of 2.6.32 (mm/vmstat.c of 2.6.32; fidelity spec §4 and §18, tag [K26]). */
import { describe, expect, test } from 'vitest';
import { createMachine } from '#kernel/machine.ts';
import { batchOf } from '#kernel/fs/proc/zoneinfo26.ts';
import { inactiveRatio } from '#kernel/mm/vmscan26.ts';
import { PAGE, RW, allocPages, boot, cat, granted, KERNEL, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

/** Zone by zone: label → number. */
const zonesOf = (text: string): Map<string, number>[] =>
  text
    .split(/^(?=Node )/m)
    .map((block) => new Map([...block.matchAll(/^ +(?:pages )?(\w+):? +(\d+)$/gm)].map(([, name, value]) => [name!, Number(value)])));

describe('/proc/zoneinfo of 2.6.32', () => {
  test('its lines in their order: scanned, no managed, every counter by zone, pagesets, and what reclaim knows', () => {
    const machine = boot({ rules: '2.6.32', frames: 1024, zones: { dma: 64, normal: 832, highmem: 128 }, minFreeKbytes: 120 });
    const [dma] = cat(machine, '/proc/zoneinfo').split(/^(?=Node )/m);
    expect(dma).toBe(`Node 0, zone      DMA
  pages free     64
        min      2
        low      2
        high     3
        scanned  0
        spanned  64
        present  64
    nr_free_pages 64
    nr_inactive_anon 0
    nr_active_anon 0
    nr_inactive_file 0
    nr_active_file 0
    nr_unevictable 0
    nr_mlock     0
    nr_anon_pages 0
    nr_mapped    0
    nr_file_pages 0
    nr_dirty     0
    nr_writeback 0
    nr_slab_reclaimable 0
    nr_slab_unreclaimable 0
    nr_page_table_pages 0
    nr_kernel_stack 0
    nr_unstable  0
    nr_bounce    0
    nr_vmscan_write 0
    nr_writeback_temp 0
    nr_isolated_anon 0
    nr_isolated_file 0
    nr_shmem     0
        protection: (0, 3, 3, 3)
  pagesets
    cpu: 0
              count: 0
              high:  0
              batch: 1
  all_unreclaimable: 0
  prev_priority:     12
  start_pfn:         0
  inactive_ratio:    1
`);
  });

  test('the counters of the zones add up to those of /proc/vmstat', () => {
    const files = [
      { path: '/text', bytes: 20 * PAGE },
      { path: '/log', bytes: 20 * PAGE },
    ];
    const machine = boot({
      rules: '2.6.32',
      frames: 512,
      zones: { dma: 64, normal: 384, highmem: 64 },
      disk: { files },
      swap: { slots: 512 },
    });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 400);
    touch(machine, pid, 'write', addr, 380);
    const shared = granted(machine, pid, { call: 'mmap', length: 8 * PAGE, prot: RW, flags: 'MAP_SHARED|MAP_ANONYMOUS' }).addr as number;
    touch(machine, pid, 'write', shared, 5);
    const fd = granted(machine, pid, { call: 'open', path: '/log' }).fd as number;
    granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: 6 * PAGE });
    granted(machine, pid, { call: 'pread', fd, offset: 8 * PAGE, length: 4 * PAGE });
    const mapped = granted(machine, pid, { call: 'mmap', length: 4 * PAGE, prot: 'PROT_READ', flags: 'MAP_PRIVATE', fd });
    granted(machine, pid, { call: 'read', addr: mapped.addr, length: 4 * PAGE });
    granted(machine, KERNEL, { call: 'kmalloc', size: 100, gfp: 'GFP_KERNEL' });
    granted(machine, pid, { call: 'kmalloc', size: 20000, gfp: 'GFP_KERNEL' });
    const cache = granted(machine, KERNEL, { call: 'kmem_cache_create', name: 'inodes', size: 300, flags: 'SLAB_RECLAIM_ACCOUNT' }).cache;
    granted(machine, KERNEL, { call: 'kmem_cache_alloc', cache });
    touch(machine, pid, 'write', addr, 30);
    checkMachine(machine);
    const zones = zonesOf(cat(machine, '/proc/zoneinfo'));
    expect(zones.length).toBe(3);
    const vmstat = new Map([...cat(machine, '/proc/vmstat').matchAll(/^(\w+) (\d+)$/gm)].map(([, name, value]) => [name!, Number(value)]));
    const names = [...zones[0]!.keys()].filter((name) => name.startsWith('nr_') && vmstat.has(name));
    expect(names.length).toBeGreaterThan(12);
    const sums = names.map((name) => [name, zones.reduce((sum, zone) => sum + zone.get(name)!, 0)]);
    expect(Object.fromEntries(sums)).toEqual(Object.fromEntries(names.map((name) => [name, vmstat.get(name)])));
    for (const name of ['nr_anon_pages', 'nr_shmem', 'nr_dirty', 'nr_slab_reclaimable', 'nr_slab_unreclaimable', 'nr_page_table_pages'])
      expect(vmstat.get(name), name).toBeGreaterThan(0);
  });

  test('protection has four numbers, the last of Movable: those of a published dump of 4 GB (0, 873, 4048, 4048)', () => {
    const zones = { dma: 4064, normal: 223520, highmem: 812800 };
    const machine = createMachine({ rules: '2.6.32', frames: 4064 + 223520 + 812800, zones });
    const found = [...cat(machine, '/proc/zoneinfo').matchAll(/protection: \((.*)\)/g)].map(([, numbers]) => numbers);
    expect(found).toEqual(['0, 873, 4048, 4048', '0, 0, 25400, 25400', '0, 0, 0, 0']);
    // The same dump: hi: 186, btch: 31 for Normal; and of a small zone, as all such dumps have it, hi: 0, btch: 1.
    expect(zonesOf(cat(machine, '/proc/zoneinfo')).map((zone) => [zone.get('high'), zone.get('batch')])).toMatchObject([
      [0, 1],
      [186, 31],
      [186, 31],
    ]);
    expect(machine.zones.map(batchOf)).toEqual([0, 31, 31]);
    expect(machine.zones.map(inactiveRatio)).toEqual([1, 1, 5]);
  });

  test('6.x has its own', () => {
    const text = cat(boot(), '/proc/zoneinfo');
    expect(text).toContain('managed');
    expect(text).not.toContain('scanned');
  });
});

test('an allocation moves the numbers of its zone only', () => {
  const machine = boot({ rules: '2.6.32', frames: 1024, zones: { dma: 64, normal: 960 } });
  allocPages(machine, KERNEL, 3, 'GFP_DMA');
  expect(zonesOf(cat(machine, '/proc/zoneinfo')).map((zone) => zone.get('nr_free_pages'))).toEqual([56, 960]);
});
