/** Page faults (mm/memory.c, arch/x86/mm/fault.c; fidelity spec §2, §11): demand paging, zero page, copy on write, page tables. */
import { describe, expect, test } from 'vitest';
import { KERNEL, PAGE, RW, SHARED, boot, bootFlat, cat, freeIn, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { areaOf, cowExperiment, smapsLine } from '../helpers/experiments.ts';
import { parseStatus, parseVmstat } from '../helpers/procText.ts';

/** A process, and how many frames are free before it has anything mapped. */
function start() {
  const machine = boot();
  const pid = spawn(machine);
  return { machine, pid, free: freeIn(machine) };
}

const none = { minor: 0, major: 0, cow: 0 };

describe('a program run on Linux 6.18 (64 pages, private anonymous; then fork, then shared)', () => {
  // Source: a C program on a real kernel; sections A (demand paging), B (fork and copy on write), C (shared anonymous memory).
  test('every count of faults and every line of smaps is the one that the real kernel printed', () => {
    const machine = boot();
    expect(cowExperiment(machine)).toEqual([
      ['after mmap', 'perm=rw-p Size=256 Rss=0 Pss=0 ShC=0 ShD=0 PrC=0 PrD=0 Anon=0'],
      ['minflt reading all 64', 64],
      ['after read (zero page)', 'perm=rw-p Size=256 Rss=0 Pss=0 ShC=0 ShD=0 PrC=0 PrD=0 Anon=0'],
      ['minflt writing all 64 after read', 64],
      ['after write', 'perm=rw-p Size=256 Rss=256 Pss=256 ShC=0 ShD=0 PrC=0 PrD=256 Anon=256'],
      ['minflt re-writing', 0],
      ['minflt writing 64 fresh pages directly', 64],
      ['child minflt writing 16 shared pages', 16],
      ['child after 16 writes', 'perm=rw-p Size=256 Rss=256 Pss=160 ShC=0 ShD=192 PrC=0 PrD=64 Anon=256'],
      ['parent while child lives', 'perm=rw-p Size=256 Rss=256 Pss=160 ShC=0 ShD=192 PrC=0 PrD=64 Anon=256'],
      ['parent minflt writing 16 still-shared', '16 (copies)'],
      ['parent minflt writing 16 the child already copied', '16 (reuse, no copy)'],
      ['parent after', 'perm=rw-p Size=256 Rss=256 Pss=192 ShC=0 ShD=128 PrC=0 PrD=128 Anon=256'],
      ['parent minflt writing last 32 after child exit', '32 (reuse)'],
      ['parent final', 'perm=rw-p Size=256 Rss=256 Pss=256 ShC=0 ShD=0 PrC=0 PrD=256 Anon=256'],
      ['child1 minflt writing 24 shared', '24 (fork does not copy shared-anon ptes)'],
      ['parent sees', 's[0]=9 s[12*P]=8'],
      // 12 pages by three processes and 12 by two are 40 kB; the kernel truncates per page's fixed point and prints 39.
      ['parent shared (expect Pss=12*4/3+12*4/2=40)', 'perm=rw-s Size=96 Rss=96 Pss=39 ShC=0 ShD=96 PrC=0 PrD=0 Anon=0'],
      ['after both exit', 'perm=rw-s Size=96 Rss=96 Pss=96 ShC=0 ShD=0 PrC=0 PrD=96 Anon=0'],
    ]);
    checkMachine(machine);
    expect(freeIn(machine)).toBe(4096);
  });
});

describe('demand paging', () => {
  test('mapping gives no page; a page comes with its first touch, its table with the first touch of 4 MiB', () => {
    const { machine, pid, free } = start();
    const addr = mmap(machine, pid, 1024);
    expect(freeIn(machine)).toBe(free);
    expect(touch(machine, pid, 'write', addr, 1)).toEqual({ ...none, minor: 1 });
    expect(freeIn(machine)).toBe(free - 2);
    expect(touch(machine, pid, 'write', addr + PAGE, 1)).toEqual({ ...none, minor: 1 });
    expect(freeIn(machine)).toBe(free - 3);
  });

  test('the lazy heap of the lecture notes: VSS grows by brk, RSS by touch, one fault a page', () => {
    const { machine, pid } = start();
    const look = () => {
      const status = parseStatus(cat(machine, `/proc/${pid}/status`));
      return [status.VmSize, status.VmRSS];
    };
    const heap = granted(machine, pid, { call: 'sbrk', increment: 2 * PAGE }).addr as number;
    expect(touch(machine, pid, 'write', heap, 2).minor).toBe(2);
    expect(look()).toEqual([8, 8]);
    granted(machine, pid, { call: 'brk', addr: heap + 4 * PAGE });
    expect(look()).toEqual([16, 8]);
    expect(touch(machine, pid, 'write', heap + 2 * PAGE, 1).minor).toBe(1);
    expect(look()).toEqual([16, 12]);
    expect(touch(machine, pid, 'write', heap + 3 * PAGE, 1).minor).toBe(1);
    expect(look()).toEqual([16, 16]);
  });

  test('a first read maps the shared zero page: a fault, no frame, nothing resident; the write after it takes a second fault', () => {
    const { machine, pid, free } = start();
    const addr = mmap(machine, pid, 8);
    expect(touch(machine, pid, 'read', addr, 8)).toEqual({ ...none, minor: 8 });
    expect(freeIn(machine)).toBe(free - 1); // the page table
    expect(touch(machine, pid, 'read', addr, 8)).toEqual(none);
    expect(granted(machine, pid, { call: 'write', addr, length: 8 * PAGE }).faults).toMatchObject({ minor: 8, major: 0 });
    expect(freeIn(machine)).toBe(free - 9);
  });

  test('one byte touches one page, two bytes over a border touch two', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 4);
    expect(granted(machine, pid, { call: 'write', addr: addr + 100, length: 1 }).faults!.minor).toBe(1);
    expect(granted(machine, pid, { call: 'write', addr: addr + 2 * PAGE - 1, length: 2 }).faults!.minor).toBe(2);
    expect(granted(machine, pid, { call: 'read', addr: addr + 3 * PAGE + 4095, length: 1 }).faults!.minor).toBe(1);
  });

  test('reading all of it tells the counters of the process and of the machine', () => {
    const { machine, pid } = start();
    const before = parseVmstat(cat(machine, '/proc/vmstat'));
    touch(machine, pid, 'read', mmap(machine, pid, 5), 5);
    const after = parseVmstat(cat(machine, '/proc/vmstat'));
    expect(after.pgfault! - before.pgfault!).toBe(5);
    expect(after.pgmajfault).toBe(0);
    expect(machine.tasks.get(pid)).toMatchObject({ minFlt: 5, majFlt: 0 });
  });

  test('contents: what was poked is peeked, all else reads 0, and a freed page forgets', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 2);
    granted(machine, pid, { call: 'poke', addr: addr + PAGE - 2, bytes: [1, 2, 3, 255] });
    expect(granted(machine, pid, { call: 'peek', addr: addr + PAGE - 3, length: 6 }).bytes).toEqual([0, 1, 2, 3, 255, 0]);
    granted(machine, pid, { call: 'write', addr, length: 3, value: 0x5a });
    expect(granted(machine, pid, { call: 'peek', addr, length: 4 }).bytes).toEqual([0x5a, 0x5a, 0x5a, 0]);
    granted(machine, pid, { call: 'munmap', addr, length: 2 * PAGE });
    const again = mmap(machine, pid, 2);
    expect(again).toBe(addr);
    touch(machine, pid, 'write', again, 2);
    expect(granted(machine, pid, { call: 'peek', addr: again + PAGE - 3, length: 6 }).bytes).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('page tables are frames', () => {
  test('a process begins with its directory; each 4 MiB touched costs one table, and all go back', () => {
    const machine = boot();
    const before = freeIn(machine);
    const pid = spawn(machine);
    expect(freeIn(machine)).toBe(before - 1);
    const addr = mmap(machine, pid, 3 * 1024, RW, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED', 0x40000000);
    for (let n = 0; n < 3; n++) touch(machine, pid, 'write', addr + n * 1024 * PAGE, 1);
    expect(freeIn(machine)).toBe(before - 1 - 3 - 3);
    expect(parseStatus(cat(machine, `/proc/${pid}/status`)).VmPTE).toBe(16);
    granted(machine, pid, { call: 'munmap', addr: addr + 1024 * PAGE, length: 1024 * PAGE });
    expect(freeIn(machine)).toBe(before - 1 - 2 - 2);
    granted(machine, pid, { call: 'exit' });
    expect(freeIn(machine)).toBe(before);
    checkMachine(machine);
  });

  test('fork copies tables, 4 bytes a page, and no page (10 GiB would cost 20 MiB with 8-byte entries)', () => {
    const machine = bootFlat(16384);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4096, RW, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED', 0x40000000);
    touch(machine, pid, 'write', addr, 4096);
    const before = freeIn(machine);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(before - freeIn(machine)).toBe(1 + 4);
    expect(machine.tasks.get(child)!.mm).toMatchObject({ tables: 5, rssAnon: 4096 });
    checkMachine(machine);
  });

  test('memory that was never written needs no table in the child', () => {
    const machine = boot();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 64);
    touch(machine, pid, 'read', addr, 64);
    const before = freeIn(machine);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(before - freeIn(machine)).toBe(1);
    expect(touch(machine, child, 'read', addr, 64).minor).toBe(64);
  });
});

describe('fork and copy on write', () => {
  test('the child sees what the parent wrote; after either writes, each has its own', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 1);
    granted(machine, pid, { call: 'poke', addr, bytes: [7] });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    const byte = (who: number) => granted(machine, who, { call: 'peek', addr, length: 1 }).bytes;
    expect(byte(child)).toEqual([7]);
    expect(granted(machine, child, { call: 'poke', addr, bytes: [8] }).faults).toEqual({ minor: 1, major: 0, cow: 1 });
    expect([byte(pid), byte(child)]).toEqual([[7], [8]]);
    expect(granted(machine, pid, { call: 'poke', addr, bytes: [9] }).faults).toEqual({ minor: 1, major: 0, cow: 0 });
    expect([byte(pid), byte(child)]).toEqual([[9], [8]]);
    checkMachine(machine);
  });

  test('shared memory is one memory: both see every write, nothing is copied', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 2, RW, SHARED);
    granted(machine, pid, { call: 'poke', addr, bytes: [1] });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(machine.tasks.get(child)!.mm.rssShmem).toBe(0);
    expect(granted(machine, child, { call: 'poke', addr: addr + 1, bytes: [2] }).faults).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(granted(machine, pid, { call: 'peek', addr, length: 2 }).bytes).toEqual([1, 2]);
    granted(machine, child, { call: 'poke', addr: addr + PAGE, bytes: [3] }); // the child brings the second page
    expect(granted(machine, pid, { call: 'peek', addr: addr + PAGE, length: 1 }).bytes).toEqual([3]);
    granted(machine, pid, { call: 'exit' });
    expect(granted(machine, child, { call: 'peek', addr, length: 2 }).bytes).toEqual([1, 2]);
    checkMachine(machine);
  });

  test('three generations share a page: each writer but the last copies', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    const grandchild = granted(machine, child, { call: 'fork' }).pid!;
    expect(smapsLine(areaOf(machine, pid, addr))).toContain('Rss=4 Pss=1 '); // 4/3, truncated
    expect(touch(machine, pid, 'write', addr, 1).cow).toBe(1);
    expect(touch(machine, grandchild, 'write', addr, 1).cow).toBe(1);
    expect(touch(machine, child, 'write', addr, 1).cow).toBe(0);
    checkMachine(machine);
  });

  test('the page of a dead parent lives on with its child', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 1);
    granted(machine, pid, { call: 'poke', addr, bytes: [42] });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, pid, { call: 'exit' });
    expect(granted(machine, child, { call: 'peek', addr, length: 1 }).bytes).toEqual([42]);
    expect(touch(machine, child, 'write', addr, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
    checkMachine(machine);
  });

  test('the child has the parent’s areas, break and score adjustment, and nobody’s faults', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 3);
    granted(machine, pid, { call: 'sbrk', increment: 100 });
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: 250 });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(cat(machine, `/proc/${child}/maps`)).toBe(cat(machine, `/proc/${pid}/maps`));
    expect(machine.tasks.get(child)).toMatchObject({ ppid: pid, oomScoreAdj: 250, minFlt: 0, mm: { brk: 0x0804d064, rssAnon: 0 } });
    expect(granted(machine, child, { call: 'sbrk', increment: 0 }).addr).toBe(0x0804d064);
  });

  test('locks are not inherited (mlock(2)); the pages are there all the same', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_LOCKED');
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmLck: 16, VmRSS: 16 });
    expect(parseStatus(cat(machine, `/proc/${child}/status`))).toMatchObject({ VmLck: 0, VmRSS: 16 });
  });

  test('kernel memory is not inherited', () => {
    const { machine, pid } = start();
    const pfn = granted(machine, pid, { call: 'alloc_pages', order: 2, gfp: 'GFP_KERNEL' }).pfn!;
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(machine.tasks.get(child)!.kernelPages).toBe(0);
    expect(refused(machine, child, { call: 'free_pages', pfn, order: 2 })).toMatchObject({ errno: 'EPERM' });
  });
});

describe('signals (a C program on a real kernel: NULL, read-only, PROT_NONE, kernel address)', () => {
  const area = (prot: string) => {
    const { machine, pid } = start();
    return { machine, pid, addr: mmap(machine, pid, 2, prot) };
  };
  const dies = (machine: ReturnType<typeof boot>, pid: number, request: Parameters<typeof refused>[2], why: object) => {
    const answer = refused(machine, pid, request);
    expect(answer).toMatchObject({ signal: 'SIGSEGV', why, faults: none });
    expect(answer).not.toHaveProperty('errno');
    expect(machine.tasks.has(pid)).toBe(false);
    expect(refused(machine, pid, { call: 'read', addr: 0, length: 1 })).toMatchObject({ errno: 'ESRCH' });
    expect(freeIn(machine)).toBe(4096);
    checkMachine(machine);
  };

  test('reading NULL: nothing is mapped there (SEGV_MAPERR)', () => {
    const { machine, pid } = start();
    dies(machine, pid, { call: 'read', addr: 0, length: 1 }, { code: 'NOT_MAPPED', addr: 0 });
  });

  test('writing a read-only area (SEGV_ACCERR); reading it is fine', () => {
    const { machine, pid, addr } = area('PROT_READ');
    expect(touch(machine, pid, 'read', addr + PAGE, 1).minor).toBe(1);
    dies(machine, pid, { call: 'write', addr, length: 1 }, { code: 'NOT_ALLOWED', addr, access: 'write' });
  });

  test('a read-only page that is present refuses writes all the same', () => {
    const { machine, pid, addr } = area('PROT_READ');
    touch(machine, pid, 'read', addr, 1);
    dies(machine, pid, { call: 'poke', addr: addr + 5, bytes: [1] }, { code: 'NOT_ALLOWED', addr: addr + 5, access: 'write' });
  });

  test('PROT_NONE refuses reads', () => {
    const { machine, pid, addr } = area('PROT_NONE');
    dies(machine, pid, { call: 'read', addr, length: 1 }, { code: 'NOT_ALLOWED', addr, access: 'read' });
  });

  test.each([0xc0000000, 0xffffffff])('a kernel address (%i)', (addr) => {
    const { machine, pid } = start();
    dies(machine, pid, { call: 'read', addr, length: 1 }, { code: 'KERNEL_ADDRESS', addr });
  });

  test('executing what is not executable; with PROT_EXEC it runs', () => {
    const fine = area('PROT_READ|PROT_WRITE|PROT_EXEC');
    expect(granted(fine.machine, fine.pid, { call: 'exec', addr: fine.addr }).faults!.minor).toBe(1);
    const { machine, pid, addr } = area('PROT_READ|PROT_WRITE');
    dies(machine, pid, { call: 'exec', addr }, { code: 'NOT_ALLOWED', addr, access: 'exec' });
  });

  test('PROT_WRITE alone may be read (any right reads, arch/x86/mm/fault.c access_error)', () => {
    const { machine, pid, addr } = area('PROT_WRITE');
    expect(touch(machine, pid, 'read', addr, 1).minor).toBe(1);
  });

  test('an access that runs off its area dies at the border; the pages before were touched and counted', () => {
    const { machine, pid, addr } = area(RW);
    const answer = refused(machine, pid, { call: 'write', addr: addr + PAGE, length: 3 * PAGE });
    expect(answer).toMatchObject({
      signal: 'SIGSEGV',
      why: { code: 'NOT_MAPPED', addr: 0xb8000000 },
      faults: { minor: 1, major: 0, cow: 0 },
    });
  });

  test('a hole that munmap made', () => {
    const { machine, pid, addr } = area(RW);
    granted(machine, pid, { call: 'munmap', addr, length: PAGE });
    dies(machine, pid, { call: 'write', addr: addr + 1, length: 1 }, { code: 'NOT_MAPPED', addr: addr + 1 });
  });
});
