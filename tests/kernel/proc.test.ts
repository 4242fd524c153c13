/** /proc, byte for byte (fidelity spec §18; the shapes are those of files of a Linux 6.18 machine, values ours). */
import { beforeAll, describe, expect, test } from 'vitest';
import { hash } from '#kernel/machine.ts';
import { KERNEL, boot, bootFlat, cat, freeIn, granted } from '../helpers/boot.ts';
import { busy } from '../helpers/busy.ts';
import { linesOf, parseBuddyinfo, parseMeminfo, parseVmstat } from '../helpers/procText.ts';

let at: ReturnType<typeof busy>;
beforeAll(() => {
  at = busy();
});

describe('/proc/buddyinfo', () => {
  test('`Node %d, zone %8s ` and eleven times `%6lu `', () => {
    const lines = linesOf(cat(at.machine, '/proc/buddyinfo'));
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/^Node 0, zone {1,8}\S+ (?: *\d+ ){11}$/);
    expect(lines.map((line) => line.slice(0, 22))).toEqual(['Node 0, zone      DMA ', 'Node 0, zone   Normal ', 'Node 0, zone  HighMem ']);
    expect(lines.map((line) => line.length)).toEqual([99, 99, 99]);
  });

  test('a zone that is one block of order 10', () => {
    expect(cat(bootFlat(1024), '/proc/buddyinfo')).toBe(
      'Node 0, zone   Normal      0      0      0      0      0      0      0      0      0      0      1 \n',
    );
  });

  test('Σ nr_free × 2^order is what zoneinfo calls free', () => {
    const zoneinfo = cat(at.machine, '/proc/zoneinfo');
    const free = [...zoneinfo.matchAll(/^ {2}pages free {5}(\d+)$/gm)].map((found) => Number(found[1]));
    const sums = Object.values(parseBuddyinfo(cat(at.machine, '/proc/buddyinfo'))).map((blocks) =>
      blocks.reduce((sum, count, order) => sum + count * 2 ** order, 0),
    );
    expect(sums).toEqual(free);
  });
});

describe('/proc/meminfo', () => {
  test('labels in 16 columns, values `%8lu kB`', () => {
    for (const line of linesOf(cat(at.machine, '/proc/meminfo'))) expect(line).toMatch(/^[A-Z][A-Za-z_()]+: *\d+ kB$/);
    for (const line of linesOf(cat(at.machine, '/proc/meminfo'))) {
      expect(line.indexOf(':')).toBeLessThan(16);
      expect(line).toHaveLength(27);
    }
  });

  test('the labels stand in the kernel’s order', () => {
    // fs/proc/meminfo.c, the lines that a machine without files, swap and slab has; High… and Low… with CONFIG_HIGHMEM.
    const ORDER = [
      'MemTotal',
      'MemFree',
      'MemAvailable',
      'Buffers',
      'Cached',
      'SwapCached',
      'Active',
      'Inactive',
      'Active(anon)',
      'Inactive(anon)',
      'Active(file)',
      'Inactive(file)',
      'Unevictable',
      'Mlocked',
      'HighTotal',
      'HighFree',
      'LowTotal',
      'LowFree',
      'SwapTotal',
      'SwapFree',
      'Zswap',
      'Zswapped',
      'Dirty',
      'Writeback',
      'AnonPages',
      'Mapped',
      'Shmem',
      'KReclaimable',
      'Slab',
      'SReclaimable',
      'SUnreclaim',
      'KernelStack',
      'PageTables',
      'SecPageTables',
      'NFS_Unstable',
      'Bounce',
      'WritebackTmp',
      'CommitLimit',
      'Committed_AS',
      'VmallocTotal',
      'VmallocUsed',
      'VmallocChunk',
      'CmaTotal',
      'CmaFree',
    ];
    const labels = Object.keys(parseMeminfo(cat(at.machine, '/proc/meminfo')));
    expect(labels).toEqual(ORDER.filter((label) => labels.includes(label)));
    for (const must of [
      'MemTotal',
      'MemFree',
      'MemAvailable',
      'HighTotal',
      'AnonPages',
      'Shmem',
      'PageTables',
      'CommitLimit',
      'Committed_AS',
    ])
      expect(labels).toContain(must);
    expect(Object.keys(parseMeminfo(cat(bootFlat(64), '/proc/meminfo')))).not.toContain('HighTotal');
  });

  test('the values are the machine’s', () => {
    const { machine } = at;
    const meminfo = parseMeminfo(cat(machine, '/proc/meminfo'));
    const tables = [...machine.tasks.values()].reduce((sum, task) => sum + task.mm.tables, 0);
    expect(meminfo).toMatchObject({
      MemTotal: 4096,
      MemFree: freeIn(machine) * 4,
      HighTotal: 1024,
      LowTotal: 3072,
      AnonPages: (20 + 2 + 1) * 4,
      Shmem: 12,
      Cached: 12,
      Mapped: 12,
      PageTables: tables * 4,
      CommitLimit: 2048,
      Committed_AS: (20 + 6 + 4 + 20 + 4) * 4,
    });
    expect(meminfo.HighFree! + meminfo.LowFree!).toBe(meminfo.MemFree);
  });
});

describe('/proc/zoneinfo', () => {
  const block = () => cat(at.machine, '/proc/zoneinfo').split(/^(?=Node )/m);

  test('a block a zone, in the real file’s lines and order', () => {
    expect(block().map((text) => text.split('\n')[0])).toEqual(['Node 0, zone      DMA', 'Node 0, zone   Normal', 'Node 0, zone  HighMem']);
    // The literal lines of a Linux 6.18 zoneinfo, numbers replaced by one digit.
    const SAMPLE = [
      '  pages free     9',
      '        boost    9',
      '        min      9',
      '        low      9',
      '        high     9',
      '        promo    9',
      '        spanned  9',
      '        present  9',
      '        managed  9',
      '        cma      9',
      '        protection: (9)',
      '      nr_free_pages 9',
      '      nr_free_pages_blocks 9',
      '      nr_zone_inactive_anon 9',
      '      nr_zone_active_anon 9',
      '      nr_zone_inactive_file 9',
      '      nr_zone_active_file 9',
      '      nr_zone_unevictable 9',
      '      nr_zone_write_pending 9',
      '      nr_mlock     9',
      '      nr_zspages   9',
      '      nr_free_cma  9',
      '  pagesets',
      '    cpu: 9',
      '              count:    9',
      '              high:     9',
      '              batch:    9',
      '              high_min: 9',
      '              high_max: 9',
      '  vm stats threshold: 9',
      '  node_unreclaimable:  9',
      '  start_pfn:           9',
    ];
    for (const text of block()) {
      const lines = linesOf(text)
        .slice(1)
        .map((line) =>
          line
            .replace(/\([\d, ]+\)/, '(9)')
            .replace(/\d+$/, '9')
            .replace(/-\d+/, '9'),
        );
      const own = lines.slice(lines.findIndex((line) => line.startsWith('  pages free')));
      expect(own).toEqual(SAMPLE.filter((line) => own.includes(line)));
      expect(own.slice(0, 11)).toEqual(SAMPLE.slice(0, 11));
      expect(own.at(-1)).toBe('  start_pfn:           9');
    }
  });

  test('the per-node lines stand in the first block only, `      %-12s %lu`', () => {
    const [first, ...others] = block();
    expect(first).toMatch(/^Node 0, zone {6}DMA\n {2}per-node stats\n(?: {6}[a-z_]+ +\d+\n)+ {2}pages free/);
    for (const other of others) expect(other).not.toContain('per-node');
    for (const line of linesOf(first!).filter((each) => /^ {6}nr_/.test(each))) {
      expect(line).toMatch(/^ {6}(?=.{12} )\S+ * \d+$|^ {6}\S{13,} \d+$/);
    }
    expect(first).toContain('      nr_mapped    3\n');
    expect(first).toContain('      nr_anon_pages 23\n');
  });

  test('protection has a number for each zone, commas and blanks between', () => {
    const found = [...cat(at.machine, '/proc/zoneinfo').matchAll(/^ {8}protection: \((.*)\)$/gm)].map((each) =>
      each[1]!.split(', ').map(Number),
    );
    expect(found.map((numbers) => numbers.slice(0, 3))).toEqual([
      [0, Math.floor(640 / 256), Math.floor(896 / 256)],
      [0, 0, 8],
      [0, 0, 0],
    ]);
  });
});

describe('/proc/vmstat', () => {
  test('`name value`, names in the order of the kernel’s list', () => {
    // include/linux/vmstat.h and mm/vmstat.c, 6.18, with pgalloc_high and allocstall_high as CONFIG_HIGHMEM has them.
    const ORDER = (
      'nr_free_pages nr_free_pages_blocks nr_zone_inactive_anon nr_zone_active_anon nr_zone_inactive_file nr_zone_active_file nr_zone_unevictable nr_zone_write_pending ' +
      'nr_mlock nr_bounce nr_zspages nr_free_cma nr_inactive_anon nr_active_anon nr_inactive_file nr_active_file nr_unevictable nr_slab_reclaimable nr_slab_unreclaimable ' +
      'nr_isolated_anon nr_isolated_file workingset_nodes workingset_refault_anon workingset_refault_file workingset_activate_anon workingset_activate_file ' +
      'workingset_restore_anon workingset_restore_file nr_anon_pages nr_mapped nr_file_pages nr_dirty nr_writeback nr_shmem nr_dirtied nr_written nr_kernel_stack nr_page_table_pages nr_swapcached ' +
      'nr_dirty_threshold nr_dirty_background_threshold pgpgin pgpgout pswpin pswpout pgalloc_dma pgalloc_dma32 pgalloc_normal pgalloc_high pgalloc_movable ' +
      'allocstall_dma allocstall_dma32 allocstall_normal allocstall_high allocstall_movable pgskip_dma pgskip_dma32 pgskip_normal pgskip_high pgskip_movable pgfree pgactivate ' +
      'pgdeactivate pglazyfree pgfault pgmajfault pglazyfreed pgrefill pgreuse pgsteal_kswapd pgsteal_direct pgscan_kswapd pgscan_direct pgscan_anon pgscan_file ' +
      'pgsteal_anon pgsteal_file slabs_scanned kswapd_inodesteal kswapd_low_wmark_hit_quickly kswapd_high_wmark_hit_quickly pageoutrun pgrotated drop_pagecache drop_slab ' +
      'oom_kill pgmigrate_success pgmigrate_fail compact_migrate_scanned compact_free_scanned compact_isolated compact_stall compact_fail compact_success compact_daemon_wake compact_daemon_migrate_scanned compact_daemon_free_scanned cma_alloc_success cma_alloc_fail ' +
      'unevictable_pgs_culled unevictable_pgs_scanned unevictable_pgs_rescued unevictable_pgs_mlocked unevictable_pgs_munlocked unevictable_pgs_cleared unevictable_pgs_stranded nr_tlb_local_flush_all nr_tlb_local_flush_one'
    ).split(' ');
    const names = Object.keys(parseVmstat(cat(at.machine, '/proc/vmstat')));
    expect(names).toEqual(ORDER.filter((name) => names.includes(name)));
    for (const must of [
      'nr_free_pages',
      'pgfault',
      'pgmajfault',
      'pgalloc_normal',
      'pgfree',
      'pgsteal_kswapd',
      'pgscan_direct',
      'pswpin',
      'allocstall_normal',
      'compact_stall',
      'oom_kill',
    ]) {
      expect(names).toContain(must);
    }
  });

  test('counts pages, not blocks, by the zone that gave them', () => {
    const machine = boot({ frames: 256, zones: { dma: 64, normal: 128, highmem: 64 } });
    granted(machine, KERNEL, { call: 'alloc_pages', order: 4, gfp: 'GFP_KERNEL' });
    granted(machine, KERNEL, { call: 'alloc_pages', order: 1, gfp: 'GFP_DMA' });
    const { pfn } = granted(machine, KERNEL, { call: 'alloc_pages', order: 3, gfp: 'GFP_HIGHUSER' });
    granted(machine, KERNEL, { call: 'free_pages', pfn, order: 3 });
    expect(parseVmstat(cat(machine, '/proc/vmstat'))).toMatchObject({
      pgalloc_normal: 16,
      pgalloc_dma: 2,
      pgalloc_high: 8,
      pgfree: 8,
      nr_free_pages: 238,
    });
  });
});

test('looking changes nothing', () => {
  const before = hash(at.machine);
  const files = [
    'buddyinfo',
    'meminfo',
    'zoneinfo',
    'vmstat',
    'kmsg',
    ...['maps', 'smaps', 'status', 'statm', 'oom_score'].map((name) => `${at.pid}/${name}`),
  ];
  for (const file of files) cat(at.machine, `/proc/${file}`, at.child);
  expect(hash(at.machine)).toBe(before);
});
