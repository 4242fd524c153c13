/** "What always holds" (calls.md): one test for each sentence that this part of the kernel can break. */
import { describe, expect, test } from 'vitest';
import { type Machine, call, hash, tick } from '#kernel/machine.ts';
import {
  KERNEL,
  PAGE,
  RW,
  allocPages,
  boot,
  bootFlat,
  cat,
  freeIn,
  freeLists,
  freePages,
  granted,
  mmap,
  refused,
  spawn,
  touch,
} from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { GOOD_CALLS, requestOf, stage } from '../helpers/requests.ts';

describe('who', () => {
  test('pid 0 has no address space: calls about one are refused, and cost no frame', () => {
    const machine = bootFlat(64);
    for (const request of [
      { call: 'mmap', length: PAGE, prot: RW, flags: 'MAP_PRIVATE|MAP_ANONYMOUS' },
      { call: 'munmap', addr: 0, length: PAGE },
      { call: 'sbrk', increment: 1 },
      { call: 'read', addr: 0, length: 1 },
      { call: 'write', addr: 0, length: 1 },
      { call: 'fork' },
    ]) {
      const answer = refused(machine, KERNEL, request);
      expect(answer, request.call).toMatchObject({ errno: 'EINVAL', why: { code: 'NO_ADDRESS_SPACE_OF_ITS_OWN', call: request.call } });
      expect(answer).not.toHaveProperty('signal');
    }
    expect(freeIn(machine)).toBe(64);
    expect(machine.tasks.size).toBe(0);
  });

  test('a script of pid 0 alone finds the buddy exactly as booted', () => {
    const machine = bootFlat(1024);
    const before = freeLists(machine);
    expect(allocPages(machine, KERNEL, 0)).toBe(0);
    freePages(machine, KERNEL, 0, 0);
    expect(freeLists(machine)).toEqual(before);
  });

  test('pid 1 is created when it is first named, as an ordinary, killable process', () => {
    const machine = bootFlat(64);
    expect(machine.tasks.has(1)).toBe(false);
    expect(granted(machine, 1, { call: 'sbrk', increment: 0 }).addr).toBe(0x0804d000);
    expect(freeIn(machine)).toBe(63);
    granted(machine, KERNEL, { call: 'kill', target: 1, sig: 9 });
    expect(freeIn(machine)).toBe(64);
    expect(refused(machine, 1, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH' });
  });

  test('a malformed first call by pid 1 changes nothing, so it does not create it', () => {
    const machine = bootFlat(64);
    const before = hash(machine);
    expect(refused(machine, 1, { call: 'sbrk' })).toMatchObject({ errno: 'EINVAL' });
    expect(hash(machine)).toBe(before);
  });

  test('pids count upwards from 2 and are never used again', () => {
    const machine = bootFlat(64);
    const first = spawn(machine);
    const second = granted(machine, first, { call: 'fork' }).pid!;
    granted(machine, second, { call: 'exit' });
    const third = spawn(machine);
    granted(machine, third, { call: 'exit', code: 3 });
    expect([first, second, third, spawn(machine)]).toEqual([2, 3, 4, 5]);
  });

  test('a new process: a page directory, no area, nothing resident, brk at 0x0804d000', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    expect(machine.tasks.get(pid)!.mm).toMatchObject({
      vmas: [],
      totalVm: 0,
      rssAnon: 0,
      rssShmem: 0,
      rssFile: 0,
      tables: 1,
      brk: 0x0804d000,
      startBrk: 0x0804d000,
    });
    expect(freeIn(machine)).toBe(63);
  });
});

describe('rights', () => {
  test('spawn and add_memory are the kernel’s: EPERM for others, root or not', () => {
    const machine = bootFlat(64, { maxFrames: 128, root: [2] });
    const pid = spawn(machine);
    expect(refused(machine, pid, { call: 'spawn' })).toMatchObject({ errno: 'EPERM' });
    expect(refused(machine, pid, { call: 'add_memory', count: 1 })).toMatchObject({ errno: 'EPERM' });
  });

  test('freeing what another owns is EPERM; root and pid 0 may', () => {
    const machine = bootFlat(64, { root: [3] });
    const owner = spawn(machine);
    const root = spawn(machine);
    const other = spawn(machine);
    const blocks = [0, 1, 2].map((order) => ({ pfn: allocPages(machine, owner, order), order }));
    expect(refused(machine, other, { call: 'free_pages', ...blocks[0]! })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_OWNER', owner },
    });
    granted(machine, root, { call: 'free_pages', ...blocks[0]! });
    granted(machine, KERNEL, { call: 'free_pages', ...blocks[1]! });
    granted(machine, owner, { call: 'free_pages', ...blocks[2]! });
    expect(machine.tasks.get(owner)!.kernelPages).toBe(0);
    checkMachine(machine);
  });

  test('what the kernel took is the kernel’s', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    const pfn = allocPages(machine, KERNEL, 0);
    expect(refused(machine, pid, { call: 'free_pages', pfn, order: 0 })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_OWNER', pfn, owner: 0 },
    });
  });

  test('raising one’s score is free; lowering it under what was inherited is EACCES; root may', () => {
    const machine = bootFlat(64, { root: [3] });
    const pid = spawn(machine);
    const root = spawn(machine);
    const adjust = (by: number, value: number) => call(machine, by, { call: 'oom_score_adj', target: pid, value });
    expect(adjust(pid, 500)).toMatchObject({ ok: true });
    expect(adjust(pid, 100)).toMatchObject({ ok: true }); // back, but not under 0
    expect(adjust(pid, -1)).toMatchObject({ ok: false, errno: 'EACCES' });
    expect(cat(machine, `/proc/${pid}/oom_score_adj`)).toBe('100\n');
    expect(adjust(root, -500)).toMatchObject({ ok: true });
    expect(adjust(pid, -500)).toMatchObject({ ok: true });
    expect(adjust(pid, -501)).toMatchObject({ ok: false, errno: 'EACCES' });
    expect(adjust(KERNEL, 200)).toMatchObject({ ok: true });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(call(machine, child, { call: 'oom_score_adj', target: child, value: 199 })).toMatchObject({ ok: false, errno: 'EACCES' });
  });
});

describe('death', () => {
  test('a fatal signal kills before the answer: signal in place of errno, and everything is free at once', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 10), 10);
    allocPages(machine, pid, 3);
    const answer = refused(machine, pid, { call: 'write', addr: 0, length: 1 });
    expect(answer).toMatchObject({ ok: false, signal: 'SIGSEGV', why: { code: 'NOT_MAPPED' } });
    expect(answer).not.toHaveProperty('errno');
    expect(freeIn(machine)).toBe(256);
    expect(machine.tasks.size).toBe(0);
    checkMachine(machine);
  });

  test('a call by a pid that has died or never was: ESRCH, whatever the call, and nothing changes', () => {
    const at = stage();
    granted(at.machine, at.pid, { call: 'exit' });
    const before = hash(at.machine);
    for (const good of GOOD_CALLS.filter((each) => each.by === 'process')) {
      const { request } = requestOf(good, at);
      for (const pid of [at.pid, 999]) {
        expect(call(at.machine, pid, request), good.call).toMatchObject({
          ok: false,
          errno: 'ESRCH',
          cost: 0,
          why: { code: 'NO_SUCH_PROCESS', pid },
        });
      }
    }
    expect(hash(at.machine)).toBe(before);
  });

  test('exit frees all: private pages, shared ones with their last user, tables, kernel blocks', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const shared = mmap(machine, pid, 4, RW, 'MAP_SHARED|MAP_ANONYMOUS');
    touch(machine, pid, 'write', shared, 4);
    touch(machine, pid, 'write', mmap(machine, pid, 5), 5);
    allocPages(machine, pid, 4);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, pid, { call: 'exit' });
    checkMachine(machine);
    expect(freeIn(machine)).toBe(256 - 4 - 5 - machine.tasks.get(child)!.mm.tables);
    granted(machine, child, { call: 'exit' });
    expect(freeIn(machine)).toBe(256);
    expect(freeLists(machine)[8]).toEqual([0]);
  });

  test('no zombies: the dead are in no list and have no files', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    granted(machine, pid, { call: 'exit' });
    expect(refused(machine, KERNEL, { call: 'cat', path: `/proc/${pid}/status` })).toMatchObject({ errno: 'ENOENT' });
    expect(refused(machine, KERNEL, { call: 'kill', target: pid, sig: 9 })).toMatchObject({ errno: 'ESRCH' });
  });

  test('who kills itself gets the signal as its answer', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    expect(refused(machine, pid, { call: 'kill', target: pid, sig: 9 })).toMatchObject({
      signal: 'SIGKILL',
      why: { code: 'KILLED', by: pid, sig: 9 },
    });
    expect(machine.tasks.has(pid)).toBe(false);
  });

  test('naming pid 1 may cost the caller its life: a page directory is a page', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 30), 30);
    while (freeIn(machine) > 0) allocPages(machine, KERNEL, 0, 'GFP_NOWAIT');
    expect(refused(machine, pid, { call: 'kill', target: 1, sig: 0 })).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_KILLED' } });
    expect([...machine.tasks.keys()]).toEqual([1]);
    checkMachine(machine);
  });

  test('a stranger may not be killed', () => {
    const machine = bootFlat(64);
    const one = spawn(machine);
    const other = spawn(machine);
    expect(refused(machine, one, { call: 'kill', target: other, sig: 9 })).toMatchObject({ errno: 'EPERM' });
    expect(machine.tasks.has(other)).toBe(true);
  });
});

describe('kernel memory taken by a process', () => {
  test('is owned by it and freed when it dies', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    for (const order of [0, 5, 2]) allocPages(machine, pid, order);
    expect(machine.tasks.get(pid)!.kernelPages).toBe(37);
    granted(machine, KERNEL, { call: 'kill', target: pid, sig: 15 });
    expect(freeIn(machine)).toBe(256);
    checkMachine(machine);
  });
});

describe('waiting', () => {
  test('__GFP_NOFAIL with nobody left to kill would sleep: EAGAIN, why WOULD_SLEEP, and changes nothing', () => {
    const machine = bootFlat(64);
    granted(machine, KERNEL, { call: 'alloc_pages', order: 6, gfp: 'GFP_KERNEL' });
    const before = hash(machine);
    const answer = call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL|__GFP_NOFAIL' });
    expect(answer).toMatchObject({ ok: false, errno: 'EAGAIN', why: { code: 'WOULD_SLEEP' } });
    expect(hash(machine)).toBe(before);
  });
});

describe('faults', () => {
  test('are present in every access, the failed ones included', () => {
    for (const request of [
      { call: 'read', addr: 0, length: 1 },
      { call: 'write', addr: 0, length: 1 },
      { call: 'exec', addr: 0 },
      { call: 'peek', addr: 0, length: 1 },
      { call: 'poke', addr: 0, bytes: [1] },
    ]) {
      const machine = bootFlat(64);
      const pid = spawn(machine);
      expect(refused(machine, pid, request).faults, request.call).toEqual({ minor: 0, major: 0, cow: 0 });
    }
    const at = stage();
    for (const name of ['read', 'write', 'peek', 'poke']) {
      const good = GOOD_CALLS.find((each) => each.call === name)!;
      expect(granted(at.machine, at.pid, requestOf(good, at).request), name).toHaveProperty('faults');
    }
  });
});

describe('contents', () => {
  test('exist only where somebody made them; reading and touching makes none', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4);
    touch(machine, pid, 'write', addr, 4);
    touch(machine, pid, 'read', addr, 4);
    expect(machine.contents.size).toBe(0);
    granted(machine, pid, { call: 'write', addr, length: 1, value: 200 });
    expect(machine.contents.size).toBe(1);
  });

  test('count in the hash', () => {
    const one = stage();
    const other = stage();
    granted(one.machine, one.pid, { call: 'poke', addr: one.addr, bytes: [1] });
    granted(other.machine, other.pid, { call: 'poke', addr: other.addr, bytes: [2] });
    expect(hash(one.machine)).not.toBe(hash(other.machine));
  });

  test('are at most 16 MiB a machine: then CONTENTS_FULL, and the process lives', () => {
    const machine = boot({ frames: 8192, zones: { normal: 8192 } });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4100);
    granted(machine, pid, { call: 'write', addr, length: 4096 * PAGE, value: 1 });
    expect(refused(machine, pid, { call: 'write', addr: addr + 4096 * PAGE, length: 1, value: 1 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'CONTENTS_FULL' },
    });
    granted(machine, pid, { call: 'write', addr: addr + 4096 * PAGE, length: 1 });
    expect(machine.tasks.has(pid)).toBe(true);
    checkMachine(machine);
  });
});

describe('time', () => {
  test('calls do not advance it; a tick is one', () => {
    const machine = bootFlat(64);
    spawn(machine);
    expect(machine.now).toBe(0);
    tick(machine);
    expect(machine.now).toBe(1);
    expect(hash(machine)).not.toBe(hash(bootFlat(64)));
  });

  test('costs are whole microseconds of the machine’s own table', () => {
    const dear = bootFlat(256, { costs: { alloc_page: 77, spawn: 5 } });
    expect(granted(dear, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' }).cost).toBe(77);
    expect(granted(dear, KERNEL, { call: 'spawn' }).cost).toBe(5);
  });
});

describe('zones in text', () => {
  const zoneNames = (machine: Machine) => [...cat(machine, '/proc/buddyinfo').matchAll(/zone +(\S+)/g)].map((found) => found[1]);

  test('are DMA, DMA32, Normal, HighMem; an empty one is not printed', () => {
    expect(zoneNames(boot({ frames: 256, zones: { dma: 64, dma32: 64, normal: 64, highmem: 64 } }))).toEqual([
      'DMA',
      'DMA32',
      'Normal',
      'HighMem',
    ]);
    expect(zoneNames(boot({ frames: 256, zones: { dma: 64, normal: 192 } }))).toEqual(['DMA', 'Normal']);
    expect(zoneNames(boot({ frames: 256, zones: { dma: 64, normal: 192 }, reserved: 64 }))).toEqual(['Normal']);
  });

  test('present = spanned = managed = the zone’s frames less those reserved; MemTotal is their sum × 4 kB', () => {
    const machine = boot({ frames: 256, zones: { dma: 64, normal: 192 }, reserved: 10 });
    const zoneinfo = cat(machine, '/proc/zoneinfo');
    for (const label of ['spanned', 'present', 'managed']) {
      expect(
        [...zoneinfo.matchAll(new RegExp(`^ {8}${label} +(\\d+)$`, 'gm'))].map((found) => Number(found[1])),
        label,
      ).toEqual([54, 192]);
    }
    expect(cat(machine, '/proc/meminfo')).toMatch(/^MemTotal: +984 kB$/m);
  });
});

describe('orders', () => {
  test('maxOrder is inclusive: a block of it is given, and merges stop there', () => {
    const machine = bootFlat(256, { maxOrder: 5 });
    expect(freeLists(machine)).toHaveLength(6);
    expect(freeLists(machine)[5]).toEqual([0, 32, 64, 96, 128, 160, 192, 224]);
    expect(allocPages(machine, KERNEL, 5)).toBe(0);
    freePages(machine, KERNEL, 0, 5);
    expect(freeLists(machine)[5]![0]).toBe(0);
  });
});

describe('memory hot-plug', () => {
  test('add_memory grows the highest zone at its top, whole blocks join, marks follow', () => {
    const machine = boot({ frames: 192, zones: { dma: 64, normal: 128 }, maxFrames: 512, minFreeKbytes: 256 });
    const before = machine.zones[0]!.lowmemReserve[1];
    expect(granted(machine, KERNEL, { call: 'add_memory', count: 64 }).pfn).toBe(192);
    expect(machine.zones[1]).toMatchObject({ start: 64, end: 256, managed: 192, free: 192 });
    expect(freeLists(machine)[7]).toEqual([128]);
    expect(freeIn(machine)).toBe(256);
    expect(before).toBe(0);
    expect(granted(machine, KERNEL, { call: 'add_memory', count: 256 }).pfn).toBe(256);
    expect(refused(machine, KERNEL, { call: 'add_memory', count: 1 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NO_ROOM_FOR_MEMORY' },
    });
    expect(machine.zones[0]!.lowmemReserve[1]).toBe(Math.floor(448 / 256));
    checkMachine(machine);
  });
});
