/** Files and their page cache (mm/filemap.c, mm/readahead.c; spec §11, §14), and the four kinds of mmap. */
import { describe, expect, test } from 'vitest';
import { type Machine, call, createMachine, hash, tick } from '#kernel/machine.ts';
import { PAGE, RW, boot, bootFlat, cat, granted, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';
import { parseMeminfo, parseSmaps, parseVmstat } from '../helpers/procText.ts';

const FILE = '/data';

function withFile(pages: number, config: Record<string, unknown> = {}) {
  const machine = bootFlat(1024, { disk: { files: [{ path: FILE, bytes: pages * PAGE }] }, ...config });
  const pid = spawn(machine);
  return { machine, pid, fd: granted(machine, pid, { call: 'open', path: FILE }).fd as number };
}

function mapFile(machine: Machine, pid: number, fd: number, pages: number, flags: string, prot = RW): number {
  return granted(machine, pid, {
    call: 'mmap',
    length: pages * PAGE,
    prot,
    flags: `${flags}|MAP_FIXED_NOREPLACE`,
    fd,
    addr: flags.includes('SHARED') ? 0x60000000 : 0x50000000,
  }).addr as number;
}

const smaps = (machine: Machine, pid: number, start: number) =>
  parseSmaps(cat(machine, `/proc/${pid}/smaps`)).find((area) => area.start === start)!.fields;

describe('pread', () => {
  test('a read that misses reads ahead; a second one finds the pages (get_init_ra_size: 4 pages for 1)', () => {
    const { machine, pid, fd } = withFile(40);
    expect(granted(machine, pid, { call: 'pread', fd, offset: 0, length: PAGE })).toMatchObject({ length: PAGE, missed: 1 });
    // One block of the disk for the inode, four pages of the file.
    expect(parseMeminfo(cat(machine, '/proc/meminfo'))).toMatchObject({ Buffers: 4, Cached: 16, 'Inactive(file)': 20 });
    expect(granted(machine, pid, { call: 'pread', fd, offset: PAGE, length: 3 * PAGE })).toMatchObject({ missed: 0 });
  });

  test('a sequence is read in windows of 4, 8, 16, 32, 32 pages: few requests to the disk', () => {
    const { machine, pid, fd } = withFile(92);
    let missed = 0;
    for (let n = 0; n < 92; n++) missed += granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: PAGE }).missed as number;
    expect(missed).toBe(5);
  });

  test('a jump reads what it asks for and no more', () => {
    const { machine, pid, fd } = withFile(400);
    granted(machine, pid, { call: 'pread', fd, offset: 200 * PAGE, length: 2 * PAGE });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Cached).toBe(8);
  });

  test('ends where the file ends, and behind it reads nothing', () => {
    const { machine, pid, fd } = withFile(2);
    expect(granted(machine, pid, { call: 'pread', fd, offset: PAGE, length: 9 * PAGE })).toMatchObject({ length: PAGE });
    expect(granted(machine, pid, { call: 'pread', fd, offset: 5 * PAGE, length: 1 })).toMatchObject({ length: 0 });
  });

  test('read twice, a page is active (folio_mark_accessed)', () => {
    const { machine, pid, fd } = withFile(1);
    for (const active of [0, 4, 4]) {
      granted(machine, pid, { call: 'pread', fd, offset: 0, length: 1 });
      // The same page in a row counts once: another read lies between.
      granted(machine, pid, { call: 'close', fd });
      granted(machine, pid, { call: 'open', path: FILE });
      const inode = [...machine.disk!.inodes.values()].find(({ path }) => path === FILE)!;
      expect((machine.frames.state[inode.pages.get(0)!]! & 2) * 2).toBe(active);
    }
  });
});

describe('pwrite', () => {
  test('makes pages dirty, and a whole page needs nothing from the disk', () => {
    const { machine, pid, fd } = withFile(10);
    expect(granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: 3 * PAGE })).toMatchObject({ missed: 0 });
    expect(granted(machine, pid, { call: 'pwrite', fd, offset: 4 * PAGE + 1, length: 1 })).toMatchObject({ missed: 1 });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Dirty).toBe(16);
    expect(granted(machine, pid, { call: 'fsync', fd })).toMatchObject({ pages: 4 });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Dirty).toBe(0);
    expect(parseVmstat(cat(machine, '/proc/vmstat'))).toMatchObject({ nr_dirtied: 4, nr_written: 4, pgpgout: 16 });
  });

  test('behind the end it makes the file longer, up to 2 GiB', () => {
    const { machine, pid, fd } = withFile(1);
    granted(machine, pid, { call: 'pwrite', fd, offset: 3 * PAGE, length: 10 });
    expect(granted(machine, pid, { call: 'pread', fd, offset: 0, length: 100 * PAGE })).toMatchObject({ length: 3 * PAGE + 10 });
    expect(refused(machine, pid, { call: 'pwrite', fd, offset: 0x80000000, length: 1 })).toMatchObject({
      errno: 'EFBIG',
      why: { code: 'FILE_TOO_LARGE' },
    });
  });

  test('what is older than 30 s is written by the flusher, which looks every 5 s', () => {
    const { machine, pid, fd } = withFile(10);
    granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: PAGE });
    for (let n = 0; n < 299; n++) tick(machine);
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Dirty).toBe(4);
    tick(machine);
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Dirty).toBe(0);
  });
});

describe('descriptors', () => {
  test("start at 3, the lowest free one is next, and a child has its parent's", () => {
    const { machine, pid, fd } = withFile(1);
    expect(fd).toBe(3);
    expect(granted(machine, pid, { call: 'open', path: FILE }).fd).toBe(4);
    granted(machine, pid, { call: 'close', fd: 3 });
    expect(granted(machine, pid, { call: 'open', path: FILE }).fd).toBe(3);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, child, { call: 'pread', fd: 4, offset: 0, length: 1 });
  });

  test('are 1,024 at most, the first three of them the terminal (RLIMIT_NOFILE)', () => {
    const { machine, pid } = withFile(1);
    for (let fd = 4; fd < 1024; fd++) expect(granted(machine, pid, { call: 'open', path: FILE }).fd).toBe(fd);
    expect(refused(machine, pid, { call: 'open', path: FILE })).toMatchObject({
      errno: 'EMFILE',
      why: { code: 'TOO_MANY_OPEN', limit: 1024 },
    });
  });

  test('refuse what they were not opened for, and those that are not open', () => {
    const { machine, pid } = withFile(1);
    const before = () => hash(machine);
    const read = granted(machine, pid, { call: 'open', path: FILE, flags: 'O_RDONLY' }).fd as number;
    const write = granted(machine, pid, { call: 'open', path: FILE, flags: 'O_WRONLY' }).fd as number;
    const state = before();
    expect(refused(machine, pid, { call: 'pwrite', fd: read, offset: 0, length: 1 })).toMatchObject({
      errno: 'EBADF',
      why: { code: 'NOT_OPENED_FOR', access: 'writing' },
    });
    expect(refused(machine, pid, { call: 'pread', fd: write, offset: 0, length: 1 })).toMatchObject({ errno: 'EBADF' });
    expect(refused(machine, pid, { call: 'fsync', fd: 99 })).toMatchObject({ errno: 'EBADF', why: { code: 'NOT_OPEN', fd: 99 } });
    expect(refused(machine, pid, { call: 'open', path: '/none' })).toMatchObject({ errno: 'ENOENT' });
    const map = (fd: number, flags: string) => call(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags, fd });
    expect(map(write, 'MAP_PRIVATE')).toMatchObject({ errno: 'EACCES' });
    expect(map(read, 'MAP_SHARED')).toMatchObject({ errno: 'EACCES' });
    expect(map(99, 'MAP_SHARED')).toMatchObject({ errno: 'EBADF' });
    expect(before()).toBe(state);
  });
});

describe('mappings of a file of 40 cached pages (recorded on Linux 6.18, experiment E)', () => {
  function cached() {
    const at = withFile(40);
    granted(at.machine, at.pid, { call: 'pread', fd: at.fd, offset: 0, length: 40 * PAGE });
    return at;
  }

  test('the first read takes 1 fault and maps 16 pages, the rest takes 2', () => {
    const { machine, pid, fd } = cached();
    const addr = mapFile(machine, pid, fd, 40, 'MAP_PRIVATE');
    expect(touch(machine, pid, 'read', addr, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(smaps(machine, pid, addr)).toMatchObject({ Size: 160, Rss: 64, Anonymous: 0 });
    expect(touch(machine, pid, 'read', addr, 40)).toEqual({ minor: 2, major: 0, cow: 0 });
    expect(machine.tasks.get(pid)!.mm.rssFile).toBe(40);
    checkMachine(machine);
    checkReclaim(machine);
  });

  test('a private write is invisible to the file and to shared mappings', () => {
    const { machine, pid, fd } = cached();
    const mine = mapFile(machine, pid, fd, 40, 'MAP_PRIVATE');
    const shared = mapFile(machine, pid, fd, 40, 'MAP_SHARED');
    expect(granted(machine, pid, { call: 'write', addr: mine, length: 1, value: 66 }).faults).toEqual({ minor: 1, major: 0, cow: 1 });
    expect(granted(machine, pid, { call: 'peek', addr: shared, length: 1 }).bytes).toEqual([0]);
    expect(smaps(machine, pid, mine)).toMatchObject({ Anonymous: 4 });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Dirty).toBe(0);
  });

  test('a later shared write is seen in a private page that was not copied yet', () => {
    const { machine, pid, fd } = cached();
    const mine = mapFile(machine, pid, fd, 40, 'MAP_PRIVATE');
    const shared = mapFile(machine, pid, fd, 40, 'MAP_SHARED');
    touch(machine, pid, 'read', mine, 40);
    granted(machine, pid, { call: 'write', addr: shared + 5 * PAGE, length: 1, value: 67 });
    expect(granted(machine, pid, { call: 'peek', addr: mine + 5 * PAGE, length: 1 }).bytes).toEqual([67]);
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Dirty).toBe(4);
    expect(granted(machine, pid, { call: 'fsync', fd })).toMatchObject({ pages: 1 });
    // Clean again, the page must take a fault before it can be dirty again (folio_mkclean).
    expect(touch(machine, pid, 'write', shared + 5 * PAGE, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
    checkReclaim(machine);
  });

  test('PSS is shared between two mappings of one page', () => {
    const { machine, pid, fd } = cached();
    const mine = mapFile(machine, pid, fd, 40, 'MAP_PRIVATE');
    const shared = mapFile(machine, pid, fd, 40, 'MAP_SHARED');
    touch(machine, pid, 'read', mine, 40);
    touch(machine, pid, 'read', shared, 15);
    // 16 pages mapped twice, 24 once, as many kilobytes as the kernel prints.
    expect(smaps(machine, pid, mine)).toMatchObject({ Rss: 160, Pss: 128, Shared_Clean: 64, Private_Clean: 96 });
  });
});

describe('faults of mapped files', () => {
  test('a page that is not cached is a major fault and brings 32 around it', () => {
    const { machine, pid, fd } = withFile(200);
    const addr = mapFile(machine, pid, fd, 200, 'MAP_SHARED', 'PROT_READ');
    expect(touch(machine, pid, 'read', addr + 100 * PAGE, 1)).toEqual({ minor: 0, major: 1, cow: 0 });
    expect(parseMeminfo(cat(machine, '/proc/meminfo')).Cached).toBe(32 * 4);
    expect(machine.tasks.get(pid)).toMatchObject({ majFlt: 1, minFlt: 0 });
    expect(touch(machine, pid, 'read', addr + 101 * PAGE, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
  });

  test('the page behind the end is SIGBUS, the rest of the last page reads 0', () => {
    const machine = boot({ disk: { files: [{ path: FILE, bytes: PAGE + 10 }] } });
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: FILE }).fd as number;
    const addr = mapFile(machine, pid, fd, 4, 'MAP_SHARED');
    expect(granted(machine, pid, { call: 'peek', addr: addr + PAGE + 10, length: 3 }).bytes).toEqual([0, 0, 0]);
    expect(refused(machine, pid, { call: 'read', addr: addr + 2 * PAGE, length: 1 })).toMatchObject({
      signal: 'SIGBUS',
      why: { code: 'BEYOND_FILE', bytes: PAGE + 10 },
    });
    expect(machine.tasks.has(pid)).toBe(false);
  });

  test('a process that ends leaves the cache behind, and what it wrote is on the disk in time', () => {
    const { machine, pid, fd } = withFile(3);
    const addr = mapFile(machine, pid, fd, 3, 'MAP_SHARED');
    granted(machine, pid, { call: 'poke', addr: addr + 100, bytes: [1, 2, 3] });
    granted(machine, pid, { call: 'exit' });
    const other = spawn(machine);
    const again = granted(machine, other, { call: 'open', path: FILE }).fd as number;
    const there = mapFile(machine, other, again, 3, 'MAP_PRIVATE', 'PROT_READ');
    expect(granted(machine, other, { call: 'peek', addr: there + 100, length: 3 }).bytes).toEqual([1, 2, 3]);
    checkReclaim(machine);
  });

  test('fork leaves the pages of a pure file mapping to be faulted in again, and copies what was written', () => {
    const { machine, pid, fd } = withFile(8);
    const addr = mapFile(machine, pid, fd, 8, 'MAP_PRIVATE');
    touch(machine, pid, 'read', addr, 8);
    const clean = granted(machine, pid, { call: 'fork' }).pid!;
    expect(machine.tasks.get(clean)!.mm).toMatchObject({ rssFile: 0, rssAnon: 0 });
    touch(machine, pid, 'write', addr, 1);
    const copied = granted(machine, pid, { call: 'fork' }).pid!;
    expect(machine.tasks.get(copied)!.mm).toMatchObject({ rssFile: 7, rssAnon: 1 });
    checkMachine(machine);
  });

  test("maps names offset, device, inode and path; merging needs the file's pages in a row", () => {
    const { machine, pid, fd } = withFile(8);
    const map = (addr: number, offset: number) =>
      granted(machine, pid, { call: 'mmap', length: 2 * PAGE, prot: 'PROT_READ', flags: 'MAP_SHARED|MAP_FIXED', fd, offset, addr });
    map(0x50000000, 0);
    map(0x50002000, 2 * PAGE);
    map(0x50004000, 0);
    expect(cat(machine, `/proc/${pid}/maps`)).toBe(
      '50000000-50004000 r--s 00000000 08:01 11         /data\n50004000-50006000 r--s 00000000 08:01 11         /data\n',
    );
  });
});

test('impossible disks are refused by name', () => {
  const files = (...list: unknown[]) => ({ frames: 64, disk: { files: list } });
  for (const [config, message] of [
    [files({ path: 'x', bytes: 1 }), 'disk.files.0.path'],
    [files({ path: '/x' }), 'disk.files.0.bytes'],
    [files({ path: '/x', bytes: -1 }), 'disk.files.0.bytes'],
    [files({ path: '/x', bytes: 1, text: 2 }), 'disk.files.0.text'],
    [files({ path: '/x', bytes: 1, colour: 2 }), 'disk.files.0.colour'],
    [files({ path: '/x', bytes: 1 }, { path: '/x', bytes: 1 }), 'twice'],
    [files({ path: '/x', bytes: 1, libs: ['/y'] }), '/y'],
    [{ frames: 64, disk: [] }, 'disk'],
    [{ frames: 64, swap: { slots: 0 } }, 'swap.slots'],
    [{ frames: 64, swap: { slots: 9, readahead: 3 } }, 'swap.readahead'],
    [{ frames: 64, swappiness: 201 }, 'swappiness'],
    [{ frames: 64, replacement: { policy: 'mru', frames: 3 } }, 'replacement.policy'],
    [{ frames: 64, replacement: { policy: 'opt', frames: 3 } }, 'opt'],
  ] as const) {
    expect(() => createMachine(config)).toThrow(message);
  }
});
