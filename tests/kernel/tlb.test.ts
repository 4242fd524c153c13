/** The TLB (Intel SDM volume 3, 4.10; arch/x86/mm/tlb.c; spec §2 and §19.6): hits and misses, what is flushed and what is not. */
import { describe, expect, test } from 'vitest';
import { type Machine, call, createMachine, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, bootFlat, cat, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMmu } from '../helpers/check_mmu.ts';
import { fuzz } from '../helpers/fuzz.ts';
import { seeds } from '../helpers/seeds.ts';

const ENTRIES = 8;

function boot(
  tlb: Record<string, unknown> = { entries: ENTRIES },
  config: Record<string, unknown> = {},
): { machine: Machine; pid: number } {
  const machine = bootFlat(1024, { tlb, ...config });
  return { machine, pid: spawn(machine) };
}

const counts = (machine: Machine) => ({ hits: machine.tlb!.hits, misses: machine.tlb!.misses });
const flushes = (machine: Machine): [number, number] => {
  const of = (name: string) => Number(new RegExp(`^nr_tlb_local_flush_${name} (\\d+)$`, 'm').exec(cat(machine, '/proc/vmstat'))![1]);
  return [of('all'), of('one')];
};
const hit = (machine: Machine, pid: number, addr: number | string, access = 'read'): boolean =>
  (granted(machine, pid, { call: 'translate', addr, access }).steps as { step: string; hit?: boolean }[]).find(
    ({ step }) => step === 'tlb',
  )!.hit!;

describe('hits and misses', () => {
  test('the first access to a page misses, the next ones hit', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 3);
    touch(machine, pid, 'write', addr, 3);
    expect(counts(machine)).toEqual({ hits: 0, misses: 3 });
    touch(machine, pid, 'write', addr, 3);
    touch(machine, pid, 'read', addr, 3);
    expect(counts(machine)).toEqual({ hits: 6, misses: 3 });
  });

  test('it holds so many pages; the least recently used goes', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, ENTRIES + 1);
    touch(machine, pid, 'write', addr, ENTRIES);
    touch(machine, pid, 'read', addr, 1); // page 0 is recent, page 1 is now the oldest
    touch(machine, pid, 'write', addr + ENTRIES * PAGE, 1);
    const before = counts(machine);
    touch(machine, pid, 'read', addr, 1);
    expect(counts(machine)).toEqual({ ...before, hits: before.hits + 1 });
    touch(machine, pid, 'read', addr + PAGE, 1);
    expect(counts(machine)).toEqual({ hits: before.hits + 1, misses: before.misses + 1 });
  });

  test('a loop over one page more than it holds never hits', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, ENTRIES + 1);
    for (let n = 0; n < 4; n++) touch(machine, pid, 'write', addr, ENTRIES + 1);
    expect(counts(machine)).toEqual({ hits: 0, misses: 4 * (ENTRIES + 1) });
  });

  test('a write by a clean entry walks to set the dirty bit, and is a hit', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1, RW, 'MAP_SHARED|MAP_ANONYMOUS');
    touch(machine, pid, 'read', addr, 1);
    touch(machine, pid, 'write', addr, 1);
    expect(counts(machine)).toEqual({ hits: 1, misses: 1 });
    expect([...machine.tlb!.slots.values()]).toMatchObject([{ dirty: true }]);
  });

  test('a hit shows no entry: no table is read', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const { steps, tlb } = granted(machine, pid, { call: 'translate', addr, access: 'write' });
    expect((steps as { step: string }[]).map(({ step }) => step)).toEqual(['segment', 'tlb', 'page']);
    expect(tlb).toEqual({ hits: 1, misses: 1, held: 1, flushAll: 0, flushOne: 0 });
  });
});

describe('what is flushed', () => {
  test('munmap: one page each', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 4);
    touch(machine, pid, 'write', addr, 4);
    granted(machine, pid, { call: 'munmap', addr, length: 3 * PAGE });
    expect(flushes(machine)).toEqual([0, 3]);
    expect(machine.tlb!.slots.size).toBe(1);
  });

  test('more than 33 pages at once: everything', () => {
    const { machine, pid } = boot({ entries: 64 });
    const addr = mmap(machine, pid, 40);
    touch(machine, pid, 'write', addr, 40);
    granted(machine, pid, { call: 'munmap', addr, length: 40 * PAGE });
    expect(flushes(machine)).toEqual([1, 0]);
  });

  test('fork takes the right to write from both: everything goes, and reading fills it again', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 2);
    touch(machine, pid, 'write', addr, 2);
    granted(machine, pid, { call: 'fork' });
    expect(machine.tlb!.slots.size).toBe(0);
    expect(flushes(machine)).toEqual([1, 0]);
    touch(machine, pid, 'read', addr, 2);
    expect([...machine.tlb!.slots.values()]).toMatchObject([{ write: false }, { write: false }]);
  });

  test('not what adds rights: the entry of a page that is reused stays until the write itself misses', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, child, { call: 'exit' });
    touch(machine, pid, 'read', addr, 1);
    const [all, one] = flushes(machine);
    touch(machine, pid, 'write', addr, 1);
    expect(flushes(machine)).toEqual([all, one]);
    expect([...machine.tlb!.slots.values()]).toMatchObject([{ write: true, dirty: true }]);
  });

  test('copy on write: the old frame is not found any more', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    granted(machine, pid, { call: 'fork' });
    touch(machine, pid, 'read', addr, 1);
    const old = [...machine.tlb!.slots.values()][0]!.pfn;
    touch(machine, pid, 'write', addr, 1);
    const now = [...machine.tlb!.slots.values()][0]!.pfn;
    expect(now).not.toBe(old);
    checkMmu(machine);
  });
});

describe('address spaces', () => {
  const two = (tlb: Record<string, unknown>) => {
    const { machine, pid: one } = boot(tlb);
    const other = spawn(machine);
    const [a, b] = [mmap(machine, one, 1), mmap(machine, other, 1)];
    expect(a).toBe(b);
    touch(machine, one, 'write', a, 1);
    touch(machine, other, 'write', b, 1);
    touch(machine, one, 'read', a, 1);
    touch(machine, other, 'read', b, 1);
    return machine;
  };

  test('without ASID each load of CR3 drops all: four switches, no hit', () => {
    const machine = two({ asid: false });
    expect(counts(machine)).toEqual({ hits: 0, misses: 4 });
    expect(flushes(machine)).toEqual([3, 0]); // the first load found nothing to drop
  });

  test('with ASID both stay', () => {
    const machine = two({ asid: true });
    expect(counts(machine)).toEqual({ hits: 2, misses: 2 });
    expect(flushes(machine)).toEqual([0, 0]);
  });

  test('there are six numbers (TLB_NR_DYN_ASIDS): the seventh process takes the first one’s', () => {
    const { machine } = boot({ asid: true });
    const pids = Array.from({ length: 7 }, () => spawn(machine));
    for (const pid of pids) touch(machine, pid, 'write', mmap(machine, pid, 1), 1);
    expect([...machine.tlb!.slots.values()].map(({ pid }) => pid)).toEqual(pids.slice(1));
    expect(flushes(machine)).toEqual([1, 0]);
    checkMmu(machine);
  });

  test('the kernel’s translations are global: they survive CR3', () => {
    const { machine, pid } = boot();
    const other = spawn(machine);
    granted(machine, KERNEL, { call: 'translate', addr: 0xc0000000, access: 'read' });
    for (const each of [pid, other]) touch(machine, each, 'write', mmap(machine, each, 1), 1);
    expect(hit(machine, KERNEL, 0xc0000fff)).toBe(true);
  });

  test('a large page is one entry: the other end of its 4 MiB hits', () => {
    const { machine } = boot();
    expect(hit(machine, KERNEL, 0xc0000000)).toBe(false);
    expect(hit(machine, KERNEL, 0xc03fffff)).toBe(true);
    expect(machine.tlb!.slots.size).toBe(1);
  });

  test('what vfree takes away is flushed', () => {
    const { machine } = boot();
    const addr = granted(machine, KERNEL, { call: 'vmalloc', size: PAGE }).addr as number;
    expect(hit(machine, KERNEL, addr)).toBe(false);
    expect(hit(machine, KERNEL, addr)).toBe(true);
    granted(machine, KERNEL, { call: 'vfree', addr });
    expect(machine.tlb!.slots.size).toBe(0);
  });
});

describe('whether there is one', () => {
  test('without the key there is none, and nobody pays, until the first translate', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    expect(machine.tlb).toBeNull();
    expect(hit(machine, pid, addr)).toBe(false);
    expect(machine.tlb).toMatchObject({ entries: 64, asid: false, misses: 1 });
    touch(machine, pid, 'read', addr, 1);
    expect(counts(machine)).toEqual({ hits: 1, misses: 1 });
  });

  test('it is saved and hashed', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 2);
    touch(machine, pid, 'write', addr, 2);
    const copy = restore(snapshot(machine));
    expect(copy.tlb).toEqual(machine.tlb);
    touch(copy, pid, 'read', addr, 1);
    expect(hash(copy)).not.toBe(hash(machine));
    touch(machine, pid, 'read', addr, 1);
    expect(hash(copy)).toBe(hash(machine));
  });

  test('accesses answer the same with it and without', () => {
    const answers = [{}, { tlb: { entries: 2 } }].map((config) => {
      const machine = bootFlat(64, config);
      const pid = spawn(machine);
      const addr = mmap(machine, pid, 8);
      const child = () => granted(machine, pid, { call: 'fork' }).pid!;
      return [
        call(machine, pid, { call: 'write', addr, length: 8 * PAGE, value: 3 }),
        call(machine, child(), { call: 'poke', addr: addr + PAGE, bytes: [1] }),
        call(machine, pid, { call: 'peek', addr: addr + PAGE, length: 1 }),
        call(machine, pid, { call: 'write', addr, length: 8 * PAGE }),
      ];
    });
    expect(answers[0]).toEqual(answers[1]);
  });

  test.each([
    [{ entries: 0 }, 'tlb.entries'],
    [{ entries: 4097 }, 'tlb.entries'],
    [{ asid: 1 }, 'asid'],
    [{ size: 4 }, 'tlb.size'],
    [64, 'tlb'],
  ])('an impossible one is refused: %j', (tlb, key) => {
    expect(() => createMachine({ frames: 64, tlb })).toThrow(key);
  });
});

describe('any calls', () => {
  const config = { frames: 300, zones: { normal: 300 }, minFreeKbytes: 0, mobility: false };
  const SHAPES = [
    { name: 'one address space at a time', processes: 4, config: { ...config, tlb: { entries: 5 } } },
    { name: 'six side by side', processes: 8, config: { ...config, tlb: { entries: 16, asid: true } } },
  ];
  describe.each(SHAPES)('$name', (shape) => {
    test.each(seeds(2))('seed %i: it never holds what a walk would refuse (§19.6)', (seed) => {
      expect(fuzz(shape, seed, 500, 1).failure?.message ?? null).toBeNull();
    });
  });
});
