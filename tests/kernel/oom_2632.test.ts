/** The OOM killer of 2.6.32 (mm/oom_kill.c, badness; fidelity spec §13, [K26]): points for what is mapped, children, age, rights, oom_adj; a child dies first. */
import { describe, expect, test } from 'vitest';
import { call, hash, tick, type Machine } from '#kernel/machine.ts';
import { OOM_DISABLE, oomBadness } from '#kernel/mm/oom_badness.ts';
import { KERNEL, PAGE, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkOom } from '../helpers/check_oom.ts';
import { fuzz } from '../helpers/fuzz.ts';

const old = (frames = 256, config: object = {}) => bootFlat(frames, { rules: '2.6.32', ...config });
const points = (machine: Machine, pid: number) => oomBadness(machine, machine.tasks.get(pid)!);
const score = (machine: Machine, pid: number) => Number(cat(machine, `/proc/${pid}/oom_score`));
const adj = (machine: Machine, by: number, target: number, value: number) => call(machine, by, { call: 'oom_adj', target, value });
const alive = (machine: Machine) => [...machine.tasks.keys()];
const byHand = (machine: Machine) => granted(machine, KERNEL, { call: 'sysrq', key: 'f' });

describe('points', () => {
  test('total_vm counts, touched or not, and oom_score is the points raw', () => {
    const machine = old();
    const pid = spawn(machine);
    mmap(machine, pid, 100);
    expect(points(machine, pid)).toBe(100);
    touch(machine, pid, 'write', mmap(machine, pid, 20), 20);
    expect([points(machine, pid), score(machine, pid)]).toEqual([120, 120]);
  });

  test('each child adds half of its total_vm and one', () => {
    const machine = old();
    const pid = spawn(machine);
    mmap(machine, pid, 21);
    const a = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, pid, { call: 'fork' });
    expect(points(machine, pid)).toBe(21 + 11 + 11);
    mmap(machine, a, 20);
    expect([points(machine, pid), points(machine, a)]).toEqual([21 + 21 + 11, 41]);
    granted(machine, a, { call: 'exit' });
    expect(points(machine, pid)).toBe(21 + 11);
  });

  test('CPU time divides by its root, in units of 8 seconds; run time by its fourth root, in units of 1,024 seconds', () => {
    const machine = old(1024);
    const pid = spawn(machine);
    mmap(machine, pid, 600);
    const task = machine.tasks.get(pid)!;
    const busy = (us: number) => {
      task.cpuUs = us;
      return points(machine, pid);
    };
    expect([busy(8_191_999), busy(4 * 8_192_000 - 1), busy(4 * 8_192_000), busy(100 * 8_192_000)]).toEqual([600, 600, 300, 60]);
    task.cpuUs = 0;
    const aged = (seconds: number) => {
      machine.now = task.startTime + seconds * 10;
      return points(machine, pid);
    };
    expect([aged(1023), aged(15 * 1024), aged(16 * 1024), aged(81 * 1024)]).toEqual([600, 600, 300, 200]);
  });

  test('what a process’s calls cost is its CPU time; ticks are its run time', () => {
    const machine = old(256, { costs: { spawn: 0, area: 1_000_000 } });
    const pid = spawn(machine);
    for (let n = 0; n < 33; n++) granted(machine, pid, { call: 'sbrk', increment: PAGE });
    expect(machine.tasks.get(pid)!.cpuUs).toBe(33_000_000);
    expect(points(machine, pid)).toBe(Math.floor(33 / 2));
    for (let n = 0; n < 25; n++) tick(machine);
    expect(machine.tasks.get(spawn(machine))!.startTime).toBe(25);
  });

  test('root is worth a sixteenth', () => {
    const machine = old(256, { root: [2] });
    const root = spawn(machine);
    mmap(machine, root, 100);
    expect(points(machine, root)).toBe(6);
  });

  test('oom_adj shifts left or right; nothing shifted left is one; −17 is never', () => {
    const machine = old();
    const pid = spawn(machine);
    const shifted = (value: number) => {
      granted(machine, KERNEL, { call: 'oom_adj', target: pid, value });
      return score(machine, pid);
    };
    expect([shifted(0), shifted(3), shifted(-3)]).toEqual([0, 8, 0]);
    mmap(machine, pid, 100);
    expect([shifted(1), shifted(15), shifted(-1), shifted(-6), shifted(-16), shifted(-17)]).toEqual([200, 100 << 15, 50, 1, 0, 0]);
    expect(points(machine, pid)).toBeNull();
  });

  test('an unsigned long of 32 bits: 131,072 pages shifted by 15 are 0', () => {
    const machine = old(256, { overcommit: { mode: 1, ratio: 50 } });
    const pid = spawn(machine);
    mmap(machine, pid, 131_072);
    adj(machine, pid, pid, 15);
    expect(points(machine, pid)).toBe(0);
  });
});

describe('oom_adj is kept as it was written', () => {
  test('1 reads 1, where 6.x reads 0; oom_score_adj is set beside it, and the other way round', () => {
    const machine = old();
    const pid = spawn(machine);
    adj(machine, pid, pid, 1);
    expect([cat(machine, `/proc/${pid}/oom_adj`), cat(machine, `/proc/${pid}/oom_score_adj`)]).toEqual(['1\n', '58\n']);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: -1000 });
    expect([cat(machine, `/proc/${pid}/oom_adj`), points(machine, pid)]).toEqual([`${OOM_DISABLE}\n`, null]);
    expect(machine.kmsg).toEqual([]);
  });

  test('raising is free, lowering needs root; fork inherits it', () => {
    const machine = old();
    const pid = spawn(machine);
    expect(adj(machine, pid, pid, 5)).toMatchObject({ ok: true });
    expect(adj(machine, pid, pid, 4)).toMatchObject({ errno: 'EACCES', why: { code: 'NOT_ROOT' } });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(cat(machine, `/proc/${child}/oom_adj`)).toBe('5\n');
    expect(adj(machine, KERNEL, child, -17)).toMatchObject({ ok: true });
  });
});

describe('whom it takes', () => {
  test('of equals the first; 6.x takes the last', () => {
    for (const rules of ['2.6.32', '6.x']) {
      const machine = bootFlat(256, { rules, overcommit: { mode: 1 } });
      const pids = [spawn(machine), spawn(machine), spawn(machine)];
      for (const pid of pids) touch(machine, pid, 'write', mmap(machine, pid, 10), 10);
      byHand(machine);
      expect(pids.filter((pid) => !machine.tasks.has(pid))).toEqual([rules === '6.x' ? 4 : 2]);
    }
  });

  test('a promise is enough: 100 pages mapped and none touched outweigh 50 that are', () => {
    for (const [rules, victim] of [
      ['2.6.32', 'promised'],
      ['6.x', 'resident'],
    ]) {
      const machine = bootFlat(256, { rules, overcommit: { mode: 1 } });
      const promised = spawn(machine);
      mmap(machine, promised, 100);
      const resident = spawn(machine);
      touch(machine, resident, 'write', mmap(machine, resident, 50), 50);
      byHand(machine);
      expect(alive(machine)).toEqual([victim === 'promised' ? resident : promised]);
    }
  });

  test('the oldest child of the worst that may be taken dies in its place', () => {
    const machine = old(1024);
    const server = spawn(machine);
    mmap(machine, server, 100);
    const [a, b, c] = [1, 2, 3].map(() => granted(machine, server, { call: 'fork' }).pid!);
    granted(machine, KERNEL, { call: 'oom_adj', target: a!, value: -17 });
    byHand(machine);
    expect(alive(machine)).toEqual([server, a, c]);
    expect(machine.tasks.has(b!)).toBe(false);
    byHand(machine);
    expect(alive(machine)).toEqual([server, a]);
    byHand(machine);
    expect(alive(machine)).toEqual([a]);
    expect(granted(machine, KERNEL, { call: 'sysrq', key: 'f' }).text).toContain('No task eligible');
  });

  test('a request that kills a child is served by the child’s memory', () => {
    const machine = old();
    const server = spawn(machine);
    touch(machine, server, 'write', mmap(machine, server, 40), 40);
    const child = granted(machine, server, { call: 'fork' }).pid!;
    touch(machine, child, 'write', machine.tasks.get(child)!.mm.vmas[0]!.start, 40);
    while (call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' }).ok);
    expect(call(machine, server, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' })).toMatchObject({ ok: true });
    expect(alive(machine)).toEqual([server]);
  });
});

describe('the report', () => {
  const lines = (machine: Machine) => machine.kmsg.map((line) => line.slice(line.indexOf(']') + 2));

  test('names the worst with its points and the one that died; no table of processes unless it is asked for', () => {
    const machine = old();
    const server = spawn(machine);
    mmap(machine, server, 30);
    const child = granted(machine, server, { call: 'fork' }).pid!;
    byHand(machine);
    expect(lines(machine)[1]).toBe('kworker/0:1 invoked oom-killer: gfp_mask=0xd0, order=-1, oom_adj=0');
    expect(lines(machine).slice(-2)).toEqual([
      `Out of memory: kill process ${server} (proc2) score 46 or a child`,
      `Killed process ${child} (proc2)`,
    ]);
    expect(lines(machine)).not.toContain('[ pid ]   uid  tgid total_vm      rss cpu oom_adj name');
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.oom_dump_tasks', value: 1 });
    byHand(machine);
    // mm/oom_kill.c: "[%5d] %5d %5d %8lu %8lu %3d     %3d %s"
    expect(lines(machine)).toEqual(
      expect.arrayContaining([
        '[ pid ]   uid  tgid total_vm      rss cpu oom_adj name',
        '[    2]     0     2       30        0   0       0 proc2',
      ]),
    );
    tick(machine);
    expect(machine.kmsg.join()).not.toContain('oom_reaper');
  });

  test.each([
    [1, 'out of memory. panic_on_oom is selected'],
    [2, 'out of memory. Compulsory panic_on_oom is selected.'],
  ])('panic_on_oom %i', (value, message) => {
    const machine = old(64, { panic_on_oom: value, overcommit: { mode: 1 } });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 64);
    expect(refused(machine, pid, { call: 'write', addr, length: 64 * PAGE })).toMatchObject({
      errno: 'EIO',
      why: { code: 'PANIC', message },
    });
  });
});

test.each([1, 2, 3])('random calls, seed %i: the points are those that are counted step by step', (seed) => {
  const config = {
    frames: 300,
    zones: { normal: 300 },
    minFreeKbytes: 0,
    mobility: false,
    rules: '2.6.32',
    root: [3],
    chargeKernel: seed === 2,
  };
  expect(fuzz({ name: 'old rules', processes: 6, config }, seed, 800, 5).failure).toBeNull();
  const machine = bootFlat(64, { rules: '2.6.32' });
  checkOom(machine);
});

describe('when it is called (mm/page_alloc.c of 2.6.32, __alloc_pages_may_oom and should_alloc_retry)', () => {
  /** A machine whose zone DMA is given out, with a process of 100 pages in Normal. */
  function shortOfDma(rules: string): { machine: Machine; pid: number } {
    const machine = bootFlat(256, { rules, zones: { dma: 64, normal: 192 } });
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 100), 100);
    granted(machine, KERNEL, { call: 'alloc_pages', order: 6, gfp: 'GFP_KERNEL|GFP_DMA' });
    return { machine, pid };
  }

  test('zone DMA is as good a reason as any: since 2.6.34 nobody dies for a zone that a kill may miss', () => {
    const now = shortOfDma('6.x');
    expect(refused(now.machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL|GFP_DMA' }).why.code).toBe('LOW_MEMORY');
    expect(alive(now.machine)).toContain(now.pid);
    const then = shortOfDma('2.6.32');
    const dma = refused(then.machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL|GFP_DMA' });
    expect(dma).toMatchObject({ errno: 'ENOMEM', why: { code: 'NO_VICTIM' } });
    expect(alive(then.machine)).not.toContain(then.pid);
    // GFP_DMA alone cannot wait: no reclaim, no kill.
    const atomic = shortOfDma('2.6.32');
    expect(refused(atomic.machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_DMA' }).why.code).toBe('LOW_MEMORY');
    expect(alive(atomic.machine)).toContain(atomic.pid);
  });

  /** A machine whose memory a process has, all but few pages. */
  function full(rules: string): { machine: Machine; pid: number } {
    const machine = bootFlat(256, { rules, overcommit: { mode: 1 } });
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 253), 253);
    return { machine, pid };
  }
  const ask = (machine: Machine, order: number, gfp: string) => call(machine, KERNEL, { call: 'alloc_pages', order, gfp });

  test('__GFP_REPEAT, today __GFP_RETRY_MAYFAIL, kills for small blocks: it was about large ones only', () => {
    const now = full('6.x');
    expect(ask(now.machine, 2, 'GFP_KERNEL|__GFP_RETRY_MAYFAIL')).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(alive(now.machine)).toContain(now.pid);
    const then = full('2.6.32');
    expect(ask(then.machine, 2, 'GFP_KERNEL|__GFP_RETRY_MAYFAIL')).toMatchObject({ ok: true });
    expect(alive(then.machine)).not.toContain(then.pid);
    const large = full('2.6.32');
    expect(ask(large.machine, 4, 'GFP_KERNEL|__GFP_RETRY_MAYFAIL')).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(alive(large.machine)).toContain(large.pid);
  });

  test('a small request without __GFP_FS neither fails nor kills, it waits', () => {
    const { machine, pid } = full('2.6.32');
    for (const gfp of ['GFP_NOFS', 'GFP_NOIO']) {
      const before = hash(machine);
      expect(ask(machine, 3, gfp)).toMatchObject({ ok: false, errno: 'EAGAIN', why: { code: 'WOULD_SLEEP' } });
      expect(hash(machine)).toBe(before);
    }
    expect(ask(machine, 4, 'GFP_NOFS')).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(ask(machine, 3, 'GFP_NOFS|__GFP_NORETRY')).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(ask(full('6.x').machine, 3, 'GFP_NOFS')).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(alive(machine)).toContain(pid);
  });

  test('a large block that may not fail kills', () => {
    const { machine, pid } = full('2.6.32');
    expect(ask(machine, 5, 'GFP_KERNEL|__GFP_NOFAIL')).toMatchObject({ ok: true });
    expect(alive(machine)).not.toContain(pid);
    expect(ask(full('6.x').machine, 5, 'GFP_KERNEL|__GFP_NOFAIL')).toMatchObject({ ok: false, errno: 'EAGAIN' });
  });
});
