/** The OOM killer's knobs (Documentation/admin-guide/sysctl/vm.rst; mm/oom_kill.c): a panic instead, the asker instead, a kill by hand; and the reaper. */
import { describe, expect, test } from 'vitest';
import { call, hash, restore, snapshot, tick, type Machine } from '#kernel/machine.ts';
import { createMachine } from '#kernel/machine.ts';
import { FACT, createFacts, readFacts } from '#kernel/facts.ts';
import { KERNEL, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { GOOD_CALLS, make, stageOf } from '../helpers/requests.ts';

function hog(machine: Machine, pages: number): number {
  const pid = spawn(machine);
  touch(machine, pid, 'write', mmap(machine, pid, pages), pages);
  return pid;
}
function fill(machine: Machine): void {
  while (call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' }).ok);
}
const ask = (machine: Machine, pid = KERNEL) => call(machine, pid, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' });
const knob = (machine: Machine, name: string, value: number, pid = KERNEL) =>
  call(machine, pid, { call: 'sysctl', name: `vm.${name}`, value });
const messages = (machine: Machine) => machine.kmsg.map((line) => line.slice(line.indexOf(']') + 2));

describe('vm.panic_on_oom', () => {
  const panicked = (value: number) => {
    const machine = bootFlat(256, { panic_on_oom: value });
    const pid = hog(machine, 60);
    fill(machine);
    return { machine, pid, answer: ask(machine, pid) };
  };

  test.each([
    [1, 'Out of memory: system-wide panic_on_oom is enabled'],
    [2, 'Out of memory: compulsory panic_on_oom is enabled'],
  ])('%i: the call that finds no page is answered EIO, why PANIC, and nobody dies', (value, message) => {
    const { machine, pid, answer } = panicked(value);
    expect(answer).toEqual({ ok: false, errno: 'EIO', why: { code: 'PANIC', message }, cost: 0 });
    expect(machine.tasks.has(pid)).toBe(true);
    expect(messages(machine).slice(-2)).toEqual([
      `Kernel panic - not syncing: ${message}`,
      `---[ end Kernel panic - not syncing: ${message} ]---`,
    ]);
    expect(messages(machine)[0]).toMatch(/^proc2 invoked oom-killer: gfp_mask=0xcc0\(GFP_KERNEL\), order=0/);
    checkMachine(machine);
  });

  test('from then on every call of everybody has that answer, ticks are none, and the hash stands still; saved and restored as well', () => {
    const { machine, answer } = panicked(1);
    const before = hash(machine);
    for (const each of [machine, restore(snapshot(machine))]) {
      for (const good of GOOD_CALLS) {
        for (const pid of [KERNEL, 1, 2, 77]) expect(call(each, pid, { call: good.call }), good.call).toEqual(answer);
      }
      expect(call(each, KERNEL, { call: 'cat', path: '/proc/kmsg' })).toEqual(answer);
      tick(each);
      expect(hash(each)).toBe(before);
    }
  });

  test('requests that may fail fail as ever; only where somebody would be killed the machine panics', () => {
    const machine = bootFlat(256, { panic_on_oom: 2 });
    hog(machine, 60);
    fill(machine);
    expect(call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOFS' })).toMatchObject({ errno: 'ENOMEM' });
    expect(call(machine, KERNEL, { call: 'alloc_pages', order: 4, gfp: 'GFP_KERNEL' })).toMatchObject({ errno: 'ENOMEM' });
    expect(machine.panic).toBeNull();
  });

  test('a fault, a fork and the birth of pid 1 can be what the machine dies of', () => {
    for (const last of ['fault', 'fork', 'init'] as const) {
      const machine = bootFlat(256, { panic_on_oom: 1 });
      const pid = hog(machine, 60);
      const addr = mmap(machine, pid, 4);
      fill(machine);
      const answer =
        last === 'fault'
          ? call(machine, pid, { call: 'write', addr, length: 1 })
          : call(machine, last === 'fork' ? pid : 1, { call: last === 'fork' ? 'fork' : 'sbrk', increment: 0 } as never);
      if (last === 'fork') call(machine, pid, { call: 'fork' });
      else expect(answer, last).toMatchObject({ errno: 'EIO', why: { code: 'PANIC' } });
      expect(machine.panic, last).not.toBeNull();
      checkMachine(machine);
    }
  });

  test('it is a fact for the screen', () => {
    const facts = createFacts();
    const machine = createMachine({ frames: 64, zones: { normal: 64 }, minFreeKbytes: 0, mobility: false, panic_on_oom: 1 }, facts);
    tick(machine);
    fill(machine);
    const since = facts.written;
    ask(machine);
    const seen: [number, number][] = [];
    readFacts(facts, since, (kind, a) => seen.push([kind, a]));
    expect(seen).toContainEqual([FACT.kernelPanicked, 1]);
  });

  test('SysRq-f kills even so (is_sysrq_oom)', () => {
    const machine = bootFlat(256, { panic_on_oom: 2 });
    const pid = hog(machine, 60);
    granted(machine, KERNEL, { call: 'sysrq', key: 'f' });
    expect(machine.tasks.has(pid)).toBe(false);
    expect(machine.panic).toBeNull();
  });
});

describe('vm.oom_kill_allocating_task', () => {
  test('takes who asks, however small, and says by which rule', () => {
    const machine = bootFlat(256);
    const large = hog(machine, 100);
    const small = hog(machine, 5);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.oom_kill_allocating_task', value: 1 });
    fill(machine);
    expect(refused(machine, small, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' })).toMatchObject({
      signal: 'SIGKILL',
      why: { code: 'OOM_KILLED', badness: 5 + 2 },
    });
    expect([...machine.tasks.keys()]).toEqual([large]);
    expect(messages(machine).at(-1)).toMatch(/^Out of memory \(oom_kill_allocating_task\): Killed process 3 \(proc3\) total-vm:20kB/);
    checkMachine(machine);
  });

  test('the kernel has no address space and the unkillable may not be taken: then the worst goes', () => {
    const machine = bootFlat(256, { oom_kill_allocating_task: 1 });
    const large = hog(machine, 100);
    const asker = hog(machine, 50);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: asker, value: -1000 });
    fill(machine);
    expect(ask(machine, asker)).toMatchObject({ ok: true });
    expect([...machine.tasks.keys()]).toEqual([asker]);
    const again = bootFlat(256, { oom_kill_allocating_task: 1 });
    hog(again, 100);
    fill(again);
    expect(ask(again, KERNEL)).toMatchObject({ ok: true });
    expect(again.tasks.has(large)).toBe(false);
  });
});

describe('vm.oom_dump_tasks and the limit of reports', () => {
  test('0 leaves the table of processes out', () => {
    const machine = bootFlat(256, { oom_dump_tasks: 0 });
    hog(machine, 100);
    fill(machine);
    ask(machine);
    expect(messages(machine)[0]).toMatch(/invoked oom-killer/);
    expect(messages(machine).filter((line) => line.startsWith('['))).toEqual([]);
  });

  test('ten reports in five seconds; then one line a kill, and a line that tells how many were left out (lib/ratelimit.c)', () => {
    const machine = bootFlat(512);
    const kill = () => {
      hog(machine, 1);
      granted(machine, KERNEL, { call: 'sysrq', key: 'f' });
    };
    for (let n = 0; n < 13; n++) kill();
    const count = (pattern: RegExp) => messages(machine).filter((line) => pattern.test(line)).length;
    expect([count(/invoked oom-killer/), count(/^Out of memory: Killed process/), count(/^oom-kill:constraint/)]).toEqual([10, 13, 10]);
    for (let n = 0; n < 51; n++) tick(machine);
    kill();
    expect(messages(machine)).toContain('oom_kill_process: 3 callbacks suppressed');
    expect(count(/invoked oom-killer/)).toBe(11);
  });
});

describe('SysRq-f', () => {
  test('kills the worst though memory is free; its text is what it wrote into the log', () => {
    const machine = bootFlat(256);
    const pid = hog(machine, 10);
    const { text } = granted(machine, KERNEL, { call: 'sysrq', key: 'f' });
    expect(text!.split('\n').map((line) => line.slice(15))).toEqual(expect.arrayContaining(['sysrq: Manual OOM execution']));
    expect(text).toMatch(/kworker\/0:1 invoked oom-killer: gfp_mask=0xcc0\(GFP_KERNEL\), order=-1, oom_score_adj=0\n/);
    expect(text).toMatch(/Out of memory: Killed process 2 \(proc2\)/);
    expect(machine.tasks.has(pid)).toBe(false);
    expect(granted(machine, KERNEL, { call: 'sysrq', key: 'f' }).text).toMatch(
      /sysrq: Manual OOM execution\n.*sysrq: OOM request ignored\. No task eligible\n$/,
    );
  });

  test('is for root; root who is the worst dies of it', () => {
    const machine = bootFlat(256, { root: [3] });
    const pid = hog(machine, 10);
    const root = hog(machine, 20);
    expect(refused(machine, pid, { call: 'sysrq', key: 'f' })).toMatchObject({ errno: 'EACCES', why: { code: 'NOT_ROOT' } });
    expect(refused(machine, root, { call: 'sysrq', key: 'f' })).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_KILLED' } });
  });
});

describe('the reaper', () => {
  test('tells in the next tick, once, what it found: private memory gone, shared memory left to its other users', () => {
    const machine = bootFlat(256);
    const pid = hog(machine, 60);
    touch(machine, pid, 'write', mmap(machine, pid, 4, 'PROT_READ|PROT_WRITE', 'MAP_SHARED|MAP_ANONYMOUS'), 4);
    fill(machine);
    ask(machine);
    expect(messages(machine).at(-1)).toMatch(/^Out of memory: Killed process 2/);
    tick(machine);
    expect(cat(machine, '/proc/kmsg').split('\n').at(-2)).toBe(
      '[    0.100000] oom_reaper: reaped process 2 (proc2), now anon-rss:0kB, file-rss:0kB, shmem-rss:16kB',
    );
    const lines = machine.kmsgLines;
    tick(machine);
    expect(machine.kmsgLines).toBe(lines);
  });

  test('what the victim held was free before: nobody waits for the reaper', () => {
    const machine = bootFlat(256);
    const first = hog(machine, 60);
    const second = hog(machine, 50);
    fill(machine);
    ask(machine);
    fill(machine);
    ask(machine);
    expect([machine.tasks.has(first), machine.tasks.has(second)]).toEqual([false, false]);
    expect(restore(snapshot(machine)).oom.reaped).toHaveLength(2);
  });
});

describe('who may turn the knobs', () => {
  test.each(['panic_on_oom', 'oom_kill_allocating_task', 'oom_dump_tasks', 'overcommit_memory'])('vm.%s: root only', (name) => {
    const machine = bootFlat(256);
    const before = hash(machine);
    const pid = spawn(machine);
    expect(knob(machine, name, 1, pid)).toMatchObject({ errno: 'EACCES', why: { code: 'NOT_ROOT' } });
    expect(knob(machine, name, 3)).toMatchObject({ errno: 'EINVAL' });
    expect(knob(machine, name, -1)).toMatchObject({ errno: 'EINVAL' });
    expect(knob(machine, name, name === 'oom_dump_tasks' ? 0 : 1)).toMatchObject({ ok: true });
    expect(hash(machine)).not.toBe(before);
  });

  test('as keys of a machine', () => {
    expect(() => bootFlat(256, { panic_on_oom: 3 })).toThrow('panic_on_oom is a whole number from 0 to 2');
    expect(() => bootFlat(256, { oom_kill_allocating_task: true })).toThrow('oom_kill_allocating_task');
    expect(bootFlat(256, { oom_dump_tasks: 0 }).config.oom.dumpTasks).toBe(0);
  });

  test('the calls on the OOM killer are in the table of good calls', () => {
    for (const name of ['oom_adj', 'oom_score_adj']) {
      const good = GOOD_CALLS.find((each) => each.call === name)!;
      expect(make(good, stageOf(good))).toMatchObject({ ok: true });
    }
  });
});
