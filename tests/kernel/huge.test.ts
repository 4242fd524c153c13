/** Transparent huge pages of 2 MiB (mm/huge_memory.c; Documentation/admin-guide/mm/transhuge.rst): when they come, what they save, how they are cut. */
import { nrFree } from '#kernel/mm/buddy.ts';
import { describe, expect, test } from 'vitest';
import { type Machine, hash, restore, snapshot } from '#kernel/machine.ts';
import { FIXED, KERNEL, MiB, PAGE, RW, SHARED, boot, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { parseMeminfo, parseSmaps, parseStatus, parseVmstat } from '../helpers/procText.ts';

const HUGE = 512;
const always = (config: Record<string, unknown> = {}) =>
  boot({ arch: 'x86_64', frames: 4096, zones: { normal: 4096 }, thpEnabled: 0, ...config });
const thp = (machine: Machine) => {
  const {
    thp_fault_alloc: alloc,
    thp_fault_fallback: fallback,
    thp_split_page: page,
    thp_split_pmd: pmd,
  } = parseVmstat(cat(machine, '/proc/vmstat'));
  return { alloc, fallback, page, pmd };
};
const status = (machine: Machine, pid: number) => parseStatus(cat(machine, `/proc/${pid}/status`));
const hugeKb = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo')).AnonHugePages;

describe('one fault brings 512 pages', () => {
  test('at the first touch of an aligned 2 MiB, reading or writing (use_zero_page=0)', () => {
    const machine = always();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 2 * HUGE);
    expect(addr % (2 * MiB)).toBe(0);
    expect(touch(machine, pid, 'write', addr, HUGE)).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(touch(machine, pid, 'read', addr + HUGE * PAGE, HUGE)).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(status(machine, pid)).toMatchObject({ RssAnon: 4096, VmRSS: 4096, VmHWM: 4096 });
    expect(hugeKb(machine)).toBe(4096);
    expect(thp(machine)).toEqual({ alloc: 2, fallback: 0, page: 0, pmd: 0 });
    const [area] = parseSmaps(cat(machine, `/proc/${pid}/smaps`));
    expect(area!.fields).toMatchObject({ Rss: 4096, Pss: 4096, AnonHugePages: 4096, Private_Dirty: 4096, THPeligible: 1 });
    checkMachine(machine);
  });

  test('its page table is put aside, not saved: VmPTE is what small pages need (pgtable_trans_huge_deposit)', () => {
    const tables = (thpEnabled: number) => {
      const machine = always({ thpEnabled });
      const pid = spawn(machine);
      touch(machine, pid, 'write', mmap(machine, pid, 2 * HUGE), 2 * HUGE);
      return status(machine, pid).VmPTE;
    };
    expect(tables(0)).toBe(tables(2));
  });

  test('the ends of an area that are less than 2 MiB have small pages', () => {
    const machine = always();
    const pid = spawn(machine);
    mmap(machine, pid, HUGE + 20, RW, FIXED, 0x10000000000 - 10 * PAGE);
    expect(touch(machine, pid, 'write', 0x10000000000 - 10 * PAGE, HUGE + 20).minor).toBe(21);
    checkMachine(machine);
  });

  test('shared memory has none, and neither has i386', () => {
    const machine = always();
    const pid = spawn(machine);
    expect(touch(machine, pid, 'write', mmap(machine, pid, HUGE, RW, SHARED), HUGE).minor).toBe(HUGE);
    const old = boot({ frames: 8192, thpEnabled: 0 });
    const other = spawn(old);
    expect(touch(old, other, 'write', mmap(old, other, 2 * HUGE), 2 * HUGE).minor).toBe(2 * HUGE);
    expect(cat(old, '/proc/meminfo')).not.toContain('AnonHugePages');
    expect(refused(old, KERNEL, { call: 'cat', path: '/sys/kernel/mm/transparent_hugepage/enabled' }).errno).toBe('ENOENT');
  });

  test('the heap has them as it grows over 2 MiB', () => {
    const machine = always();
    const pid = spawn(machine);
    const heap = granted(machine, pid, { call: 'sbrk', increment: 6 * MiB }).addr as number;
    const first = 0x555555600000;
    expect(touch(machine, pid, 'write', heap, 1).minor).toBe(1);
    expect(touch(machine, pid, 'write', first, HUGE).minor).toBe(1);
    expect(hugeKb(machine)).toBe(2048);
  });

  test('where the first small page came, the others come small as well: there is no khugepaged', () => {
    const machine = always({ thpEnabled: 2 });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, HUGE);
    touch(machine, pid, 'write', addr, 1);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.thp_enabled', value: 0 });
    expect(touch(machine, pid, 'write', addr, HUGE).minor).toBe(HUGE - 1);
  });

  test('no free block of order 9: small pages, and nothing is moved for who did not ask (defrag=madvise)', () => {
    const machine = always({ frames: 1024, zones: { normal: 1024 } });
    const pid = spawn(machine);
    for (let pfn = 0; pfn < 3; pfn++) granted(machine, pid, { call: 'alloc_pages', order: 8, gfp: 'GFP_KERNEL' });
    const addr = mmap(machine, pid, HUGE);
    expect(touch(machine, pid, 'write', addr, 100).minor).toBe(100);
    expect(thp(machine)).toEqual({ alloc: 0, fallback: 1, page: 0, pmd: 0 });
  });

  test('never, madvise, always: the switch and its file', () => {
    const machine = always({ thpEnabled: 1 });
    const pid = spawn(machine);
    const file = '/sys/kernel/mm/transparent_hugepage/enabled';
    expect(cat(machine, file)).toBe('always [madvise] never\n');
    expect(touch(machine, pid, 'write', mmap(machine, pid, HUGE), 1).minor).toBe(1);
    expect(hugeKb(machine)).toBe(0);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.thp_enabled', value: 2 });
    expect(cat(machine, file)).toBe('always madvise [never]\n');
    expect(refused(machine, pid, { call: 'sysctl', name: 'vm.thp_enabled', value: 0 }).errno).toBe('EACCES');
  });
});

describe('a huge page is cut when a part of it goes its own way (split_huge_pmd)', () => {
  const huge = () => {
    const machine = always();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, HUGE);
    touch(machine, pid, 'write', addr, 1);
    return { machine, pid, addr };
  };

  test('munmap of a part: the rest stays, small, without a fault', () => {
    const { machine, pid, addr } = huge();
    const free = machine.zones[0]!.free;
    granted(machine, pid, { call: 'munmap', addr: addr + 100 * PAGE, length: 12 * PAGE });
    expect(thp(machine)).toEqual({ alloc: 1, fallback: 0, page: 1, pmd: 1 });
    expect(machine.zones[0]!.free).toBe(free + 12);
    expect(hugeKb(machine)).toBe(0);
    expect(touch(machine, pid, 'write', addr, 100).minor).toBe(0);
    expect(touch(machine, pid, 'write', addr + 112 * PAGE, 400).minor).toBe(0);
    expect(status(machine, pid).VmRSS).toBe(500 * 4);
    checkMachine(machine);
  });

  test('munmap of all of it: the block is whole again, and the table with it', () => {
    const { machine, pid, addr } = huge();
    granted(machine, pid, { call: 'munmap', addr, length: HUGE * PAGE });
    expect(thp(machine)).toMatchObject({ page: 0, pmd: 0 });
    expect(status(machine, pid)).toMatchObject({ VmRSS: 0, VmPTE: 4 });
    checkMachine(machine);
    granted(machine, pid, { call: 'exit' });
    expect(machine.zones[0]!.free).toBe(4096);
    expect(nrFree(machine.zones[0]!, 10)).toBe(4);
  });

  test('bytes stay where they were', () => {
    const { machine, pid, addr } = huge();
    granted(machine, pid, { call: 'poke', addr: addr + 300 * PAGE + 5, bytes: [1, 2, 3] });
    granted(machine, pid, { call: 'munmap', addr, length: PAGE });
    expect(granted(machine, pid, { call: 'peek', addr: addr + 300 * PAGE + 5, length: 3 }).bytes).toEqual([1, 2, 3]);
  });

  test('fork shares it whole; the first write after cuts it and copies one page (do_huge_pmd_wp_page)', () => {
    const { machine, pid, addr } = huge();
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(hugeKb(machine)).toBe(2048);
    expect(status(machine, child)).toMatchObject({ VmRSS: 2048, VmPTE: status(machine, pid).VmPTE as number });
    checkMachine(machine);
    expect(touch(machine, child, 'write', addr, 1)).toEqual({ minor: 1, major: 0, cow: 1 });
    expect(thp(machine)).toMatchObject({ page: 0, pmd: 1 });
    expect(hugeKb(machine)).toBe(2048);
    checkMachine(machine);
    expect(touch(machine, pid, 'write', addr, 2).cow).toBe(1);
    expect(thp(machine)).toMatchObject({ page: 1, pmd: 2 });
    checkMachine(machine);
  });

  test('when the other has gone, the whole is ours again with one fault and no copy', () => {
    const { machine, pid, addr } = huge();
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, child, { call: 'exit' });
    expect(touch(machine, pid, 'write', addr, HUGE)).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(hugeKb(machine)).toBe(2048);
    checkMachine(machine);
  });

  test('compaction passes it by', () => {
    const { machine, pid, addr } = huge();
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    expect(thp(machine).pmd).toBe(0);
    expect(touch(machine, pid, 'write', addr, HUGE).minor).toBe(0);
    checkMachine(machine);
  });

  test('looking at it does not cut it: pagemap has a line for each of its pages', () => {
    const { machine, pid, addr } = huge();
    const lines = cat(machine, `/proc/${pid}/pagemap`).trimEnd().split('\n');
    expect(lines.length).toBe(HUGE);
    expect(lines[0]).toContain(addr.toString(16));
    expect(new Set(lines.map((line) => line.split(' ').at(-1))).size).toBe(HUGE);
    expect(hugeKb(machine)).toBe(2048);
  });

  test('cma_alloc moves its pages away: it is cut first', () => {
    const machine = always({ frames: 2048, zones: { normal: 2048 }, pageblockOrder: 7, mobility: true, cma: { frames: 512 } });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 2 * HUGE);
    touch(machine, pid, 'write', addr, 2 * HUGE);
    const before = thp(machine);
    granted(machine, KERNEL, { call: 'cma_alloc', count: 512 });
    checkMachine(machine);
    expect(status(machine, pid).VmRSS).toBe(4096);
    expect(thp(machine).pmd).toBeGreaterThanOrEqual(before.pmd!);
  });

  test('saved and restored it is the same', () => {
    const { machine, pid, addr } = huge();
    granted(machine, pid, { call: 'fork' });
    const again = restore(snapshot(machine));
    for (const each of [machine, again]) granted(each, pid, { call: 'munmap', addr, length: PAGE });
    expect(hash(again)).toBe(hash(machine));
  });
});

describe('who asked for them, and who will not have them (madvise)', () => {
  const advise = (machine: Machine, pid: number, advice: string, addr: number, pages: number) =>
    granted(machine, pid, { call: 'madvise', advice, addr, length: pages * PAGE });

  test('under vm.thp_enabled = madvise only areas that asked have huge pages', () => {
    const machine = always({ thpEnabled: 1 });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 2 * HUGE);
    advise(machine, pid, 'MADV_HUGEPAGE', addr, HUGE);
    expect(touch(machine, pid, 'write', addr, 2 * HUGE).minor).toBe(1 + HUGE);
    const areas = parseSmaps(cat(machine, `/proc/${pid}/smaps`));
    expect(areas.map(({ fields }) => [fields.AnonHugePages, fields.THPeligible])).toEqual([
      [2048, 1],
      [0, 0],
    ]);
    expect(cat(machine, `/proc/${pid}/smaps`)).toContain('VmFlags: rd wr mr mw me ac hg \n');
    checkMachine(machine);
  });

  test('under always an area may say no; what is huge already stays so', () => {
    const machine = always();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 2 * HUGE);
    touch(machine, pid, 'write', addr, 1);
    advise(machine, pid, 'MADV_NOHUGEPAGE', addr, 2 * HUGE);
    expect(touch(machine, pid, 'write', addr, 2 * HUGE).minor).toBe(HUGE);
    expect(hugeKb(machine)).toBe(2048);
    expect(cat(machine, `/proc/${pid}/smaps`)).toContain('VmFlags: rd wr mr mw me ac nh \n');
  });

  test('memory is compacted for those who asked, not for the others', () => {
    const crumbled = () => {
      const machine = always({ pageblockOrder: 9, mobility: true });
      const other = spawn(machine);
      granted(machine, KERNEL, { call: 'sysctl', name: 'vm.thp_enabled', value: 2 });
      const addr = mmap(machine, other, 3900);
      touch(machine, other, 'write', addr, 3900);
      for (let page = 0; page < 3900; page += 2) granted(machine, other, { call: 'munmap', addr: addr + page * PAGE, length: PAGE });
      granted(machine, KERNEL, { call: 'sysctl', name: 'vm.thp_enabled', value: 0 });
      return machine;
    };
    for (const [advice, alloc] of [
      ['MADV_HUGEPAGE', 1],
      ['MADV_COLD', 0],
    ] as const) {
      const machine = crumbled();
      const pid = spawn(machine);
      const addr = mmap(machine, pid, HUGE);
      advise(machine, pid, advice, addr, HUGE);
      touch(machine, pid, 'write', addr, 1);
      expect(thp(machine).alloc, advice).toBe(alloc);
      checkMachine(machine);
    }
  });

  test('i386 does not know the word', () => {
    const machine = boot();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4);
    const request = { call: 'madvise', advice: 'MADV_HUGEPAGE', addr, length: PAGE };
    expect(refused(machine, pid, request)).toMatchObject({ errno: 'EINVAL', why: { code: 'NO_HUGE_PAGES', arch: 'i386' } });
  });

  test('mprotect of the whole leaves it huge, of a part cuts it (change_huge_pmd)', () => {
    const machine = always();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 2 * HUGE);
    touch(machine, pid, 'write', addr, 2 * HUGE);
    granted(machine, pid, { call: 'mprotect', addr, length: 2 * HUGE * PAGE, prot: 'PROT_READ' });
    granted(machine, pid, { call: 'mprotect', addr, length: 2 * HUGE * PAGE, prot: RW });
    expect(touch(machine, pid, 'write', addr, 2 * HUGE).minor).toBe(0);
    expect(thp(machine).pmd).toBe(0);
    granted(machine, pid, { call: 'mprotect', addr, length: 3 * PAGE, prot: 'PROT_READ' });
    expect(thp(machine).pmd).toBe(1);
    checkMachine(machine);
  });

  test('MADV_DONTNEED of a part gives just that back, of the whole all of it', () => {
    const machine = always();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 2 * HUGE);
    touch(machine, pid, 'write', addr, 2 * HUGE);
    advise(machine, pid, 'MADV_DONTNEED', addr + 10 * PAGE, 5);
    expect(status(machine, pid).VmRSS).toBe(4 * (2 * HUGE - 5));
    advise(machine, pid, 'MADV_DONTNEED', addr + HUGE * PAGE, HUGE);
    expect(thp(machine)).toMatchObject({ page: 1, pmd: 1 });
    expect(touch(machine, pid, 'write', addr + HUGE * PAGE, HUGE).minor).toBe(1);
    checkMachine(machine);
  });

  test('mremap takes it along in small pages', () => {
    const machine = always();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, HUGE);
    granted(machine, pid, { call: 'poke', addr: addr + 77 * PAGE, bytes: [9] });
    mmap(machine, pid, 1, RW, FIXED, addr + HUGE * PAGE);
    const moved = granted(machine, pid, {
      call: 'mremap',
      addr,
      old_length: HUGE * PAGE,
      new_length: 2 * HUGE * PAGE,
      flags: 'MREMAP_MAYMOVE',
    });
    expect(granted(machine, pid, { call: 'peek', addr: (moved.addr as number) + 77 * PAGE, length: 1 }).bytes).toEqual([9]);
    checkMachine(machine);
  });
});

test('swapoff passes over huge pages: their entries of the PMD name no page table (unuse_pmd_range)', () => {
  const machine = always({ frames: 16384, zones: { normal: 16384 }, swap: { slots: 8192 } });
  const owner = spawn(machine);
  granted(machine, owner, { call: 'mmap', length: 2 * MiB, prot: RW, flags: FIXED, addr: 2 * MiB });
  touch(machine, owner, 'write', 2 * MiB, HUGE);
  granted(machine, owner, { call: 'mlock', addr: 2 * MiB, length: 2 * MiB });
  touch(machine, owner, 'write', mmap(machine, owner, 4), 4);
  // The number of the huge page's first page is the number of somebody's page table.
  while (machine.tables.slots < HUGE - 3) spawn(machine);
  const other = spawn(machine);
  touch(machine, other, 'write', mmap(machine, other, 8), 8);
  expect([machine.frames.index[machine.tables.slotPfn[HUGE]!], machine.tables.slots]).toEqual([HUGE, HUGE + 1]);
  const hungry = spawn(machine);
  touch(machine, hungry, 'write', mmap(machine, hungry, 21_000), 21_000);
  granted(machine, hungry, { call: 'exit' });
  expect(machine.tasks.get(other)!.mm.swapEnts).toBe(8);
  expect(machine.tasks.get(owner)!.mm).toMatchObject({ swapEnts: 4, rssAnon: HUGE });
  const cut = thp(machine).pmd;
  granted(machine, KERNEL, { call: 'swapoff' });
  expect(thp(machine).pmd).toBe(cut);
  expect(machine.tasks.get(owner)!.mm).toMatchObject({ swapEnts: 0, rssAnon: HUGE + 4 });
  checkMachine(machine);
});

test('a huge page in use has its second chance as a whole: what nobody touches goes before it (folio_check_references)', () => {
  const machine = always({ swap: { slots: 4096 } });
  const [busy, idle] = [spawn(machine), spawn(machine)];
  const used = mmap(machine, busy, 3 * HUGE);
  touch(machine, busy, 'write', used, 3 * HUGE);
  const cold = mmap(machine, idle, 2 * HUGE);
  granted(machine, idle, { call: 'madvise', addr: cold, length: 2 * MiB * 2, advice: 'MADV_NOHUGEPAGE' });
  touch(machine, idle, 'write', cold, 2 * HUGE);
  const hungry = spawn(machine);
  const more = mmap(machine, hungry, 5 * HUGE);
  granted(machine, hungry, { call: 'madvise', addr: more, length: 5 * 2 * MiB, advice: 'MADV_NOHUGEPAGE' });
  for (let page = 0; page < 5 * HUGE; page++) {
    touch(machine, hungry, 'write', more + page * PAGE, 1);
    for (const huge of [0, 1, 2]) touch(machine, busy, 'read', used + huge * HUGE * PAGE, 1);
  }
  // The first to be looked at goes in the first pass, in which everything had been used alike.
  expect(machine.tasks.get(busy)!.mm.swapEnts).toBeLessThan(HUGE);
  expect(thp(machine).pmd).toBe(1);
  expect(machine.tasks.get(idle)!.mm.swapEnts).toBeGreaterThan(HUGE);
  expect(machine.tasks.get(hungry)!.mm.swapEnts).toBe(0);
  checkMachine(machine);
});
