/** execve, the layout of an address space, and what fork copies (fs/exec.c, binfmt_elf.c, arch/x86/mm/mmap.c, kernel/fork.c). */
import { describe, expect, test } from 'vitest';
import { type Machine, hash } from '#kernel/machine.ts';
import { FIXED, MiB, PAGE, RW, boot, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkSizes } from '../helpers/check_sizes.ts';
import { areaOf } from '../helpers/experiments.ts';
import { parseMaps, parseStatus } from '../helpers/procText.ts';
import { objectExperiment, signalExperiment, withFile } from '../helpers/experiments_files.ts';

const LIB = { path: '/lib/libc.so', bytes: 40 * PAGE, text: 32 * PAGE, data: 2 * PAGE, bss: PAGE };
const PROGRAM = { path: '/bin/hello', bytes: 5 * PAGE, text: 3 * PAGE, data: 1000, bss: 5000, libs: [LIB.path] };
const DISK = { files: [PROGRAM, LIB, { path: '/etc/motd', bytes: 100 }, { path: '/bin/big', bytes: PAGE, text: 100, bss: 64 * MiB }] };

function start(config: Record<string, unknown> = {}): { machine: Machine; pid: number } {
  const machine = boot({ disk: DISK, ...config });
  return { machine, pid: spawn(machine) };
}

function exec(machine: Machine, pid: number, path = PROGRAM.path) {
  const answer = granted(machine, pid, { call: 'execve', path }) as unknown as { entry: number; stack: number; brk: number };
  checkMachine(machine);
  checkSizes(machine);
  return answer;
}

describe('execve', () => {
  test('TEXT, DATA, BSS, libraries, stack, where a program of the classic layout has them (x86_segment_experiment.txt)', () => {
    const { machine, pid } = start();
    expect(exec(machine, pid)).toMatchObject({ entry: 0x08048000, stack: 0xbffff000, brk: 0x0804d000 });
    const [text, data, bss, libText, libData, libBss, stack] = cat(machine, `/proc/${pid}/maps`).split('\n');
    expect(text).toBe('08048000-0804b000 r-xp 00000000 08:01 11         /bin/hello');
    expect(data).toBe('0804b000-0804c000 rw-p 00003000 08:01 11         /bin/hello');
    expect(bss).toBe('0804c000-0804d000 rw-p 00000000 00:00 0 ');
    expect(libText).toBe('b7fdd000-b7ffd000 r-xp 00000000 08:01 12         /lib/libc.so');
    expect(libData).toBe('b7ffd000-b7fff000 rw-p 00020000 08:01 12         /lib/libc.so');
    expect(libBss).toBe('b7fff000-b8000000 rw-p 00000000 00:00 0 ');
    expect(stack).toBe('bffdf000-c0000000 rw-p 00000000 00:00 0          [stack]');
    expect(cat(machine, `/proc/${pid}/status`)).toMatch(/^Name:\thello\n/);
    granted(machine, pid, { call: 'sbrk', increment: PAGE });
    expect(cat(machine, `/proc/${pid}/maps`)).toMatch(/0804c000-0804e000 rw-p .*\[heap\]/);
  });

  test('where the kernel has 2 GiB, user space ends at 0x80000000: stack below it, areas 128 MiB deeper (CONFIG_VMSPLIT_2G)', () => {
    const { machine, pid } = start({ pageOffset: 0x80000000 });
    expect(mmap(machine, pid, 2)).toBe(0x78000000 - 2 * PAGE);
    expect(exec(machine, pid)).toMatchObject({ entry: 0x08048000, stack: 0x7ffff000, brk: 0x0804d000 });
    const areas = parseMaps(cat(machine, `/proc/${pid}/maps`));
    expect(areas.at(-1)).toMatchObject({ start: 0x7ffdf000, end: 0x80000000 });
    expect(areas.at(-2)).toMatchObject({ end: 0x78000000 });
    const kernels = granted(machine, 0, { call: 'phys_to_virt', phys: 0x3000 }).addr as number;
    expect(kernels).toBe(0x80003000);
    expect(granted(machine, pid, { call: 'translate', addr: kernels, access: 'read', ring: 0 })).toMatchObject({ phys: 0x3000 });
    expect(refused(machine, pid, { call: 'mmap', addr: 0x80000000, length: PAGE, prot: RW, flags: FIXED })).toMatchObject({
      errno: 'ENOMEM',
    });
    expect(refused(machine, pid, { call: 'read', addr: 0x80000000, length: 1 })).toMatchObject({
      signal: 'SIGSEGV',
      why: { code: 'KERNEL_ADDRESS' },
    });
  });

  test('status: VmExe is TEXT, VmLib what else may be executed; statm has the same (fs/proc/task_mmu.c)', () => {
    const { machine, pid } = start();
    const { entry } = exec(machine, pid);
    const sizes = () => parseStatus(cat(machine, `/proc/${pid}/status`));
    expect(sizes()).toMatchObject({ VmExe: 12, VmLib: 128, VmData: 20, VmStk: 132, VmSize: 12 + 128 + 20 + 132 });
    expect(cat(machine, `/proc/${pid}/statm`)).toMatch(/^73 \d+ \d+ 3 0 38 0\n$/);
    // What the program makes executable itself counts as library; of TEXT that is gone only statm still tells.
    mmap(machine, pid, 2, 'PROT_READ|PROT_EXEC');
    expect(sizes()).toMatchObject({ VmExe: 12, VmLib: 136 });
    granted(machine, pid, { call: 'munmap', addr: entry, length: 3 * PAGE });
    expect(sizes()).toMatchObject({ VmExe: 12, VmLib: 124 });
    for (const area of parseMaps(cat(machine, `/proc/${pid}/maps`)).filter(({ perms }) => perms[2] === 'x'))
      granted(machine, pid, { call: 'munmap', addr: area.start, length: area.end - area.start });
    expect(sizes()).toMatchObject({ VmExe: 0, VmLib: 0 });
    expect(cat(machine, `/proc/${pid}/statm`)).toMatch(/ 3 0 38 0\n$/);
  });

  test('a program without TEXT of its own has none: before the first execve', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, 'PROT_READ|PROT_EXEC');
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmExe: 0, VmLib: 8 });
    expect(cat(machine, `/proc/${pid}/statm`)).toBe('2 0 0 0 0 0 0\n');
  });

  test('nothing is read but headers: an instruction that is fetched brings its pages, the first time from the disk', () => {
    const { machine, pid } = start();
    const { entry } = exec(machine, pid);
    expect(areaOf(machine, pid, entry).fields.Rss).toBe(0);
    granted(machine, pid, { call: 'exec', addr: entry });
    expect(Number(areaOf(machine, pid, entry).fields.Rss)).toBeGreaterThan(0);
    expect(refused(machine, pid, { call: 'write', addr: entry, length: 1 })).toMatchObject({ signal: 'SIGSEGV', si_code: 2 });
  });

  test('two instances share the pages of TEXT and of the library; each writes DATA of its own', () => {
    const { machine, pid } = start();
    const other = spawn(machine);
    const { entry } = exec(machine, pid);
    exec(machine, other);
    for (const each of [pid, other]) granted(machine, each, { call: 'read', addr: entry, length: 3 * PAGE });
    expect(areaOf(machine, pid, entry).fields).toMatchObject({ Rss: 12, Pss: 6, Shared_Clean: 12, Private_Clean: 0 });
    const dataPage = entry + 3 * PAGE;
    granted(machine, pid, { call: 'poke', addr: dataPage, bytes: [1] });
    expect(granted(machine, other, { call: 'peek', addr: dataPage, length: 1 }).bytes).toEqual([0]);
    expect(areaOf(machine, pid, dataPage).fields).toMatchObject({ Anonymous: 4, Private_Dirty: 4 });
    checkMachine(machine);
  });

  test('drops all of the old: areas, pages, attaches, promises, pins; keeps its pid, limits and open files', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 20, RW, FIXED, 0x50000000);
    touch(machine, pid, 'write', addr, 20);
    granted(machine, pid, { call: 'pin_user_pages', addr, length: PAGE });
    const shmid = granted(machine, pid, { call: 'shmget', key: 0, size: PAGE }).shmid as number;
    granted(machine, pid, { call: 'shmat', shmid });
    const fd = granted(machine, pid, { call: 'open', path: '/etc/motd' }).fd as number;
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_DATA', limit: 10 * MiB });
    exec(machine, pid);
    expect(granted(machine, 0, { call: 'shmctl', shmid, cmd: 'IPC_STAT' }).nattch).toBe(0);
    expect(machine.committed).toBe(1 + 1 + 1 + 2 + 1 + 33); // the segment, DATA, BSS, the library's, the stack
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 100 });
    expect(machine.tasks.get(pid)!.rlimits.RLIMIT_DATA!.cur).toBe(10 * MiB);
    expect(refused(machine, pid, { call: 'read', addr, length: 1 })).toMatchObject({ signal: 'SIGSEGV', si_code: 1 });
  });

  test('no such file, no program: nothing has changed; limits that the program breaks end the process', () => {
    const { machine, pid } = start();
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'execve', path: '/bin/none' })).toMatchObject({ errno: 'ENOENT', why: { code: 'NO_SUCH_FILE' } });
    expect(refused(machine, pid, { call: 'execve', path: '/etc/motd' })).toMatchObject({
      errno: 'ENOEXEC',
      why: { code: 'NOT_A_PROGRAM' },
    });
    expect(hash(machine)).toBe(before);
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_DATA', limit: MiB });
    expect(refused(machine, pid, { call: 'execve', path: '/bin/big' })).toMatchObject({
      signal: 'SIGKILL',
      why: { code: 'RLIMIT', resource: 'RLIMIT_DATA' },
    });
    expect(machine.tasks.has(pid)).toBe(false);
    checkMachine(machine);
  });

  test('x86_64 has its own places', () => {
    const { machine, pid } = start({ arch: 'x86_64' });
    expect(exec(machine, pid)).toMatchObject({ entry: 0x555555554000, stack: 0x7fffffffe000, brk: 0x555555559000 });
    expect(cat(machine, `/proc/${pid}/maps`)).toMatch(/7ffffffde000-7ffffffff000 rw-p .*\[stack\]/);
  });
});

describe('the layout', () => {
  test('a stack without limit: the legacy layout, upwards from a third of user space', () => {
    const machine = boot({ disk: DISK, root: [2] });
    const pid = spawn(machine);
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_STACK', limit: -1 });
    exec(machine, pid);
    expect(areaOf(machine, pid, 0x40000000)).toMatchObject({ start: 0x40000000, end: 0x40020000, name: LIB.path });
    expect(mmap(machine, pid, 4, 'PROT_READ')).toBe(0x40023000);
    expect(mmap(machine, granted(machine, pid, { call: 'fork' }).pid!, 4, 'PROT_NONE')).toBe(0x40027000);
  });

  test('a large stack limit moves the mmap base down: stack and guard gap fit above it', () => {
    const { machine, pid } = start();
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_STACK', limit: 256 * MiB });
    exec(machine, pid);
    expect(mmap(machine, pid, 1, 'PROT_NONE')).toBe(0xc0000000 - 257 * MiB - 35 * PAGE - PAGE);
  });

  test('the stack grows to its limit, and not into the gap above its neighbour', () => {
    const { machine, pid } = start();
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_STACK', limit: MiB });
    exec(machine, pid);
    const top = 0xc0000000;
    touch(machine, pid, 'write', top - MiB, 1);
    expect(areaOf(machine, pid, top - PAGE).fields.Size).toBe(1024);
    expect(refused(machine, pid, { call: 'write', addr: top - MiB - 1, length: 1 })).toMatchObject({ signal: 'SIGSEGV', si_code: 1 });
  });
});

describe('fork', () => {
  test('tells what it copied: areas, entries of private memory, and the tables for them', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 64);
    touch(machine, pid, 'write', addr, 40);
    touch(machine, pid, 'write', mmap(machine, pid, 8, 'PROT_READ|PROT_WRITE', 'MAP_SHARED|MAP_ANONYMOUS'), 8);
    // A directory and one page table; shared memory is not copied, the child faults it in.
    expect(granted(machine, pid, { call: 'fork' })).toMatchObject({ areas: 2, ptes: 40, tables: 2 });
  });
});

describe('recorded runs', () => {
  test('sections D, E and F of kernel_cow_experiment.txt', () => {
    expect(objectExperiment(withFile())).toEqual([
      'D. SysV shm',
      'shmget(10000): segment mapped twice, m2[5]=9',
      'm1 perm=rw-s Size=12 Rss=4 Pss=2 ShC=0 ShD=4 PrC=0 PrD=0 Anon=0 (kB)',
      'm2 perm=r--s Size=12 Rss=4 Pss=2 ShC=0 ShD=4 PrC=0 PrD=0 Anon=0 (kB)',
      'shm_segsz=10000 nattch=2',
      'after shmdt+IPC_RMID nattch=1 m1[5] still readable=9 (destroyed only at last detach)',
      'after last shmdt IPC_STAT rc=-1',
      'E. private file mapping vs shared',
      'minflt for first read of 40-page cached private file map: 1',
      'private after 1 read (fault-around 16 pages) perm=rw-p Size=160 Rss=64 Pss=64 ShC=0 ShD=0 PrC=0 PrD=64 Anon=0 (kB)',
      'minflt for reading all 40: 2',
      'after private write: file byte=A shared view=A',
      'private after 1 write perm=rw-p Size=160 Rss=160 Pss=130 ShC=0 ShD=60 PrC=0 PrD=100 Anon=4 (kB)',
      'after shared write: file byte=C private view of that page=C',
      'F. madvise(MADV_DONTNEED)',
      'A after DONTNEED of 32 of 64 pages perm=rw-p Size=256 Rss=128 Pss=128 ShC=0 ShD=0 PrC=0 PrD=128 Anon=128 (kB)',
      'a[0] reads 0, a[40*P] reads 4',
    ]);
  });

  test('signals, with si_code (SEGV_MAPERR 1, SEGV_ACCERR 2, BUS_ADRERR 2, SI_KERNEL 128)', () => {
    const segv = (siCode: number) => ({ outcome: 'SIGSEGV', siCode });
    expect(signalExperiment()).toEqual({
      'read NULL': segv(1),
      'write read-only vma': segv(2),
      'read read-only vma': { outcome: 'exit0' },
      'read PROT_NONE': segv(2),
      'kernel address': segv(1),
      'non canonical': segv(128),
      'file map beyond EOF page (SIGBUS)': { outcome: 'SIGBUS', siCode: 2 },
      'exec NX page': segv(2),
      'exec RWX page': { outcome: 'exit0' },
      'file map in last page past EOF reads 0': { outcome: 0 },
    });
  });
});
