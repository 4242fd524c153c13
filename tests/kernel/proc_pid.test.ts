/** /proc/PID, byte for byte (fidelity spec §18; the shapes are those of files of a Linux 6.18 machine, values ours). */
import { beforeAll, describe, expect, test } from 'vitest';
import { call } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, boot, cat, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { busy } from '../helpers/busy.ts';
import { linesOf, parseMaps, parseSmaps, parseStatus } from '../helpers/procText.ts';

let at: ReturnType<typeof busy>;
beforeAll(() => {
  at = busy();
});

describe('/proc/PID/maps', () => {
  test('the line of a static 32-bit program: two rights of anonymous memory end after the inode and a blank', () => {
    const machine = boot();
    const pid = spawn(machine);
    mmap(machine, pid, 96);
    granted(machine, pid, { call: 'brk', addr: 0x0806e000 });
    // The heap's name begins in column 49 on a 32-bit machine (25 + 6 × sizeof(void *)).
    expect(cat(machine, `/proc/${pid}/maps`)).toBe(
      '0804d000-0806e000 rw-p 00000000 00:00 0          [heap]\n' + 'b7fa0000-b8000000 rw-p 00000000 00:00 0 \n',
    );
  });

  test('what is left of a shared memory after a hole shows its place in it', () => {
    const machine = boot();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 6, RW, 'MAP_SHARED|MAP_ANONYMOUS');
    granted(machine, pid, { call: 'munmap', addr: addr + PAGE, length: PAGE });
    expect(parseMaps(cat(machine, `/proc/${pid}/maps`)).map((area) => area.offset)).toEqual([0, 2 * PAGE]);
  });

  test('areas by address, rights as rwx and p or s, shared memory as /dev/zero', () => {
    const areas = parseMaps(cat(at.machine, `/proc/${at.pid}/maps`));
    expect(areas.map((area) => [area.perms, (area.end - area.start) / PAGE, area.name])).toEqual([
      ['rw-p', 4, '[heap]'],
      ['r-xp', 5, ''],
      ['---p', 7, ''],
      ['rw-s', 6, '/dev/zero (deleted)'],
      ['rw-p', 20, ''],
    ]);
    expect(areas.map((area) => area.offset)).toEqual([0, 0, 0, 0, 0]);
    for (const line of linesOf(cat(at.machine, `/proc/${at.pid}/maps`))) {
      expect(line).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8} [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2}:[0-9a-f]{2} \d+ (?: *\S.*)?$/);
    }
  });
});

describe('/proc/PID/smaps', () => {
  test('a maps line, then the kernel’s fields in its order, each `%-16s%8lu kB`', () => {
    const FIELDS = [
      'Size',
      'KernelPageSize',
      'MMUPageSize',
      'Rss',
      'Pss',
      'Pss_Dirty',
      'Shared_Clean',
      'Shared_Dirty',
      'Private_Clean',
      'Private_Dirty',
      'Referenced',
      'Anonymous',
      'KSM',
      'LazyFree',
      'AnonHugePages',
      'ShmemPmdMapped',
      'FilePmdMapped',
      'Shared_Hugetlb',
      'Private_Hugetlb',
      'Swap',
      'SwapPss',
      'Locked',
      'THPeligible',
    ];
    const text = cat(at.machine, `/proc/${at.pid}/smaps`);
    const areas = parseSmaps(text);
    expect(areas).toHaveLength(5);
    for (const area of areas) expect(Object.keys(area.fields)).toEqual(FIELDS);
    for (const line of linesOf(text)) {
      expect(line).toMatch(/^[0-9a-f]{8}-|^(?=.{16} *\d+ kB$)[A-Z][A-Za-z_]+: *\d+ kB$|^THPeligible: {11}[01]$|^VmFlags: (?:[a-z]{2} )+$/);
    }
    expect(cat(at.machine, `/proc/${at.pid}/maps`)).toBe(
      linesOf(text)
        .filter((line) => /^[0-9a-f]{8}-/.test(line))
        .map((line) => `${line}\n`)
        .join(''),
    );
  });

  test('Rss = Σ Shared + Σ Private; Size ≥ Rss ≥ Pss ≥ Private; KernelPageSize is 4', () => {
    for (const pid of [at.pid, at.child]) {
      for (const { fields: f } of parseSmaps(cat(at.machine, `/proc/${pid}/smaps`))) {
        expect(f.Rss).toBe(f.Shared_Clean! + f.Shared_Dirty! + f.Private_Clean! + f.Private_Dirty!);
        expect(f.Size).toBeGreaterThanOrEqual(f.Rss!);
        expect(f.Rss).toBeGreaterThanOrEqual(f.Pss!);
        expect(f.Pss).toBeGreaterThanOrEqual(f.Private_Clean! + f.Private_Dirty!);
        expect([f.KernelPageSize, f.MMUPageSize]).toEqual([4, 4]);
        expect(f.Referenced).toBeLessThanOrEqual(f.Rss!);
      }
    }
  });

  test('PSS of the lecture notes: 4 pages shared by three, 5 by two, 6 alone are 9.83 pages; smaps prints 39 kB', () => {
    const machine = boot();
    const a = spawn(machine);
    const addr = mmap(machine, a, 15, RW, 'MAP_SHARED|MAP_ANONYMOUS');
    touch(machine, a, 'write', addr, 15);
    const b = granted(machine, a, { call: 'fork' }).pid!;
    const c = granted(machine, a, { call: 'fork' }).pid!;
    touch(machine, b, 'read', addr, 9);
    touch(machine, c, 'read', addr, 4);
    expect(parseSmaps(cat(machine, `/proc/${a}/smaps`))[0]!.fields).toMatchObject({
      Size: 60,
      Rss: 60,
      Pss: 39,
      Shared_Dirty: 36,
      Private_Dirty: 24,
    });
  });

  test('Σ PSS over all processes is what all their pages are, but for what each area truncates', () => {
    const distinct = (20 + 2 + 1 + 3) * 4;
    let pss = 0;
    let areas = 0;
    for (const pid of [at.pid, at.child]) {
      for (const area of parseSmaps(cat(at.machine, `/proc/${pid}/smaps`))) {
        pss += area.fields.Pss!;
        areas += 1;
      }
    }
    expect(pss).toBeLessThanOrEqual(distinct);
    expect(pss).toBeGreaterThan(distinct - areas);
  });
});

describe('/proc/PID/status', () => {
  test('labels and order of the real file, values `%8lu kB` behind a tab', () => {
    const ORDER = [
      'Name',
      'Umask',
      'State',
      'Tgid',
      'Ngid',
      'Pid',
      'PPid',
      'TracerPid',
      'Uid',
      'Gid',
      'FDSize',
      'Groups',
      'NStgid',
      'NSpid',
      'NSpgid',
      'NSsid',
      'Kthread',
      'VmPeak',
      'VmSize',
      'VmLck',
      'VmPin',
      'VmHWM',
      'VmRSS',
      'RssAnon',
      'RssFile',
      'RssShmem',
      'VmData',
      'VmStk',
      'VmExe',
      'VmLib',
      'VmPTE',
      'VmSwap',
      'HugetlbPages',
      'CoreDumping',
      'THP_enabled',
      'untag_mask',
      'Threads',
    ];
    const text = cat(at.machine, `/proc/${at.child}/status`);
    const labels = Object.keys(parseStatus(text));
    expect(labels).toEqual(ORDER.filter((label) => labels.includes(label)));
    expect(labels).toEqual(expect.arrayContaining(ORDER.slice(ORDER.indexOf('VmPeak'), ORDER.indexOf('VmSwap') + 1)));
    for (const line of linesOf(text).filter((each) => /^(Vm|Rss)/.test(each))) expect(line).toMatch(/^[A-Za-z]+:\t *\d+ kB$/);
    for (const line of linesOf(text).filter((each) => /^(Vm|Rss)/.test(each))) expect(line.split('\t')[1]).toHaveLength(11);
  });

  test('the values are the process’', () => {
    const mm = at.machine.tasks.get(at.pid)!.mm;
    expect(parseStatus(cat(at.machine, `/proc/${at.pid}/status`))).toMatchObject({
      Pid: String(at.pid),
      PPid: '0',
      VmSize: (20 + 6 + 7 + 5 + 4) * 4,
      VmPeak: (20 + 6 + 7 + 5 + 4) * 4,
      VmRSS: (20 + 3 + 2) * 4,
      VmHWM: (20 + 3 + 2) * 4,
      RssAnon: 88,
      RssShmem: 12,
      RssFile: 0,
      VmData: (20 + 4) * 4,
      VmPTE: mm.tables * 4,
      VmSwap: 0,
    });
  });

  test('peaks stay when memory goes', () => {
    const machine = boot();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 10);
    touch(machine, pid, 'write', addr, 8);
    granted(machine, pid, { call: 'munmap', addr, length: 10 * PAGE });
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmPeak: 40, VmSize: 0, VmHWM: 32, VmRSS: 0 });
  });
});

describe('the short files of a process', () => {
  test('statm: size resident shared text lib data dt, in pages', () => {
    expect(cat(at.machine, `/proc/${at.pid}/statm`)).toBe('42 25 3 0 0 24 0\n');
  });

  test('statm counts a stack among the data (fs/proc/task_mmu.c: data_vm + stack_vm)', () => {
    const machine = boot();
    const pid = spawn(machine);
    mmap(machine, pid, 3, RW, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_GROWSDOWN');
    mmap(machine, pid, 2, 'PROT_READ|PROT_WRITE|PROT_EXEC');
    expect(cat(machine, `/proc/${pid}/statm`)).toBe('5 0 0 0 0 5 0\n');
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmData: 8, VmStk: 12 });
  });

  test('oom_score, oom_score_adj and oom_adj are a number and a newline', () => {
    expect(cat(at.machine, `/proc/${at.pid}/oom_score`)).toMatch(/^\d+\n$/);
    expect(cat(at.machine, `/proc/${at.pid}/oom_score_adj`)).toBe('0\n');
    expect(cat(at.machine, `/proc/${at.pid}/oom_adj`)).toBe('0\n');
  });

  test('self is the caller', () => {
    expect(cat(at.machine, '/proc/self/statm', at.pid)).toBe(cat(at.machine, `/proc/${at.pid}/statm`));
    expect(call(at.machine, KERNEL, { call: 'cat', path: '/proc/self/statm' })).toMatchObject({ ok: false, errno: 'ENOENT' });
  });
});
