/** Android's low memory killer (drivers/staging/android/lowmemorykiller.c; fidelity spec §13). */
import { describe, expect, test } from 'vitest';
import { call, createMachine, tick, type Machine } from '#kernel/machine.ts';
import { LIFE_CYCLE, lifeCycleOf, LMK_ADJ, LMK_MINFREE } from '#kernel/mm/lmk_levels.ts';
import { lowmemBound } from '#kernel/mm/lmk.ts';
import { KERNEL, PAGE, bootFlat, cat, freeIn, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { parseVmstat } from '../helpers/procText.ts';

const KNOBS = { minfree: [20, 60, 120], adj: [0, 6, 12] };
const phone = (config: object = {}) => bootFlat(512, { lowmemorykiller: KNOBS, ...config });

function app(machine: Machine, pages: number, oomAdj: number): number {
  const pid = spawn(machine);
  touch(machine, pid, 'write', mmap(machine, pid, pages), pages);
  granted(machine, KERNEL, { call: 'oom_adj', target: pid, value: oomAdj });
  return pid;
}
/** Leaves so many pages free. */
function leave(machine: Machine, pages: number): void {
  while (freeIn(machine) > pages) granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' });
}
const alive = (machine: Machine) => [...machine.tasks.keys()];
const messages = (machine: Machine) => machine.kmsg.map((line) => line.slice(line.indexOf(']') + 2));
const ask = (machine: Machine, gfp = 'GFP_KERNEL', order = 0, pid = KERNEL) => call(machine, pid, { call: 'alloc_pages', order, gfp });

describe('the bounds', () => {
  test('are 6, 8, 16 and 64 MiB for oom_adj 0, 1, 6 and 12', () => {
    expect(LMK_MINFREE.map((pages) => (pages * 4) / 1024)).toEqual([6, 8, 16, 64]);
    expect(LMK_ADJ).toEqual([0, 1, 6, 12]);
    expect(bootFlat(64, { lowmemorykiller: {} }).config.lmk).toEqual({ minfree: [1536, 2048, 4096, 16384], adj: [0, 1, 6, 12] });
    expect(bootFlat(64).config.lmk.minfree).toEqual([]);
  });

  test('the first that free pages are below decides', () => {
    const machine = phone();
    const at = (pages: number) => {
      leave(machine, pages);
      return lowmemBound(machine, machine.config.lmk)?.minAdj ?? null;
    };
    expect([at(200), at(120), at(119), at(60), at(59), at(20), at(19), at(0)]).toEqual([null, null, 12, 12, 6, 6, 0, 0]);
  });

  test('the shorter list counts', () => {
    const machine = bootFlat(64, { lowmemorykiller: { minfree: [10, 64, 64, 64, 64, 64], adj: [0] } });
    expect(lowmemBound(machine, machine.config.lmk)).toBeNull();
    leave(machine, 9);
    expect(lowmemBound(machine, machine.config.lmk)).toEqual({ minAdj: 0, minfree: 10 });
  });
});

describe('whom it takes', () => {
  test('the highest oom_adj, however small; of equals the largest; then the first', () => {
    const machine = phone();
    const foreground = app(machine, 120, 0);
    const cachedSmall = app(machine, 20, 13);
    const cachedLarge = app(machine, 50, 13);
    const cachedEqual = app(machine, 50, 13);
    const least = app(machine, 5, 15);
    const order: number[] = [];
    for (let n = 0; n < 5; n++) {
      const before = alive(machine);
      leave(machine, 0);
      ask(machine);
      order.push(...before.filter((pid) => !machine.tasks.has(pid)));
    }
    expect(order).toEqual([least, cachedLarge, cachedEqual, cachedSmall, foreground]);
    checkMachine(machine);
  });

  test('nobody below the bound’s adjustment: then the OOM killer comes, and takes the largest', () => {
    const machine = bootFlat(512, { lowmemorykiller: { minfree: [512], adj: [6] } });
    const large = app(machine, 200, 0);
    const small = app(machine, 20, 5);
    leave(machine, 0);
    expect(ask(machine)).toMatchObject({ ok: true });
    expect(alive(machine)).toEqual([small]);
    expect(parseVmstat(cat(machine, '/proc/vmstat')).oom_kill).toBe(1);
    expect(machine.tasks.has(large)).toBe(false);
  });

  test('nobody without pages', () => {
    const machine = phone();
    const idle = spawn(machine);
    granted(machine, KERNEL, { call: 'oom_adj', target: idle, value: 15 });
    const other = app(machine, 10, 1);
    leave(machine, 0);
    ask(machine);
    expect(alive(machine)).toEqual([idle]);
    expect(machine.tasks.has(other)).toBe(false);
  });

  test('a driver of 3.x compares oom_score_adj: 12 is 705', () => {
    const machine = bootFlat(512, { lowmemorykiller: { minfree: [512], adj: [12] } });
    const pid = app(machine, 50, 0);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: 704 });
    leave(machine, 0);
    ask(machine, 'GFP_NOFS');
    expect(machine.tasks.has(pid)).toBe(true);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: 705 });
    expect(ask(machine, 'GFP_NOFS')).toMatchObject({ ok: true });
    expect(machine.tasks.has(pid)).toBe(false);
  });
});

describe('when it comes', () => {
  test('before the OOM killer, whom it leaves nothing to do', () => {
    const machine = phone();
    app(machine, 50, 15);
    leave(machine, 0);
    expect(ask(machine)).toMatchObject({ ok: true });
    expect(machine.kills).toMatchObject([{ lmk: { adj: 1000, minAdj: 0, minfree: 20 } }]);
    expect(parseVmstat(cat(machine, '/proc/vmstat')).oom_kill).toBe(0);
  });

  test('also for requests that may fail: one process, where a kill is not promised to help', () => {
    const machine = phone();
    const apps = [app(machine, 30, 15), app(machine, 30, 15), app(machine, 30, 15)];
    leave(machine, 0);
    expect(ask(machine, 'GFP_KERNEL', 9).ok).toBe(false);
    expect(apps.filter((pid) => machine.tasks.has(pid))).toHaveLength(2);
    expect(ask(machine, 'GFP_ATOMIC').ok).toBe(true);
    leave(machine, 0);
    expect(ask(machine, 'GFP_ATOMIC').ok).toBe(false);
    expect(apps.filter((pid) => machine.tasks.has(pid))).toHaveLength(2);
  });

  test('by kswapd, a process a tick, while a zone is below LOW', () => {
    const machine = bootFlat(512, { minFreeKbytes: 256, lowmemorykiller: { minfree: [300], adj: [9] } });
    const apps = [app(machine, 20, 9), app(machine, 20, 10), app(machine, 20, 11)];
    leave(machine, 65); // MIN 64, LOW 80
    tick(machine);
    expect(alive(machine)).toEqual(apps.slice(0, 2));
    tick(machine);
    expect(alive(machine)).toEqual(apps.slice(0, 2));
    expect(messages(machine).at(-3)).toBe("   to free 80kB on behalf of 'kswapd0' (0) because");
  });

  test('never while it is not loaded', () => {
    const machine = bootFlat(128);
    const pid = app(machine, 30, 15);
    leave(machine, 0);
    ask(machine, 'GFP_NOFS');
    tick(machine);
    expect(machine.tasks.has(pid)).toBe(true);
  });
});

describe('the caller itself', () => {
  test('dies of it: SIGKILL, why LMK_KILLED with the numbers', () => {
    const machine = phone();
    const pid = spawn(machine);
    granted(machine, KERNEL, { call: 'oom_adj', target: pid, value: 15 });
    const addr = mmap(machine, pid, 512);
    const answer = refused(machine, pid, { call: 'write', addr, length: 512 * PAGE });
    expect(answer).toMatchObject({ signal: 'SIGKILL', why: { code: 'LMK_KILLED', adj: 1000, minAdj: 0, minfree: 20, freePages: 0 } });
    expect(freeIn(machine)).toBe(512);
    checkMachine(machine);
  });
});

describe('what it says', () => {
  test('four lines, with names and numbers', () => {
    const machine = phone();
    app(machine, 50, 15);
    const asker = app(machine, 2, 0);
    leave(machine, 0);
    ask(machine, 'GFP_KERNEL', 0, asker);
    expect(messages(machine).slice(-4)).toEqual([
      "lowmemorykiller: Killing 'proc2' (2), adj 1000,",
      "   to free 200kB on behalf of 'proc3' (3) because",
      '   cache 0kB is below limit 80kB for oom_score_adj 0',
      '   Free memory is 0kB above reserved',
    ]);
  });

  test('one line under the rules of 2.6.32, which compare oom_adj itself', () => {
    const machine = phone({ rules: '2.6.32' });
    app(machine, 50, 12);
    leave(machine, 70);
    expect(ask(machine, 'GFP_KERNEL', 8).ok).toBe(false);
    expect(messages(machine).at(-1)).toBe('lowmem_shrink send sigkill to 2 (proc2), adj 12, size 50');
  });
});

describe('its parameters', () => {
  const set = (machine: Machine, name: string, value: unknown, pid = KERNEL) =>
    call(machine, pid, { call: 'sysctl', name: `lowmemorykiller.${name}`, value });

  test('by sysctl as lists, read in sysfs', () => {
    const machine = bootFlat(128);
    expect(set(machine, 'minfree', [10, 20])).toMatchObject({ ok: true });
    expect(set(machine, 'adj', [1, 7])).toMatchObject({ ok: true });
    expect(cat(machine, '/sys/module/lowmemorykiller/parameters/minfree')).toBe('10,20\n');
    expect(cat(machine, '/sys/module/lowmemorykiller/parameters/adj')).toBe('1,7\n');
    expect(set(machine, 'minfree', 40)).toMatchObject({ ok: true });
    expect(machine.config.lmk).toEqual({ minfree: [40], adj: [1, 7] });
  });

  test.each([[[]], [[1, 2, 3, 4, 5, 6, 7]], [[-1]], [['a']], [[1.5]], [[null]], ['10,20'], [{}], [-1]])('minfree %j: EINVAL', (value) => {
    expect(set(bootFlat(64), 'minfree', value)).toMatchObject({ errno: 'EINVAL', cost: 0 });
  });

  test.each([[[-18]], [[16]], [16]])('adj %j: EINVAL', (value) => {
    expect(set(bootFlat(64), 'adj', value)).toMatchObject({ errno: 'EINVAL', cost: 0 });
  });

  test('a number where a number belongs, and root only', () => {
    const machine = bootFlat(64);
    expect(call(machine, KERNEL, { call: 'sysctl', name: 'vm.overcommit_ratio', value: [5] })).toMatchObject({ errno: 'EINVAL', cost: 0 });
    expect(set(machine, 'minfree', [5], spawn(machine))).toMatchObject({ errno: 'EACCES' });
  });

  test.each([
    [{ minfree: [] }, 'lowmemorykiller.minfree'],
    [{ minfree: 5 }, 'lowmemorykiller.minfree'],
    [{ adj: [20] }, 'lowmemorykiller.adj'],
    [{ colour: [1] }, 'lowmemorykiller.colour'],
    [[1], 'lowmemorykiller is an object'],
  ])('as a key of a machine: %j is refused', (lowmemorykiller, message) => {
    expect(() => createMachine({ frames: 64, lowmemorykiller })).toThrow(message);
  });
});

test('dumpsys meminfo: PSS by level, the most important first, in each the largest', () => {
  const machine = phone({ frames: 4096, zones: { normal: 4096 } });
  const [front, cached, larger] = [app(machine, 300, 0), app(machine, 20, 15), app(machine, 40, 15)];
  granted(machine, KERNEL, { call: 'oom_score_adj', target: cached, value: 900 });
  expect(granted(machine, KERNEL, { call: 'run', argv: ['dumpsys', 'meminfo'] }).text).toBe(
    'Total PSS by OOM adjustment:\n' +
      '        1,200K: Foreground\n' +
      `                 1,200K: proc${front} (pid ${front})\n` +
      '          240K: Cached\n' +
      `                   160K: proc${larger} (pid ${larger})\n` +
      `                    80K: proc${cached} (pid ${cached})\n`,
  );
  expect(refused(machine, KERNEL, { call: 'run', argv: ['dumpsys'] })).toMatchObject({ errno: 'EINVAL' });
});

test('the levels of life: each from its number up to the next', () => {
  const name = (adj: number) => LIFE_CYCLE[lifeCycleOf(adj)]!.name;
  expect([-1000, -900, -800, -700, 0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 999, 1000].map(name).join(', ')).toBe(
    'Native, System, Persistent, Persistent Service, Foreground, Visible, Perceptible, Backup, ' +
      'Heavy Weight, A Services, Home, Previous, B Services, Cached, Cached, Cached',
  );
  expect([name(-1), name(99), name(899)]).toEqual(['Persistent Service', 'Foreground', 'B Services']);
});
