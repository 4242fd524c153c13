/** vmalloc and its virtual space (mm/vmalloc.c; fidelity spec §8): areas, guard pages, first fit, lazy freeing, exhaustion, fragmentation. */
import { describe, expect, test } from 'vitest';
import { lazyMaxPages } from '#kernel/mm/vmap_area.ts';
import { call, hash, type Machine } from '#kernel/machine.ts';
import {
  KERNEL,
  KiB,
  MiB,
  PAGE,
  RW,
  allocPages,
  boot,
  bootFlat,
  cat,
  freeIn,
  freePages,
  granted,
  mmap,
  refused,
  spawn,
  touch,
} from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkVirtual } from '../helpers/check_virtual.ts';
import { parseBuddyinfo, parseMeminfo } from '../helpers/procText.ts';

/** Where vmalloc starts in a machine of 16 MiB. */
const START = 0xc1800000;

const vmalloc = (machine: Machine, size: number, pid = KERNEL): number => granted(machine, pid, { call: 'vmalloc', size }).addr as number;
const vfree = (machine: Machine, addr: number, pid = KERNEL) => granted(machine, pid, { call: 'vfree', addr });
const check = (machine: Machine) => {
  checkMachine(machine);
  checkVirtual(machine);
};

/** A space of `pages` pages at 0xe0000000. */
const spaceOf = (pages: number, frames = 4096): Machine =>
  bootFlat(frames, { vmalloc: { start: 0xe0000000, end: 0xe0000000 + pages * PAGE } });

describe('areas', () => {
  test('the first starts at VMALLOC_START; each is followed by a guard page, and the next one by the lowest address that fits', () => {
    const machine = boot();
    expect(vmalloc(machine, 1)).toBe(START);
    expect(vmalloc(machine, 3 * PAGE)).toBe(START + 2 * PAGE);
    expect(vmalloc(machine, PAGE + 1)).toBe(START + 6 * PAGE);
    check(machine);
  });

  test('virtually contiguous, physically not: it works where the buddy has single frames only', () => {
    const machine = boot();
    const pfns = Array.from({ length: 4096 }, () => allocPages(machine, KERNEL, 0));
    for (const pfn of pfns) if (pfn % 2 === 1) freePages(machine, KERNEL, pfn, 0);
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 1, gfp: 'GFP_KERNEL' })).toMatchObject({
      why: { code: 'FRAGMENTED', freePages: 2048 },
    });
    const addr = vmalloc(machine, 8 * MiB);
    expect(freeIn(machine)).toBe(0);
    expect(machine.vmap.areas[0]!.frames.every((pfn) => pfn % 2 === 1)).toBe(true);
    vfree(machine, addr);
    expect(freeIn(machine)).toBe(2048);
    check(machine);
  });

  test('frames come from high memory while there is some (__GFP_HIGHMEM)', () => {
    const machine = boot({ frames: 2048, zones: { normal: 1024, highmem: 1024 } });
    vmalloc(machine, 4 * MiB);
    expect(machine.zones.map((zone) => zone.free)).toEqual([1024, 0]);
    vmalloc(machine, PAGE);
    expect(machine.zones.map((zone) => zone.free)).toEqual([1023, 0]);
    check(machine);
  });

  test('vfree(NULL) does nothing; any other address that no area of vmalloc starts at is refused', () => {
    const machine = boot();
    const addr = vmalloc(machine, 2 * PAGE);
    vfree(machine, 0);
    for (const wrong of [addr + PAGE, addr + 1, addr - PAGE, 0xc0001000, 4096]) {
      const before = hash(machine);
      expect(refused(machine, KERNEL, { call: 'vfree', addr: wrong })).toMatchObject({
        errno: 'EINVAL',
        why: { code: 'NO_SUCH_AREA', addr: wrong },
      });
      expect(hash(machine)).toBe(before);
    }
    vfree(machine, addr);
    expect(refused(machine, KERNEL, { call: 'vfree', addr })).toMatchObject({ errno: 'EINVAL', why: { code: 'NO_SUCH_AREA' } });
    check(machine);
  });

  test('its frames cannot be given back one by one', () => {
    const machine = boot();
    vmalloc(machine, PAGE);
    const pfn = machine.vmap.areas[0]!.frames[0]!;
    expect(refused(machine, KERNEL, { call: 'free_pages', pfn, order: 0 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'BAD_PAGE', pfn, order: 0 },
    });
    check(machine);
  });

  test('more pages than the machine has are refused before anything is tried', () => {
    const machine = boot();
    const before = hash(machine);
    expect(refused(machine, KERNEL, { call: 'vmalloc', size: 16 * MiB + 1 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'VMALLOC_TOO_LARGE', needed: 4097, total: 4096 },
    });
    expect(hash(machine)).toBe(before);
  });

  test('when frames run out half way all of them come back, and the addresses are free again', () => {
    const machine = boot();
    vmalloc(machine, 12 * MiB);
    expect(refused(machine, KERNEL, { call: 'vmalloc', size: 8 * MiB })).toMatchObject({ errno: 'ENOMEM', why: { code: 'NO_VICTIM' } });
    expect(freeIn(machine)).toBe(1024);
    vmalloc(machine, 4 * MiB);
    check(machine);
  });
});

describe('addresses come back lazily', () => {
  test('a freed area keeps its addresses, its frames are free at once', () => {
    const machine = boot();
    const addr = vmalloc(machine, 4 * PAGE);
    vfree(machine, addr);
    expect(freeIn(machine)).toBe(4096);
    expect(vmalloc(machine, PAGE)).toBe(addr + 5 * PAGE);
    expect(cat(machine, '/proc/vmallocinfo')).toBe(
      '0xc1805000-0xc1807000    8192 kernel pages=1 vmalloc\n' + '0xc1800000-0xc1805000   20480 unpurged vm_area\n',
    );
    check(machine);
  });

  test('when no hole fits, freed areas are purged and the search starts again', () => {
    const machine = spaceOf(16);
    const first = vmalloc(machine, 3 * PAGE);
    const second = vmalloc(machine, 7 * PAGE);
    vfree(machine, first);
    vfree(machine, second);
    expect(machine.vmap.lazyPages).toBe(12);
    expect(vmalloc(machine, 5 * PAGE)).toBe(first);
    expect(machine.vmap.lazyPages).toBe(0);
    check(machine);
  });

  test('more than 32 MiB of freed addresses are purged at once (lazy_max_pages: fls(CPUs) × 32 MiB)', () => {
    expect([1, 2, 3, 4, 8].map(lazyMaxPages)).toEqual([8192, 16384, 16384, 24576, 32768]);
    const machine = boot();
    // 4,095 pages and a guard page: two such areas are 8,192 pages, which may gather.
    for (let n = 0; n < 2; n++) {
      const addr = vmalloc(machine, 4095 * PAGE);
      expect(addr).toBe(START + n * 16 * MiB);
      vfree(machine, addr);
    }
    expect(machine.vmap.lazyPages).toBe(8192);
    const third = vmalloc(machine, PAGE);
    vfree(machine, third);
    expect(machine.vmap).toMatchObject({ lazyPages: 0, areas: [] });
    expect(vmalloc(machine, PAGE)).toBe(START);
    check(machine);
  });
});

describe('the virtual space runs out', () => {
  test('full: not even one page and its guard page', () => {
    const machine = spaceOf(9);
    for (let n = 0; n < 4; n++) vmalloc(machine, PAGE);
    const before = hash(machine);
    expect(refused(machine, KERNEL, { call: 'vmalloc', size: PAGE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'VMALLOC_FULL', needed: 2, freeSpace: 1, largestHole: 1, freePages: 4092 },
    });
    expect(hash(machine)).toBe(before);
  });

  test('first fit takes the lowest hole that is long enough, not the best', () => {
    const machine = spaceOf(64);
    const addrs = [9, 1, 4, 1, 6, 1, 35].map((pages) => vmalloc(machine, pages * PAGE));
    for (const index of [0, 2, 4]) vfree(machine, addrs[index]!);
    // Holes of 10, 5 and 7 pages, guard pages counted; a request that fits nowhere makes the kernel purge.
    expect(refused(machine, KERNEL, { call: 'vmalloc', size: 10 * PAGE }).why).toMatchObject({
      needed: 11,
      freeSpace: 22,
      largestHole: 10,
    });
    expect(vmalloc(machine, 5 * PAGE)).toBe(addrs[0]);
    expect(vmalloc(machine, 6 * PAGE)).toBe(addrs[4]);
    expect(vmalloc(machine, 3 * PAGE)).toBe(addrs[0]! + 6 * PAGE);
    expect(vmalloc(machine, 4 * PAGE)).toBe(addrs[2]);
    check(machine);
  });
});

describe('an Android phone whose vmalloc failed with 156 MB of memory free (lecture notes 001; oracles A7)', () => {
  // 512 MiB of lowmem, of which 128 MiB are pmem's and 16 MiB the modem's: 368 MiB are the kernel's. vmalloc lies from 8 MiB above lowmem to 0xf0000000.
  const HOLE = 0x101000;
  const REQUEST = 0x1a0000;

  function phone(): Machine {
    const machine = bootFlat(131072, { reserved: 36864, vmalloc: { start: 0xe0800000, end: 0xf0000000 } });
    // Long use has left free blocks of order 7 and no larger ones.
    const blocks = Array.from({ length: 736 }, () => allocPages(machine, KERNEL, 7));
    for (const pfn of blocks) if ((pfn >> 7) % 2 === 1) freePages(machine, KERNEL, pfn, 7);
    // pmem, the modem and the devices: 196 MiB of addresses, and not one frame.
    for (let n = 0; n < 49; n++) granted(machine, KERNEL, { call: 'ioremap', phys: 0x40000000 + n * 4 * MiB, size: 4 * MiB - PAGE });
    granted(machine, KERNEL, { call: 'ioremap', phys: 0x60000000, size: 483 * PAGE });
    // Buffers of a megabyte that stay, between buffers of just under one that come and go.
    const gone: number[] = [];
    for (let n = 0; n < 28; n++) {
      if (n < 21) gone.push(vmalloc(machine, (n < 20 ? 255 : 254) * PAGE));
      vmalloc(machine, MiB);
    }
    for (const addr of gone) vfree(machine, addr);
    return machine;
  }

  test('areas reach up to 0xefeff000; the hole above is 0x101000 bytes, the request 0x1a0000: refused, with 22 MiB of addresses and 156 MiB of memory free', () => {
    const machine = phone();
    const meminfo = parseMeminfo(cat(machine, '/proc/meminfo'));
    expect(meminfo.MemTotal).toBe(368 * 1024);
    expect(meminfo.MemFree).toBe(156 * 1024);
    expect(meminfo.VmallocTotal! - meminfo.VmallocUsed!).toBe(22 * 1024);
    const lines = cat(machine, '/proc/vmallocinfo')
      .split('\n')
      .filter((line) => line.includes('pages='));
    expect(lines.at(-1)).toMatch(/^0xefdfe000-0xefeff000 1052672 kernel pages=256 vmalloc$/);
    expect(0xf0000000 - 0xefeff000).toBe(HOLE);
    expect(refused(machine, KERNEL, { call: 'vmalloc', size: REQUEST })).toMatchObject({
      errno: 'ENOMEM',
      why: {
        code: 'VMALLOC_FRAGMENTED',
        needed: REQUEST / PAGE + 1,
        largestHole: HOLE / PAGE,
        freeSpace: (22 * MiB) / PAGE,
        freePages: (156 * MiB) / PAGE,
      },
    });
    check(machine);
  });

  test('/proc/buddyinfo has nothing above order 7, so get_free_pages of 1 MiB fails too', () => {
    const machine = phone();
    const normal = parseBuddyinfo(cat(machine, '/proc/buddyinfo')).Normal!;
    expect(normal.slice(8)).toEqual([0, 0, 0]);
    expect(normal[7]).toBeGreaterThan(0);
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 8, gfp: 'GFP_KERNEL' })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'FRAGMENTED', largestOrder: 7 },
    });
  });

  test('exactly 1 MiB still fits: with its guard page it fills the hole at 0xefeff000', () => {
    const machine = phone();
    expect(vmalloc(machine, MiB)).toBe(0xefeff000);
    check(machine);
  });

  test('what helped: more lowmem, so that get_free_pages has its megabyte', () => {
    const machine = bootFlat(184320, { vmalloc: { start: 0xed800000, end: 0xf8000000 } });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).MemTotal).toBe(720 * 1024);
    allocPages(machine, KERNEL, 8);
  });
});

describe('whose it is', () => {
  test('a process’s areas are its own: others may not free them, root may, and they go when it dies', () => {
    const machine = boot({ root: [3] });
    const [owner, root, other] = [spawn(machine), spawn(machine), spawn(machine)];
    const free = freeIn(machine);
    const [first, second] = [vmalloc(machine, 3 * PAGE, owner), vmalloc(machine, 5 * PAGE, owner)];
    expect(machine.tasks.get(owner)!.kernelPages).toBe(8);
    expect(refused(machine, other, { call: 'vfree', addr: first })).toMatchObject({ errno: 'EPERM', why: { code: 'NOT_OWNER', owner } });
    vfree(machine, first, root);
    expect(machine.tasks.get(owner)!.kernelPages).toBe(5);
    check(machine);
    granted(machine, KERNEL, { call: 'kill', target: owner, sig: 9 });
    expect(freeIn(machine)).toBe(free + 1);
    expect(refused(machine, other, { call: 'vfree', addr: second })).toMatchObject({ errno: 'EINVAL' });
    check(machine);
  });

  test('with chargeKernel its pages count in badness: the OOM killer takes who holds the kernel’s memory', () => {
    const machine = boot({ chargeKernel: true });
    const [holder, asker] = [spawn(machine), spawn(machine)];
    vmalloc(machine, 12 * MiB, holder);
    const addr = mmap(machine, asker, 1500, RW);
    expect(touch(machine, asker, 'write', addr, 1500).minor).toBe(1500);
    expect(machine.tasks.has(holder)).toBe(false);
    check(machine);
  });

  test('who asks for too much may itself be the victim, half way through: everything comes back', () => {
    const machine = boot({ chargeKernel: true });
    const [other, asker] = [spawn(machine), spawn(machine)];
    touch(machine, other, 'write', mmap(machine, other, 1000), 1000);
    const free = freeIn(machine);
    expect(call(machine, asker, { call: 'vmalloc', size: 14 * MiB })).toMatchObject({
      ok: false,
      signal: 'SIGKILL',
      why: { code: 'OOM_KILLED' },
    });
    expect(machine.tasks.has(other)).toBe(true);
    expect(freeIn(machine)).toBe(free + 1);
    expect(machine.vmap).toMatchObject({ usedPages: 0 });
    check(machine);
  });
});

describe('/proc', () => {
  test('vmallocinfo: range, bytes with the guard page, who asked, pages, kind', () => {
    const machine = boot();
    const pid = spawn(machine);
    vmalloc(machine, 10 * KiB, pid);
    granted(machine, KERNEL, { call: 'ioremap', phys: 0xfed00000, size: 1024 });
    expect(cat(machine, '/proc/vmallocinfo')).toBe(
      '0xc1800000-0xc1804000   16384 proc2 pages=3 vmalloc\n' + '0xc1804000-0xc1806000    8192 kernel phys=0xfed00000 ioremap\n',
    );
  });

  test('meminfo: VmallocUsed counts areas with their guard pages, VmallocChunk is the longest hole', () => {
    const machine = spaceOf(64);
    const addrs = [4, 8, 3].map((pages) => vmalloc(machine, pages * PAGE));
    vfree(machine, addrs[1]!);
    expect(parseMeminfo(cat(machine, '/proc/meminfo'))).toMatchObject({ VmallocTotal: 256, VmallocUsed: 36, VmallocChunk: (64 - 18) * 4 });
  });
});
