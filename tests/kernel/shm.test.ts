/** SysV shared memory (ipc/shm.c): keys, attaches, removal, limits; pmap, pagemap and maps of what is attached. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash } from '#kernel/machine.ts';
import { KERNEL, PAGE, boot, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkSizes } from '../helpers/check_sizes.ts';
import { areaOf, smapsLine } from '../helpers/experiments.ts';

const get = (machine: Machine, pid: number, key: number, size: number, shmflg = 'IPC_CREAT') =>
  granted(machine, pid, { call: 'shmget', key, size, shmflg }).shmid as number;
const attach = (machine: Machine, pid: number, shmid: number, more: Record<string, unknown> = {}) =>
  granted(machine, pid, { call: 'shmat', shmid, ...more }).addr as number;
const stat = (machine: Machine, shmid: number) => granted(machine, KERNEL, { call: 'shmctl', shmid, cmd: 'IPC_STAT' });
const remove = (machine: Machine, pid: number, shmid: number) => granted(machine, pid, { call: 'shmctl', shmid, cmd: 'IPC_RMID' });

function check(machine: Machine): void {
  checkMachine(machine);
  checkSizes(machine);
}

describe('the recorded run (kernel_cow_experiment.txt, D)', () => {
  test('10,000 bytes attached twice in one process: each has half; removal waits for the last detach', () => {
    const machine = boot();
    const pid = spawn(machine);
    const shmid = get(machine, pid, 0, 10_000);
    const m1 = attach(machine, pid, shmid);
    const m2 = attach(machine, pid, shmid, { shmflg: 'SHM_RDONLY' });
    granted(machine, pid, { call: 'poke', addr: m1 + 5, bytes: [9] });
    expect(granted(machine, pid, { call: 'peek', addr: m2 + 5, length: 1 }).bytes).toEqual([9]);
    expect(smapsLine(areaOf(machine, pid, m1))).toBe('perm=rw-s Size=12 Rss=4 Pss=2 ShC=0 ShD=4 PrC=0 PrD=0 Anon=0');
    expect(smapsLine(areaOf(machine, pid, m2))).toBe('perm=r--s Size=12 Rss=4 Pss=2 ShC=0 ShD=4 PrC=0 PrD=0 Anon=0');
    expect(stat(machine, shmid)).toMatchObject({ segsz: 10_000, nattch: 2, dest: false });
    granted(machine, pid, { call: 'shmdt', addr: m2 });
    remove(machine, pid, shmid);
    expect(stat(machine, shmid)).toMatchObject({ nattch: 1, dest: true });
    expect(granted(machine, pid, { call: 'peek', addr: m1 + 5, length: 1 }).bytes).toEqual([9]);
    check(machine);
    granted(machine, pid, { call: 'shmdt', addr: m1 });
    expect(refused(machine, pid, { call: 'shmctl', shmid, cmd: 'IPC_STAT' })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'NO_SUCH_SEGMENT', shmid },
    });
    expect(machine.committed).toBe(0);
    check(machine);
  });
});

describe('shmget', () => {
  test('a key finds its segment; without one it makes it with IPC_CREAT only; IPC_PRIVATE always makes one', () => {
    const machine = boot();
    const pid = spawn(machine);
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'shmget', key: 7, size: PAGE })).toMatchObject({
      errno: 'ENOENT',
      why: { code: 'NO_SUCH_KEY', key: 7 },
    });
    expect(hash(machine)).toBe(before);
    const shmid = get(machine, pid, 7, 2 * PAGE);
    const other = spawn(machine);
    expect(granted(machine, other, { call: 'shmget', key: 7, size: PAGE }).shmid).toBe(shmid);
    expect(get(machine, other, 7, 0)).toBe(shmid);
    expect(refused(machine, other, { call: 'shmget', key: 7, size: PAGE, shmflg: 'IPC_CREAT|IPC_EXCL' })).toMatchObject({
      errno: 'EEXIST',
      why: { code: 'KEY_TAKEN', key: 7, shmid },
    });
    expect(refused(machine, other, { call: 'shmget', key: 7, size: 2 * PAGE + 1 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'SEGMENT_SMALLER', bytes: 2 * PAGE, wanted: 2 * PAGE + 1 },
    });
    expect(new Set([get(machine, pid, 0, 1), get(machine, pid, 0, 1), shmid]).size).toBe(3);
    check(machine);
  });

  test('its pages are promised, and come when they are touched', () => {
    const machine = bootFlat(1024, { overcommit: { mode: 2, ratio: 50 } });
    const pid = spawn(machine);
    const shmid = get(machine, pid, 0, 300 * PAGE);
    expect(machine.committed).toBe(300);
    expect(refused(machine, pid, { call: 'shmget', key: 0, size: 300 * PAGE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'OVERCOMMIT' },
    });
    attach(machine, pid, shmid);
    expect(machine.committed).toBe(300); // once, however often it is attached
    expect(cat(machine, '/proc/meminfo')).toMatch(/Shmem: +0 kB/);
  });

  test('limits: SHMMIN, shmmax, shmall, shmmni', () => {
    const machine = boot();
    const pid = spawn(machine);
    const ask = (size: number) => refused(machine, pid, { call: 'shmget', key: 0, size });
    expect(ask(0)).toMatchObject({ errno: 'EINVAL', why: { code: 'SEGMENT_SIZE', low: 1, high: 0xffffffff - 2 ** 24 } });
    const knob = (name: string, value: number) => granted(machine, KERNEL, { call: 'sysctl', name: `kernel.${name}`, value });
    knob('shmmax', 8 * PAGE);
    expect(ask(8 * PAGE + 1)).toMatchObject({ errno: 'EINVAL', why: { code: 'SEGMENT_SIZE', high: 8 * PAGE } });
    knob('shmall', 10);
    get(machine, pid, 0, 8 * PAGE);
    expect(ask(3 * PAGE)).toMatchObject({ errno: 'ENOSPC', why: { code: 'SHM_FULL', wanted: 11, limit: 10 } });
    knob('shmmni', 1);
    expect(ask(PAGE)).toMatchObject({ errno: 'ENOSPC', why: { code: 'TOO_MANY_SEGMENTS', limit: 1 } });
    check(machine);
  });

  test('2.6.32 has 32 MiB for one segment', () => {
    const machine = boot({ rules: '2.6.32' });
    const pid = spawn(machine);
    expect(refused(machine, pid, { call: 'shmget', key: 0, size: 2 ** 25 + 1 })).toMatchObject({
      why: { code: 'SEGMENT_SIZE', high: 2 ** 25 },
    });
  });
});

describe('shmat and shmdt', () => {
  test('an address that is no page’s or is taken: EINVAL', () => {
    const machine = boot();
    const pid = spawn(machine);
    const shmid = get(machine, pid, 0, 2 * PAGE);
    const at = attach(machine, pid, shmid, { addr: 0x50000000 });
    expect(at).toBe(0x50000000);
    const elsewhere = mmap(machine, pid, 1);
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'shmat', shmid, addr: at + 1 })).toMatchObject({ errno: 'EINVAL', cost: 0 });
    expect(refused(machine, pid, { call: 'shmat', shmid, addr: at + PAGE })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'ADDRESS_TAKEN' },
    });
    expect(refused(machine, pid, { call: 'shmdt', addr: at + PAGE })).toMatchObject({ errno: 'EINVAL', why: { code: 'NOT_ATTACHED' } });
    expect(refused(machine, pid, { call: 'shmdt', addr: elsewhere })).toMatchObject({ errno: 'EINVAL' });
    expect(hash(machine)).toBe(before);
  });

  test('shmdt takes what a partial munmap left; each part counted as an attach', () => {
    const machine = boot();
    const pid = spawn(machine);
    const shmid = get(machine, pid, 0, 6 * PAGE);
    const at = attach(machine, pid, shmid);
    granted(machine, pid, { call: 'munmap', addr: at + 2 * PAGE, length: PAGE });
    expect(stat(machine, shmid).nattch).toBe(2);
    granted(machine, pid, { call: 'shmdt', addr: at });
    expect(stat(machine, shmid).nattch).toBe(0);
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('');
    check(machine);
  });

  test('a write to a read-only attach is SIGSEGV, and mprotect may not change that', () => {
    const machine = boot();
    const pid = spawn(machine);
    const addr = attach(machine, pid, get(machine, pid, 0, PAGE), { shmflg: 'SHM_RDONLY' });
    expect(refused(machine, pid, { call: 'mprotect', addr, length: PAGE, prot: 'PROT_READ|PROT_WRITE' })).toMatchObject({
      errno: 'EACCES',
      why: { code: 'NEVER_WRITABLE', addr },
    });
    expect(refused(machine, pid, { call: 'write', addr, length: 1 })).toMatchObject({ signal: 'SIGSEGV', why: { code: 'NOT_ALLOWED' } });
  });

  test('fork inherits attaches, exit gives them back; the segment stays until it is removed', () => {
    const machine = boot();
    const pid = spawn(machine);
    const shmid = get(machine, pid, 3, PAGE);
    const at = attach(machine, pid, shmid);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(stat(machine, shmid).nattch).toBe(2);
    granted(machine, child, { call: 'poke', addr: at, bytes: [6] });
    granted(machine, pid, { call: 'exit' });
    granted(machine, child, { call: 'exit' });
    check(machine);
    expect(stat(machine, shmid)).toMatchObject({ nattch: 0, cpid: pid });
    expect(machine.committed).toBe(1);
    const later = spawn(machine);
    expect(granted(machine, later, { call: 'peek', addr: attach(machine, later, shmid), length: 1 }).bytes).toEqual([6]);
    granted(machine, later, { call: 'exit' });
    remove(machine, KERNEL, shmid);
    expect([machine.committed, machine.shm.size, machine.ipc.pages]).toEqual([0, 0, 0]);
    check(machine);
  });

  test('a marked segment is found by number only; who did not make it may not remove it', () => {
    const machine = boot();
    const pid = spawn(machine);
    const shmid = get(machine, pid, 3, PAGE);
    attach(machine, pid, shmid);
    const other = spawn(machine);
    expect(refused(machine, other, { call: 'shmctl', shmid, cmd: 'IPC_RMID' })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_SEGMENT_OWNER', shmid, owner: pid },
    });
    remove(machine, pid, shmid);
    expect(refused(machine, other, { call: 'shmget', key: 3, size: PAGE })).toMatchObject({ errno: 'ENOENT' });
    attach(machine, other, shmid);
    expect(stat(machine, shmid)).toMatchObject({ nattch: 2, key: 0 });
  });
});

describe('how it looks', () => {
  test('maps, pmap and pagemap', () => {
    const machine = boot();
    const pid = spawn(machine);
    const shmid = get(machine, pid, 0x2a, 2 * PAGE);
    const at = attach(machine, pid, shmid, { addr: 0x50000000 });
    const heap = granted(machine, pid, { call: 'sbrk', increment: 3 * PAGE }).addr as number;
    touch(machine, pid, 'write', heap, 1);
    touch(machine, pid, 'read', heap + PAGE, 1);
    touch(machine, pid, 'write', at, 1);
    expect(cat(machine, `/proc/${pid}/maps`)).toBe(
      '0804d000-08050000 rw-p 00000000 00:00 0          [heap]\n50000000-50002000 rw-s 00000000 00:01 0          /SYSV0000002a (deleted)\n',
    );
    expect(granted(machine, pid, { call: 'run', argv: ['pmap', String(pid)] }).text).toBe(
      `${pid}:   proc${pid}\n0804d000     12K rw---   [ anon ]\n50000000      8K rw-s- SYSV0000002a (deleted)\n total       20K\n`,
    );
    expect(granted(machine, pid, { call: 'run', argv: ['pmap', '-x', String(pid)] }).text).toBe(
      `${pid}:   proc${pid}\nAddress   Kbytes     RSS   Dirty Mode  Mapping\n` +
        '0804d000      12       4       4 rw---   [ anon ]\n50000000       8       4       4 rw-s- SYSV0000002a (deleted)\n' +
        '-------- ------- ------- ------- \ntotal kB      20       8       8\n',
    );
    const lines = cat(machine, `/proc/${pid}/pagemap`).trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/[0-9a-f]{8} (?=present)/, '').replace(/pfn \d+/, 'pfn'))).toEqual([
      '0804d000 81000000present exclusive pfn',
      '0804e000 80000000present zero page',
      '50000000 a1000000present file/shared exclusive pfn',
    ]);
    expect(refused(machine, pid, { call: 'run', argv: ['pmap', '99999'] })).toMatchObject({ errno: 'ESRCH' });
    expect(refused(machine, pid, { call: 'run', argv: ['pmap'] })).toMatchObject({ errno: 'EINVAL', cost: 0 });
  });
});
