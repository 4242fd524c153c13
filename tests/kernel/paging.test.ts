/** Page tables of four levels (spec §2, §3): which there are, what they cost, and addresses of 64 bits. */
import { describe, expect, test } from 'vitest';
import { type Call, call, ConfigError, createMachine, hash, restore, snapshot } from '#kernel/machine.ts';
import { addressFrom, addressOut, isCanonical } from '#kernel/arch/address.ts';
import { FIXED, KERNEL, MiB, PAGE, RW, boot, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { parseMeminfo, parseStatus } from '../helpers/procText.ts';

const wide = (config: Record<string, unknown> = {}) => boot({ arch: 'x86_64', frames: 4096, ...config });
const GiB = 1024 * MiB;

describe('where things lie on x86_64 (arch/x86/include/asm/processor.h, elf.h; no ASLR)', () => {
  test('areas go down from 128 MiB below 2^47 − 4096, the heap up from 0x555555559000', () => {
    const machine = wide();
    const pid = spawn(machine);
    expect(mmap(machine, pid, 4)).toBe(0x7ffff7fff000 - 4 * PAGE);
    expect(granted(machine, pid, { call: 'sbrk', increment: PAGE }).addr).toBe(0x555555559000);
    expect(cat(machine, `/proc/${pid}/maps`)).toBe(
      `555555559000-55555555a000 rw-p 00000000 00:00 0 ${' '.repeat(25)}[heap]\n` + '7ffff7ffb000-7ffff7fff000 rw-p 00000000 00:00 0 \n',
    );
  });

  test('an area of whole 2 MiB is put on a multiple of them (thp_get_unmapped_area, since 6.7)', () => {
    const machine = wide();
    const pid = spawn(machine);
    expect(mmap(machine, pid, 512)).toBe(0x7ffff7c00000);
    expect(mmap(machine, pid, 1024)).toBe(0x7ffff7800000);
    expect(mmap(machine, pid, 511)).toBe(0x7ffff7e00000);
  });

  test('the last page under 2^47 is nobody’s (TASK_SIZE_MAX)', () => {
    const machine = wide();
    const pid = spawn(machine);
    const last = { call: 'mmap', length: PAGE, prot: RW, flags: FIXED };
    expect(granted(machine, pid, { ...last, addr: 0x7fffffffe000 }).addr).toBe(0x7fffffffe000);
    expect(refused(machine, pid, { ...last, addr: 0x7ffffffff000 })).toMatchObject({ errno: 'ENOMEM' });
  });

  test('128 TiB are there to be mapped, but not promised', () => {
    const machine = wide();
    const pid = spawn(machine);
    const request = { call: 'mmap', length: 100 * 1024 * GiB, prot: 'PROT_READ', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };
    const addr = granted(machine, pid, request).addr as number;
    expect(addr).toBe(0x7ffff7e00000 - 100 * 1024 * GiB);
    touch(machine, pid, 'read', addr, 1);
    touch(machine, pid, 'read', addr + 99 * 1024 * GiB, 1);
    expect(machine.tasks.get(pid)!.mm.tables).toBe(7);
    checkMachine(machine);
    granted(machine, pid, { call: 'munmap', addr, length: 100 * 1024 * GiB });
    expect(machine.tasks.get(pid)!.mm.tables).toBe(1);
  });
});

describe('tables come with the first touch and go with the last area that needs them (pte_alloc, free_pgd_range)', () => {
  test('the first page of an address space takes three tables below the directory', () => {
    const machine = wide();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1024);
    expect(parseStatus(cat(machine, `/proc/${pid}/status`)).VmPTE).toBe(4);
    touch(machine, pid, 'write', addr, 1);
    expect(parseStatus(cat(machine, `/proc/${pid}/status`)).VmPTE).toBe(16);
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).PageTables).toBe(16);
  });

  test.each([
    [PAGE, 4],
    [2 * MiB, 5],
    [GiB, 6],
    [512 * GiB, 7],
  ])('two pages %i bytes apart need %i tables', (apart, tables) => {
    const machine = wide();
    const pid = spawn(machine);
    for (const addr of [0x10000000000, 0x10000000000 + apart]) {
      mmap(machine, pid, 1, RW, FIXED, addr);
      touch(machine, pid, 'write', addr, 1);
    }
    expect(machine.tasks.get(pid)!.mm.tables).toBe(tables);
    checkMachine(machine);
    granted(machine, pid, { call: 'munmap', addr: 0x10000000000 + apart, length: PAGE });
    expect(machine.tasks.get(pid)!.mm.tables).toBe(4);
    granted(machine, pid, { call: 'munmap', addr: 0x10000000000, length: PAGE });
    expect(machine.tasks.get(pid)!.mm.tables).toBe(1);
    checkMachine(machine);
  });

  test('fork copies the tables of what was written; each is its owner’s', () => {
    const machine = wide();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1024);
    touch(machine, pid, 'write', addr, 1024);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(machine.tasks.get(child)!.mm.tables).toBe(machine.tasks.get(pid)!.mm.tables);
    expect(touch(machine, child, 'write', addr, 4).cow).toBe(4);
    checkMachine(machine);
    granted(machine, child, { call: 'exit' });
    checkMachine(machine);
  });

  test('an entry forbids execution where its area does (NX); on i386 no entry can', () => {
    const bit = (arch: string, prot: string) => {
      const machine = boot({ arch, frames: 4096 });
      const pid = spawn(machine);
      touch(machine, pid, 'write', mmap(machine, pid, 1, prot), 1);
      const leaf = machine.tables.words.findLast((word) => word !== 0)!;
      return leaf & 0x400;
    };
    expect(bit('x86_64', RW)).toBe(0x400);
    expect(bit('x86_64', `${RW}|PROT_EXEC`)).toBe(0);
    expect(bit('i386', RW)).toBe(0);
  });
});

describe('addresses that are none', () => {
  test.each(['0x800000000000', 2 ** 50, '0xffff7fffffffffff', '0x8000000000000000'])('%s is not canonical: #GP, not #PF', (addr) => {
    const machine = wide();
    const pid = spawn(machine);
    const answer = refused(machine, pid, { call: 'read', addr, length: 1 });
    expect(answer).toMatchObject({ signal: 'SIGSEGV', why: { code: 'NOT_CANONICAL' }, faults: { minor: 0, major: 0, cow: 0 } });
  });

  test.each(['0xffff800000000000', '0xffff888000001000', '0xffffffffffffffff'])('%s is the kernel’s, and the answer says so', (addr) => {
    const machine = wide();
    const pid = spawn(machine);
    const answer = refused(machine, pid, { call: 'write', addr, length: 1 });
    expect(answer).toMatchObject({ signal: 'SIGSEGV', why: { code: 'KERNEL_ADDRESS', addr } });
  });

  test('a string and a number name the same address', () => {
    const machine = wide();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1);
    granted(machine, pid, { call: 'poke', addr: `0x${addr.toString(16)}`, bytes: [7] });
    expect(granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes).toEqual([7]);
  });

  test.each(['0x', '0x11112222333344445', 'ffff888000000000', 2 ** 53, -1, -0, 0.5, Infinity])('%s is malformed', (addr) => {
    const machine = wide();
    const pid = spawn(machine);
    expect(refused(machine, pid, { call: 'read', addr, length: 1 } as Call)).toMatchObject({ errno: 'EINVAL', cost: 0 });
  });

  test('what an answer says, the parser takes back', () => {
    for (const text of ['0xffff888000000000', '0xffffc90000000000', '0xffffffff80001234', '0xffffffffffffffff']) {
      expect(addressOut(addressFrom(text.slice(2)))).toBe(text);
    }
    expect(isCanonical(addressFrom('ffff800000000000'))).toBe(true);
    expect(isCanonical(addressFrom('ffff7fffffffffff'))).toBe(false);
  });
});

describe('the kernel’s addresses of 64 bits are strings (Documentation/arch/x86/x86_64/mm.rst)', () => {
  test('kmalloc lies in the direct map from 0xffff888000000000', () => {
    const machine = wide();
    const { addr } = granted(machine, KERNEL, { call: 'kmalloc', size: 100, gfp: 'GFP_KERNEL' });
    expect(addr).toMatch(/^0xffff8880[0-9a-f]{8}$/);
    const { phys } = granted(machine, KERNEL, { call: 'virt_to_phys', addr });
    expect(phys).toBe(Number.parseInt((addr as string).slice(-8), 16));
    expect(granted(machine, KERNEL, { call: 'phys_to_virt', phys }).addr).toBe(addr);
    granted(machine, KERNEL, { call: 'kfree', addr });
    expect(refused(machine, KERNEL, { call: 'kfree', addr }).why).toMatchObject({ code: 'DOUBLE_FREE', addr });
  });

  test('vmalloc starts at 0xffffc90000000000 and has 32 TiB', () => {
    const machine = wide();
    const first = granted(machine, KERNEL, { call: 'vmalloc', size: 2 * PAGE }).addr;
    expect(first).toBe('0xffffc90000000000');
    expect(granted(machine, KERNEL, { call: 'vmalloc', size: PAGE }).addr).toBe('0xffffc90000003000');
    expect(granted(machine, KERNEL, { call: 'ioremap', phys: 0xfed00004, size: 4 }).addr).toBe('0xffffc90000005004');
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).VmallocTotal).toBe(34359738367);
    expect(cat(machine, '/proc/vmallocinfo')).toContain('0xffffc90000000000-0xffffc90000003000   12288 kernel pages=2 vmalloc\n');
    granted(machine, KERNEL, { call: 'vfree', addr: first });
    granted(machine, KERNEL, { call: 'iounmap', addr: '0xffffc90000005004' });
  });

  test('every page has an address, so kmap has nothing to do (CONFIG_HIGHMEM is off)', () => {
    const machine = wide();
    const { pfn } = granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_HIGHUSER' });
    const { addr } = granted(machine, KERNEL, { call: 'kmap', pfn });
    expect(addr).toBe(addressOut(-0x778000000000 + pfn! * PAGE));
    granted(machine, KERNEL, { call: 'kunmap', pfn });
    expect(granted(machine, KERNEL, { call: 'kmap_atomic', pfn }).addr).toBe(addr);
    granted(machine, KERNEL, { call: 'kunmap_atomic', addr });
  });

  test('pointers in debugged objects have 8 bytes', () => {
    const machine = wide({ slab: { debug: true } });
    const addrs = [1, 2, 3].map(() => granted(machine, KERNEL, { call: 'kmalloc', size: 64, gfp: 'GFP_KERNEL' }).addr);
    for (const addr of addrs) granted(machine, KERNEL, { call: 'kfree', addr });
    expect(granted(machine, KERNEL, { call: 'kmalloc', size: 64, gfp: 'GFP_KERNEL' }).addr).toBe(addrs[2]);
    expect(granted(machine, KERNEL, { call: 'kmalloc', size: 64, gfp: 'GFP_KERNEL' }).addr).toBe(addrs[1]);
  });
});

describe('the machine', () => {
  test('zones DMA to 16 MiB and DMA32 to 4 GiB, pageblocks of 2 MiB', () => {
    const { zones, config } = createMachine({ arch: 'x86_64', frames: 262144 });
    expect(zones.map(({ name, start, end }) => [name, start, end])).toEqual([
      ['DMA', 0, 4096],
      ['DMA32', 4096, 262144],
    ]);
    expect(config.pageblockOrder).toBe(9);
  });

  test.each([
    [{ arch: 'x86_64', pageOffset: 0xc0000000 }, 'pageOffset'],
    [{ arch: 'x86_64', vmalloc: { start: 0xf0000000 } }, 'vmalloc'],
    [{ arch: 'x86_64', frames: 4096, zones: { normal: 4000, highmem: 96 } }, 'highmem'],
    [{ arch: 'arm' }, 'arch'],
  ])('%o is impossible', (config, key) => {
    expect(() => createMachine(config)).toThrow(ConfigError);
    expect(() => createMachine(config)).toThrow(key);
  });

  test('saved and restored it is the same', () => {
    const machine = wide();
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 700), 700);
    granted(machine, pid, { call: 'vmalloc', size: 5 * PAGE });
    const again = restore(snapshot(machine));
    expect(hash(again)).toBe(hash(machine));
    const request = { call: 'sbrk', increment: 3 * GiB };
    expect(call(again, pid, request)).toEqual(call(machine, pid, request));
  });
});
