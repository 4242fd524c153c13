/** oom_score_adj and oom_adj (fs/proc/base.c; fidelity spec §13): two scales of one number, who may lower it, who inherits it. */
import { describe, expect, test } from 'vitest';
import { call, type Machine } from '#kernel/machine.ts';
import { KERNEL, boot, bootFlat, cat, granted, refused, spawn } from '../helpers/boot.ts';
import { countedBadness } from '../helpers/check_oom.ts';
import { fuzz } from '../helpers/fuzz.ts';

const scoreAdj = (machine: Machine, pid: number) => Number(cat(machine, `/proc/${pid}/oom_score_adj`));
const oomAdj = (machine: Machine, pid: number) => Number(cat(machine, `/proc/${pid}/oom_adj`));
const write = (machine: Machine, by: number, target: number, value: number) => call(machine, by, { call: 'oom_adj', target, value });
const writeScore = (machine: Machine, by: number, target: number, value: number) =>
  call(machine, by, { call: 'oom_score_adj', target, value });

describe('the old scale', () => {
  test.each([
    [-17, -1000],
    [-16, -941],
    [-8, -470],
    [-1, -58],
    [0, 0],
    [1, 58],
    [8, 470],
    [14, 823],
    [15, 1000],
  ])('%i is written as %i', (value, expected) => {
    const machine = boot();
    const pid = spawn(machine);
    granted(machine, KERNEL, { call: 'oom_adj', target: pid, value });
    expect(scoreAdj(machine, pid)).toBe(expected);
  });

  test('there and back loses a point but at the ends and at 0: 1 → 58 → 0, 8 → 470 → 7', () => {
    const machine = boot();
    const pid = spawn(machine);
    const back = (value: number) => {
      granted(machine, KERNEL, { call: 'oom_adj', target: pid, value });
      return oomAdj(machine, pid);
    };
    expect([-17, -16, -8, -1, 0, 1, 8, 14, 15].map(back)).toEqual([-17, -15, -7, 0, 0, 0, 7, 13, 15]);
  });

  test('outside of −17 to 15: EINVAL', () => {
    const machine = boot();
    const pid = spawn(machine);
    for (const value of [-18, 16, 1000]) expect(write(machine, KERNEL, pid, value)).toMatchObject({ errno: 'EINVAL', cost: 0 });
  });

  test('the kernel deplores it, once', () => {
    const machine = boot();
    const pid = spawn(machine);
    write(machine, pid, pid, 3);
    write(machine, pid, pid, 4);
    write(machine, KERNEL, spawn(machine), 4);
    expect(machine.kmsg).toEqual([
      `[    0.000000] proc${pid} (${pid}): /proc/${pid}/oom_adj is deprecated, please use /proc/${pid}/oom_score_adj instead.`,
    ]);
  });
});

describe('who may lower it', () => {
  test('a process at 1000 that writes −17, −16, −8, −1 or 0 to oom_adj: EACCES each time, and reads 15 (Linux 6.18)', () => {
    const machine = boot();
    const pid = spawn(machine);
    expect(writeScore(machine, pid, pid, 1000)).toMatchObject({ ok: true });
    for (const value of [-17, -16, -8, -1, 0]) {
      expect(write(machine, pid, pid, value)).toMatchObject({ errno: 'EACCES', why: { code: 'NOT_ROOT', call: 'oom_adj' } });
      expect([scoreAdj(machine, pid), oomAdj(machine, pid)]).toEqual([1000, 15]);
    }
  });

  test('negative values of oom_score_adj: EACCES for −1000, −999, −500, −100, −1 (Linux 6.18)', () => {
    const machine = boot();
    const pid = spawn(machine);
    for (const value of [-1000, -999, -500, -100, -1]) expect(writeScore(machine, pid, pid, value)).toMatchObject({ errno: 'EACCES' });
  });

  test('oom_score_adj may come down to what the process was given; oom_adj not under what it has', () => {
    const machine = boot();
    const pid = spawn(machine);
    writeScore(machine, pid, pid, 500);
    expect(write(machine, pid, pid, 5)).toMatchObject({ errno: 'EACCES' }); // 294 < 500
    expect(write(machine, pid, pid, 9)).toMatchObject({ ok: true }); // 529
    expect(writeScore(machine, pid, pid, 0)).toMatchObject({ ok: true });
  });

  test('root lowers, and by oom_score_adj sets the bound for later; by oom_adj the bound stays', () => {
    const machine = boot();
    const pid = spawn(machine);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: -300 });
    writeScore(machine, pid, pid, 200);
    expect(writeScore(machine, pid, pid, -300)).toMatchObject({ ok: true });
    expect(writeScore(machine, pid, pid, -301)).toMatchObject({ errno: 'EACCES' });
    granted(machine, KERNEL, { call: 'oom_adj', target: pid, value: -17 });
    writeScore(machine, pid, pid, 0);
    expect(writeScore(machine, pid, pid, -1000)).toMatchObject({ errno: 'EACCES' });
    expect(writeScore(machine, pid, pid, -300)).toMatchObject({ ok: true });
  });

  test('a process of the root list is root here too', () => {
    const machine = boot({ root: [2] });
    const root = spawn(machine);
    const other = spawn(machine);
    expect(writeScore(machine, root, other, -1000)).toMatchObject({ ok: true });
    expect(cat(machine, `/proc/${other}/oom_score`)).toBe('0\n');
  });

  test('strangers may not even raise it; nobody is ESRCH', () => {
    const machine = boot();
    const a = spawn(machine);
    const b = spawn(machine);
    expect(refused(machine, a, { call: 'oom_adj', target: b, value: 5 })).toMatchObject({
      errno: 'EACCES',
      why: { code: 'NOT_RELATED', pid: b },
    });
    expect(refused(machine, a, { call: 'oom_adj', target: 99, value: 5 })).toMatchObject({ errno: 'ESRCH' });
    const child = granted(machine, a, { call: 'fork' }).pid!;
    expect(write(machine, a, child, 5)).toMatchObject({ ok: true });
  });
});

describe('fork', () => {
  test('the child has its parent’s adjustment and bound; spawn gives 0', () => {
    const machine = boot();
    const pid = spawn(machine);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: -200 });
    writeScore(machine, pid, pid, 300);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(scoreAdj(machine, child)).toBe(300);
    expect(writeScore(machine, child, child, -200)).toMatchObject({ ok: true });
    expect(writeScore(machine, child, child, -201)).toMatchObject({ errno: 'EACCES' });
    expect(scoreAdj(machine, pid)).toBe(300);
    expect(scoreAdj(machine, spawn(machine))).toBe(0);
  });
});

describe('whom a kill takes is whom the numbers name', () => {
  test.each([1, 2, 3, 4, 5, 6])('seed %i: of all processes the last with the highest badness, counted from its tables', (seed) => {
    const shape = { name: 'kills', processes: 6, config: { frames: 400, zones: { normal: 400 }, minFreeKbytes: 0, mobility: false } };
    expect(fuzz(shape, seed, 300, 50).failure).toBeNull();
    const machine = bootFlat(600, { chargeKernel: seed % 2 === 0 });
    const pids = Array.from({ length: 8 }, () => spawn(machine));
    pids.forEach((pid, n) => {
      const pages = 5 + ((seed * 7 + n * 13) % 4) * 10;
      granted(machine, pid, { call: 'sbrk', increment: pages * 4096 });
      granted(machine, pid, { call: 'write', addr: 0x0804d000, length: pages * 4096 });
      granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: ((seed * n * 31) % 5) * 10 - (n === seed ? 1000 : 0) });
    });
    while (machine.tasks.size > 1) {
      let expected = -1;
      let most = -Infinity;
      for (const task of machine.tasks.values()) {
        const points = countedBadness(machine, task);
        if (points === null || points < most) continue;
        most = points;
        expected = task.pid;
      }
      const before = new Set(machine.tasks.keys());
      granted(machine, KERNEL, { call: 'sysrq', key: 'f' });
      expect([...before].filter((pid) => !machine.tasks.has(pid))).toEqual(expected < 0 ? [] : [expected]);
      if (expected < 0) break;
    }
  });
});
