/** swapoff when memory does not suffice: its process is the first to die (mm/swapfile.c, set_current_oom_origin; mm/oom_kill.c, oom_task_origin). */
import { describe, expect, test } from 'vitest';
import type { Machine } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, SHARED, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';

function sound(machine: Machine): void {
  checkMachine(machine);
  checkReclaim(machine);
}

/** A machine whose swap holds more than the marks let in again, and a small process of root's beside the large one. */
function nearlyEnough(config: Record<string, unknown> = {}, shared = false) {
  const machine = bootFlat(256, { swap: { slots: 512 }, minFreeKbytes: 128, root: [3], ...config });
  const large = spawn(machine);
  const root = spawn(machine);
  const kind = shared ? [RW, SHARED] : [];
  const addr = mmap(machine, large, 230, ...kind);
  touch(machine, large, 'write', addr, 230);
  const much = mmap(machine, large, 300);
  touch(machine, large, 'write', much, 300);
  granted(machine, large, { call: 'munmap', addr: much, length: 300 * PAGE });
  return { machine, large, root, addr };
}

describe('swapoff by a process', () => {
  test('dies of it, though another one is a hundred times larger; the area stays on with what is in it', () => {
    const { machine, large, root } = nearlyEnough();
    const free = machine.zones[0]!.free;
    expect(machine.swap!.used).toBeGreaterThan(free - machine.zones[0]!.watermark.min);
    expect(machine.swap!.used - machine.swap!.cache.size).toBeLessThanOrEqual(free);
    const answer = refused(machine, root, { call: 'swapoff' });
    expect(answer).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_ORIGIN' } });
    expect(machine.tasks.has(root)).toBe(false);
    expect(machine.tasks.has(large)).toBe(true);
    expect(machine.swap!.on).toBe(true);
    expect(machine.oom.origin).toBe(0);
    expect(cat(machine, '/proc/kmsg')).toContain(`Killed process ${root} (proc${root})`);
    sound(machine);
  });

  test('even with oom_score_adj −1000 (oom_evaluate_task asks for the origin first)', () => {
    const { machine, root } = nearlyEnough();
    granted(machine, KERNEL, { call: 'oom_score_adj', target: root, value: -1000 });
    expect(refused(machine, root, { call: 'swapoff' })).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_ORIGIN' } });
    sound(machine);
  });

  test('the same for shared memory', () => {
    const { machine, root, large, addr } = nearlyEnough({}, true);
    expect(refused(machine, root, { call: 'swapoff' })).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_ORIGIN' } });
    sound(machine);
    touch(machine, large, 'read', addr, 100);
    sound(machine);
  });

  test('2.6.32 spares one with oom_adj −17: OOM_DISABLE is asked before badness', () => {
    const { machine, root, large } = nearlyEnough({ rules: '2.6.32' });
    granted(machine, KERNEL, { call: 'oom_adj', target: root, value: -17 });
    granted(machine, root, { call: 'swapoff' });
    expect(machine.tasks.has(large)).toBe(false);
    sound(machine);
  });

  test('by the kernel itself nobody is the origin: the largest goes', () => {
    const { machine, root, large } = nearlyEnough();
    granted(machine, KERNEL, { call: 'swapoff' });
    expect(machine.tasks.has(large)).toBe(false);
    expect(machine.tasks.has(root)).toBe(true);
    sound(machine);
  });
});
