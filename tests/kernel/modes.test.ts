/** Ring 3 and ring 0 (product.md, subject 1): the ways into the kernel, counted; and copies across the border (include/linux/uaccess.h). */
import { describe, expect, test } from 'vitest';
import { entriesOf } from '#kernel/kernel/entry.ts';
import { type Machine, call, hash, restore, snapshot, tick } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, SHARED, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

function boot(): { machine: Machine; pid: number } {
  const machine = bootFlat(256);
  return { machine, pid: spawn(machine) };
}
const to = (addr: number | string, length: number) => ({ call: 'copy_to_user', addr, length });
const from = (addr: number | string, length: number) => ({ call: 'copy_from_user', addr, length });
const names = (answer: object) => (answer as { steps: { step: string }[] }).steps.map(({ step }) => step);

describe('the ways in', () => {
  test('a system call each time that a process asks; its own instructions are none', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 2);
    granted(machine, pid, { call: 'sbrk', increment: 0 });
    expect(entriesOf(machine).systemCalls).toBe(2);
    touch(machine, pid, 'write', addr, 2);
    granted(machine, pid, { call: 'peek', addr, length: 1 });
    granted(machine, pid, { call: 'translate', addr, access: 'read' });
    expect(entriesOf(machine).systemCalls).toBe(2);
  });

  test('an exception for each fault, and one for what kills', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 3);
    touch(machine, pid, 'write', addr, 3);
    expect(entriesOf(machine).exceptions).toBe(3);
    refused(machine, pid, { call: 'read', addr: 0, length: 1 });
    expect(entriesOf(machine).exceptions).toBe(4);
    const other = spawn(machine);
    refused(machine, other, { call: 'load_segment', register: 'ds', selector: 0x68 });
    expect(entriesOf(machine).exceptions).toBe(5);
  });

  test('interrupts of the timer with time, and of a device when it has finished', () => {
    const { machine, pid } = boot();
    tick(machine);
    tick(machine);
    expect(entriesOf(machine).interrupts).toBe(20);
    granted(machine, pid, { call: 'dma_transfer', channel: 2, addr: 0x1000, count: 512, mode: 'single' });
    expect(entriesOf(machine).interrupts).toBe(21);
  });

  test('a context switch whenever another process calls; the kernel switches to nobody', () => {
    const { machine, pid } = boot();
    const other = spawn(machine);
    const look = (who: number) => granted(machine, who, { call: 'sbrk', increment: 0 });
    for (const who of [pid, pid, other, pid, pid]) look(who);
    expect(entriesOf(machine).switches).toBe(3);
    granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' });
    look(pid);
    expect(entriesOf(machine).switches).toBe(3);
    expect(machine.entry.current).toBe(pid);
  });

  test('a call that does nothing else is counted, and leaves the hash as it was', () => {
    // What a call costs is its caller's CPU time, which is state; so here it costs nothing.
    const machine = bootFlat(256, { costs: { area: 0 } });
    const pid = spawn(machine);
    const other = spawn(machine);
    granted(machine, pid, { call: 'sbrk', increment: 0 });
    const before = hash(machine);
    refused(machine, other, { call: 'munmap', addr: 1, length: PAGE });
    granted(machine, pid, { call: 'sbrk', increment: 0 });
    expect(hash(machine)).toBe(before);
    expect(entriesOf(machine)).toMatchObject({ systemCalls: 3, switches: 3 });
  });

  test('/proc/stat has interrupts, context switches and processes', () => {
    const { machine, pid } = boot();
    tick(machine);
    granted(machine, pid, { call: 'fork' });
    expect(cat(machine, '/proc/stat')).toBe(
      'cpu  0 0 0 10 0 0 0 0 0 0\ncpu0 0 0 0 10 0 0 0 0 0 0\nintr 10\nctxt 1\nbtime 0\nprocesses 3\nprocs_running 2\nprocs_blocked 0\n',
    );
  });

  test('the counts are saved; the hash is of what they count, not of them', () => {
    const { machine, pid } = boot();
    granted(machine, pid, { call: 'sbrk', increment: 0 });
    const copy = restore(snapshot(machine));
    expect(entriesOf(copy)).toEqual(entriesOf(machine));
    expect(copy.entry.current).toBe(pid);
  });
});

describe('copies across the border', () => {
  test('pages come by faults taken in ring 0', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 3);
    const answer = granted(machine, pid, to(addr + 10, 2 * PAGE));
    expect(answer).toMatchObject({ left: 0, faults: { minor: 3, major: 0, cow: 0 } });
    expect(names(answer)).toEqual(['system_call', 'access_ok', 'exception', 'copy', 'return']);
    expect(machine.tasks.get(pid)!.mm.rssAnon).toBe(3);
    expect(granted(machine, pid, from(addr, 3 * PAGE))).toMatchObject({ left: 0, faults: { minor: 0 } });
  });

  test('from a page that was never written: the zero page; to a page of a parent: copied, for CR0.WP is set', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1);
    expect(granted(machine, pid, from(addr, 1)).faults).toMatchObject({ minor: 1 });
    expect(machine.tasks.get(pid)!.mm.rssAnon).toBe(0);
    touch(machine, pid, 'write', addr, 1);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(granted(machine, child, to(addr, 1)).faults).toEqual({ minor: 1, major: 0, cow: 1 });
    checkMachine(machine);
  });

  test('the kernel’s addresses are refused before anything is touched: EFAULT, all bytes left', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1);
    const before = hash(machine);
    for (const request of [to(0xc0000000, 5), from(0xffffffff, 1), to(0xbfffffff, 2), from(addr, 0xc0000000)]) {
      const answer = refused(machine, pid, request);
      expect(answer).toMatchObject({ errno: 'EFAULT', why: { code: 'BAD_USER_ADDRESS', left: request.length } });
      expect(names(answer)).toEqual(['system_call', 'access_ok', 'return']);
    }
    expect(hash(machine)).toBe(before);
  });

  test('a hole: the bytes before it are copied, the rest is left, and the process lives', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 4);
    granted(machine, pid, { call: 'munmap', addr: addr + 2 * PAGE, length: PAGE });
    const answer = refused(machine, pid, to(addr + 100, 3 * PAGE));
    expect(answer).toMatchObject({
      errno: 'EFAULT',
      faults: { minor: 2 },
      why: { code: 'BAD_USER_ADDRESS', addr: addr + 2 * PAGE, left: PAGE + 100 },
    });
    expect(names(answer)).toEqual(['system_call', 'access_ok', 'exception', 'copy', 'exception', 'fixup_exception', 'return']);
    expect(machine.tasks.has(pid)).toBe(true);
    expect(granted(machine, pid, to(addr, 2 * PAGE)).faults).toMatchObject({ minor: 0 });
  });

  test.each([
    ['to read-only memory', 'PROT_READ', 'copy_to_user', false],
    ['from read-only memory', 'PROT_READ', 'copy_from_user', true],
    ['from memory without any right', 'PROT_NONE', 'copy_from_user', false],
  ])('%s', (_what, prot, name, isGranted) => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1, prot);
    expect(call(machine, pid, { call: name, addr, length: 8 })).toMatchObject(
      isGranted ? { ok: true, left: 0 } : { errno: 'EFAULT', why: { left: 8 } },
    );
    expect(machine.tasks.has(pid)).toBe(true);
  });

  test('NULL is an address that nobody has', () => {
    const { machine, pid } = boot();
    expect(refused(machine, pid, to(0, 4))).toMatchObject({ errno: 'EFAULT', why: { addr: 0, left: 4 } });
    expect(granted(machine, pid, to(0, 0))).toMatchObject({ left: 0 });
  });

  test('shared memory is the other one’s too', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1, RW, SHARED);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, child, to(addr, 10));
    expect(granted(machine, pid, from(addr, 10)).faults).toMatchObject({ minor: 1 });
    expect(machine.tasks.get(pid)!.mm.rssShmem).toBe(1);
  });

  test('x86_64: an address that is not canonical is no user address either', () => {
    const machine = bootFlat(256, { arch: 'x86_64' });
    for (const addr of ['0x7fffffffffff', '0x800000000000', '0xffff888000000000'])
      expect(refused(machine, 1, to(addr, 1)), addr).toMatchObject({ errno: 'EFAULT', why: { code: 'BAD_USER_ADDRESS', left: 1 } });
  });

  test('the answer says how often the kernel was entered, this time included', () => {
    const { machine, pid } = boot();
    const addr = mmap(machine, pid, 1);
    expect(granted(machine, pid, to(addr, 1)).entries).toEqual({ systemCalls: 2, exceptions: 1, interrupts: 0, switches: 1 });
  });
});
