/** Shared memory in swap (mm/shmem.c shmem_writepage, shmem_swapin_folio; spec §14, §19): the object keeps the slots, no entry does. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, SHARED, bootFlat, cat, freeIn, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';
import { checkSizes } from '../helpers/check_sizes.ts';
import { parseMeminfo, parseSmaps, parseStatus } from '../helpers/procText.ts';

const meminfo = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo'));
const objectOf = (machine: Machine) => [...machine.shm.values()][0]!;
const peek = (machine: Machine, pid: number, addr: number) => granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes![0];
const poke = (machine: Machine, pid: number, addr: number, byte: number) => granted(machine, pid, { call: 'poke', addr, bytes: [byte] });
const score = (machine: Machine, pid: number) => Number(cat(machine, `/proc/${pid}/oom_score`));

function sound(machine: Machine): void {
  checkMachine(machine);
  checkReclaim(machine);
  checkSizes(machine);
}

function withSwap(slots = 512, config: Record<string, unknown> = {}) {
  const machine = bootFlat(256, { swap: { slots }, minFreeKbytes: 64, ...config });
  return { machine, pid: spawn(machine) };
}

/** A shared area of 40 pages, each with its number, that has been pushed out by private memory, which is gone again. */
function pushedOut() {
  const { machine, pid } = withSwap();
  const addr = mmap(machine, pid, 40, RW, SHARED);
  for (let n = 0; n < 40; n++) poke(machine, pid, addr + n * PAGE, n + 1);
  const other = mmap(machine, pid, 330);
  touch(machine, pid, 'write', other, 330);
  granted(machine, pid, { call: 'munmap', addr: other, length: 330 * PAGE });
  return { machine, pid, addr };
}

describe('shared anonymous memory', () => {
  test('is pushed out: the object has the slots, the entries are empty, and every byte comes back', () => {
    const { machine, pid, addr } = pushedOut();
    const object = objectOf(machine);
    expect(object.swapped.size).toBe(40);
    expect(object.pages.size).toBe(0);
    const { mm } = machine.tasks.get(pid)!;
    expect(mm).toMatchObject({ rssShmem: 0, swapEnts: 0 });
    expect(machine.swap!.used).toBe(40);
    sound(machine);
    for (let n = 0; n < 40; n++) expect(peek(machine, pid, addr + n * PAGE)).toBe(n + 1);
    // Back in its object, a page is dirty again and its slot free (shmem_swapin_folio).
    expect(object.swapped.size).toBe(0);
    expect(machine.swap!.used).toBe(0);
    expect(mm.rssShmem).toBe(40);
    sound(machine);
  });

  test('comes back with its cluster: one major fault, then minor ones from the swap cache', () => {
    const { machine, pid, addr } = pushedOut();
    const slots = [...objectOf(machine).swapped].filter(([, slot]) => slot >> 3 === 0).map(([page]) => page);
    expect(slots.length).toBeGreaterThan(4);
    expect(touch(machine, pid, 'read', addr + slots[0]! * PAGE, 1)).toEqual({ minor: 0, major: 1, cow: 0 });
    expect(meminfo(machine).SwapCached).toBe((slots.length - 1) * 4);
    for (const page of slots.slice(1)) expect(touch(machine, pid, 'write', addr + page * PAGE, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
    sound(machine);
  });

  test('a child shares it before and after: what one writes, the other reads, wherever it was meanwhile', () => {
    const { machine, pid, addr } = pushedOut();
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(machine.tasks.get(child)!.mm.swapEnts).toBe(0);
    poke(machine, child, addr, 99);
    expect(peek(machine, pid, addr)).toBe(99);
    // Both map the page: reclaim takes both entries away (try_to_unmap).
    const pfn = objectOf(machine).pages.get(0)!;
    expect(machine.frames.mapcount[pfn]).toBe(2);
    const third = spawn(machine);
    const much = mmap(machine, third, 330);
    // Used by two, it was made active: it takes a while.
    for (let round = 0; round < 3; round++) touch(machine, third, 'write', much, 330);
    expect(objectOf(machine).swapped.has(0)).toBe(true);
    sound(machine);
    expect(peek(machine, pid, addr)).toBe(99);
    sound(machine);
  });

  test('what was only read goes without a slot: nobody wrote it, and it reads 0 again', () => {
    const { machine, pid } = withSwap();
    const addr = mmap(machine, pid, 20, RW, SHARED);
    touch(machine, pid, 'read', addr, 20);
    expect(meminfo(machine).Shmem).toBe(80);
    const other = spawn(machine);
    touch(machine, other, 'write', mmap(machine, other, 330), 330);
    expect(objectOf(machine).pages.size + objectOf(machine).swapped.size).toBe(0);
    expect(meminfo(machine).Shmem).toBe(0);
    expect(peek(machine, pid, addr)).toBe(0);
    sound(machine);
  });

  test('an entry that is unmapped tells the page that it was written', () => {
    const { machine, pid } = withSwap();
    const addr = mmap(machine, pid, 2, RW, SHARED);
    // Read first: the write that follows sets only the bit of the entry.
    touch(machine, pid, 'read', addr, 2);
    poke(machine, pid, addr, 7);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, pid, { call: 'munmap', addr, length: 2 * PAGE });
    touch(machine, pid, 'write', mmap(machine, pid, 330), 330);
    expect(peek(machine, child, addr)).toBe(7);
    sound(machine);
  });

  test('its last unmapping frees the slots', () => {
    const { machine, pid, addr } = pushedOut();
    peek(machine, pid, addr);
    granted(machine, pid, { call: 'munmap', addr, length: 40 * PAGE });
    expect(machine.swap!.used).toBe(0);
    expect(machine.swap!.cache.size).toBe(0);
    granted(machine, pid, { call: 'exit' });
    expect(freeIn(machine)).toBe(256);
    sound(machine);
  });

  test('MADV_WILLNEED reads it into the swap cache (force_shm_swapin_readahead)', () => {
    const { machine, pid, addr } = pushedOut();
    granted(machine, pid, { call: 'madvise', addr: addr + 4 * PAGE, length: 8 * PAGE, advice: 'MADV_WILLNEED' });
    expect(meminfo(machine).SwapCached).toBe(32);
    expect(touch(machine, pid, 'read', addr + 4 * PAGE, 8)).toEqual({ minor: 8, major: 0, cow: 0 });
    sound(machine);
  });

  test('with the area full, its pages stay', () => {
    const { machine, pid } = withSwap(8);
    const addr = mmap(machine, pid, 30, RW, SHARED);
    for (let n = 0; n < 30; n++) poke(machine, pid, addr + n * PAGE, n + 1);
    const other = spawn(machine);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: -1000 });
    refused(machine, other, { call: 'write', addr: mmap(machine, other, 240), length: 240 * PAGE });
    for (let n = 0; n < 30; n++) expect(peek(machine, pid, addr + n * PAGE)).toBe(n + 1);
    sound(machine);
  });

  test('a pinned page stays', () => {
    const { machine, pid } = withSwap();
    const addr = mmap(machine, pid, 2, RW, SHARED);
    poke(machine, pid, addr, 5);
    granted(machine, pid, { call: 'pin_user_pages', addr, length: 1 });
    touch(machine, pid, 'write', mmap(machine, pid, 330), 330);
    expect(objectOf(machine).pages.has(0)).toBe(true);
    sound(machine);
  });

  test('survives snapshot and restore while it is out', () => {
    const { machine, pid, addr } = pushedOut();
    const twin = restore(snapshot(machine));
    expect(hash(twin)).toBe(hash(machine));
    expect(peek(twin, pid, addr + 9 * PAGE)).toBe(10);
    sound(twin);
  });
});

describe('translate', () => {
  test('tells that the page would come from swap', () => {
    const { machine, pid, addr } = pushedOut();
    const answer = refused(machine, pid, { call: 'translate', addr, access: 'read' });
    expect(answer.steps!.map(({ step }) => step)).toContain('shmem_swapin_folio');
    peek(machine, pid, addr);
    granted(machine, pid, { call: 'translate', addr, access: 'read' });
  });
});

describe('a SysV segment', () => {
  test('is pushed out while nobody attaches it, and IPC_RMID frees its slots', () => {
    const { machine, pid } = withSwap();
    const shmid = granted(machine, pid, { call: 'shmget', key: 5, size: 20 * PAGE, shmflg: 'IPC_CREAT' }).shmid as number;
    const addr = granted(machine, pid, { call: 'shmat', shmid }).addr as number;
    for (let n = 0; n < 20; n++) poke(machine, pid, addr + n * PAGE, n + 1);
    granted(machine, pid, { call: 'shmdt', addr });
    const other = mmap(machine, pid, 330);
    touch(machine, pid, 'write', other, 330);
    expect(objectOf(machine).swapped.size).toBe(20);
    expect(granted(machine, KERNEL, { call: 'shmctl', shmid, cmd: 'IPC_STAT' })).toMatchObject({ nattch: 0, rss: 0, swap: 20 * PAGE });
    expect(meminfo(machine).Shmem).toBe(0);
    sound(machine);
    const again = granted(machine, pid, { call: 'shmat', shmid }).addr as number;
    expect(peek(machine, pid, again + 19 * PAGE)).toBe(20);
    sound(machine);
    granted(machine, pid, { call: 'shmdt', addr: again });
    granted(machine, pid, { call: 'munmap', addr: other, length: 330 * PAGE });
    expect(machine.swap!.used).toBeGreaterThan(0);
    granted(machine, pid, { call: 'shmctl', shmid, cmd: 'IPC_RMID' });
    expect(machine.swap!.used).toBe(0);
    sound(machine);
  });
});

describe('what is shown of it', () => {
  test('Swap of smaps counts the part of the object, SwapPss and VmSwap do not (smap_gather_stats, proc(5))', () => {
    const { machine, pid, addr } = pushedOut();
    const area = () => parseSmaps(cat(machine, `/proc/${pid}/smaps`))[0]!.fields;
    expect(area()).toMatchObject({ Rss: 0, Swap: 160, SwapPss: 0 });
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmSwap: 0, RssShmem: 0 });
    expect(meminfo(machine)).toMatchObject({ Shmem: 0, SwapFree: (512 - 40) * 4 });
    granted(machine, pid, { call: 'munmap', addr: addr + 30 * PAGE, length: 10 * PAGE });
    expect(area()).toMatchObject({ Size: 120, Swap: 120 });
  });

  test('it is nobody’s in oom_badness: no entry names its slots', () => {
    const { machine, pid } = pushedOut();
    const empty = spawn(machine);
    // A page table, as the other has one.
    touch(machine, empty, 'read', mmap(machine, empty, 1), 1);
    expect(machine.tasks.get(pid)!.mm.swapEnts).toBe(0);
    expect(score(machine, pid)).toBe(score(machine, empty));
  });

  test('an area that was only read is clean, one that was written dirty (smaps_account)', () => {
    const { machine, pid } = withSwap();
    const addr = mmap(machine, pid, 4, RW, SHARED);
    touch(machine, pid, 'read', addr, 4);
    poke(machine, pid, addr, 1);
    expect(parseSmaps(cat(machine, `/proc/${pid}/smaps`))[0]!.fields).toMatchObject({ Private_Clean: 12, Private_Dirty: 4 });
  });
});

describe('swapoff', () => {
  test('brings objects back first, attached or not', () => {
    const { machine, pid, addr } = pushedOut();
    const shmid = granted(machine, pid, { call: 'shmget', key: 6, size: 4 * PAGE, shmflg: 'IPC_CREAT' }).shmid as number;
    const at = granted(machine, pid, { call: 'shmat', shmid }).addr as number;
    poke(machine, pid, at, 77);
    granted(machine, pid, { call: 'shmdt', addr: at });
    const other = mmap(machine, pid, 330);
    touch(machine, pid, 'write', other, 330);
    granted(machine, pid, { call: 'munmap', addr: other, length: 330 * PAGE });
    granted(machine, KERNEL, { call: 'swapoff' });
    expect(machine.swap).toMatchObject({ on: false, used: 0 });
    expect(meminfo(machine).Shmem).toBe((40 + 1) * 4);
    for (let n = 0; n < 40; n++) expect(peek(machine, pid, addr + n * PAGE)).toBe(n + 1);
    expect(peek(machine, pid, granted(machine, pid, { call: 'shmat', shmid }).addr as number)).toBe(77);
    sound(machine);
  });
});
