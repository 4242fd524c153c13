/** Threads (kernel/fork.c, CLONE_THREAD; clone(2), pthreads(7)): what they share, what they have of their own, and how each of them ends. Measured with glibc 2.36 on 6.18: the guard page and 8 MiB, kill by a thread's number, the zombie's status. */
import { describe, expect, test } from 'vitest';
import { entriesOf } from '#kernel/kernel/entry.ts';
import { type Machine, call, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, KiB, MiB, PAGE, boot, cat, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

const create = (machine: Machine, pid: number) => granted(machine, pid, { call: 'pthread_create' }) as unknown as Created;
interface Created {
  tid: number;
  stack: number;
  size: number;
}
const line = (text: string, label: string) => new RegExp(`^${label}:\\s*(.*)$`, 'm').exec(text)![1];

function stage(config: Record<string, unknown> = {}): { machine: Machine; pid: number; tid: number; stack: number; size: number } {
  const machine = boot(config);
  const pid = spawn(machine);
  return { machine, pid, ...create(machine, pid) };
}

describe('pthread_create', () => {
  test('a number from the counter of pids; the process stays one', () => {
    const { machine, pid, tid } = stage();
    expect(tid).toBe(pid + 1);
    expect(spawn(machine)).toBe(tid + 1);
    expect(machine.tasks.size).toBe(2);
    checkMachine(machine);
  });

  test('a stack of RLIMIT_STACK with a guard page below it, of which one page is touched (nptl/allocatestack.c)', () => {
    const { machine, pid, stack, size } = stage();
    expect(size).toBe(8 * MiB);
    expect(stack).toBe(0xb8000000 - 8 * MiB);
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('b77ff000-b7800000 ---p 00000000 00:00 0 \nb7800000-b8000000 rw-p 00000000 00:00 0 \n');
    expect(line(cat(machine, `/proc/${pid}/status`), 'VmRSS')).toBe('4 kB');
    granted(machine, pid, { call: 'write', addr: stack, length: 1 });
    expect(refused(machine, pid, { call: 'write', addr: stack - 1, length: 1 })).toMatchObject({
      signal: 'SIGSEGV',
      si_code: 2,
      why: { code: 'NOT_ALLOWED' },
    });
  });

  test('a size of one’s own is rounded up to pages, and at least 16 KiB (pthread_attr_setstacksize)', () => {
    const { machine, pid } = stage();
    expect(granted(machine, pid, { call: 'pthread_create', stacksize: 20_000 })).toMatchObject({ size: 20 * KiB });
    expect(refused(machine, pid, { call: 'pthread_create', stacksize: 16383 })).toMatchObject({ errno: 'EINVAL', cost: 0 });
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_STACK', limit: -1 });
    expect(create(machine, pid).size).toBe(2 * MiB);
  });

  test('3 GiB hold 382 stacks of 8 MiB, below the mmap base and above it; the next one is EAGAIN', () => {
    const { machine, pid } = stage({ overcommit: { mode: 1 } });
    let count = 1;
    for (;;) {
      const answer = call(machine, pid, { call: 'pthread_create' });
      if (!answer.ok) {
        expect(answer).toMatchObject({ errno: 'EAGAIN', why: { code: 'NO_ADDRESS_SPACE' } });
        break;
      }
      count += 1;
    }
    expect(count).toBe(Math.floor((0xb8000000 - 65536) / (8 * MiB + PAGE)) + Math.floor((128 * MiB) / (8 * MiB + PAGE)));
    expect(line(cat(machine, `/proc/${pid}/status`), 'Threads')).toBe(String(count + 1));
    checkMachine(machine);
  });

  test('a stack is promised memory: in mode 2 a process has fewer', () => {
    const { machine, pid } = { machine: boot({ overcommit: { mode: 2, ratio: 40 } }), pid: 2 };
    spawn(machine);
    expect(refused(machine, pid, { call: 'pthread_create' })).toMatchObject({ errno: 'EAGAIN', why: { code: 'OVERCOMMIT' } });
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('');
  });

  test('RLIMIT_NPROC counts threads', () => {
    const { machine, pid } = stage();
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_NPROC', limit: 2 });
    granted(machine, pid, { call: 'fork' });
    for (const name of ['pthread_create', 'fork'])
      expect(refused(machine, pid, { call: name })).toMatchObject({ errno: 'EAGAIN', why: { code: 'TOO_MANY_PROCESSES', limit: 2 } });
  });
});

describe('what threads share', () => {
  test('memory, heap and files: what one does the other sees', () => {
    const { machine, pid, tid } = stage({ disk: { files: [{ path: '/file', bytes: 5000 }] } });
    const addr = mmap(machine, tid, 1);
    granted(machine, tid, { call: 'poke', addr, bytes: [1, 2, 3] });
    expect(granted(machine, pid, { call: 'peek', addr, length: 3 }).bytes).toEqual([1, 2, 3]);
    const block = granted(machine, tid, { call: 'malloc', size: 100 }).addr;
    granted(machine, pid, { call: 'free', addr: block });
    const { fd } = granted(machine, tid, { call: 'open', path: '/file' });
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 10 });
    expect(cat(machine, `/proc/${tid}/maps`)).toBe(cat(machine, `/proc/${pid}/maps`));
    expect(cat(machine, '/proc/self/statm', tid)).toBe(cat(machine, '/proc/self/statm', pid));
  });

  test('badness and its adjustment: they are one to the OOM killer', () => {
    const { machine, pid, tid } = stage();
    granted(machine, tid, { call: 'oom_score_adj', target: tid, value: 500 });
    expect(cat(machine, `/proc/${pid}/oom_score_adj`)).toBe('500\n');
    expect(cat(machine, `/proc/${tid}/oom_score`)).toBe(cat(machine, `/proc/${pid}/oom_score`));
  });

  test('status tells them apart: Tgid is the process, Pid the thread, Threads counts both', () => {
    const { machine, pid, tid } = stage();
    for (const each of [pid, tid]) {
      const text = cat(machine, `/proc/${each}/status`);
      expect([line(text, 'Tgid'), line(text, 'Pid'), line(text, 'Threads')]).toEqual([String(pid), String(each), '2']);
      expect(cat(machine, `/proc/${pid}/task/${each}/status`)).toBe(text);
    }
  });

  test('a task directory holds threads of its own process only', () => {
    const { machine, pid, tid } = stage();
    const other = spawn(machine);
    for (const path of [`/proc/${other}/task/${tid}/status`, `/proc/${pid}/task/${other}/maps`, `/proc/${pid}/task/77/statm`])
      expect(refused(machine, KERNEL, { call: 'cat', path })).toMatchObject({ errno: 'ENOENT' });
  });

  test('the TLB keeps what it has when threads of one process take turns; another process empties it (switch_mm)', () => {
    const { machine, pid, tid } = stage({ tlb: { entries: 16 } });
    const addr = mmap(machine, pid, 1);
    granted(machine, pid, { call: 'write', addr, length: 1 });
    const { hits } = machine.tlb!;
    granted(machine, tid, { call: 'read', addr, length: 1 });
    expect(machine.tlb!.hits).toBe(hits + 1);
    const other = spawn(machine);
    granted(machine, other, { call: 'write', addr: mmap(machine, other, 1), length: 1 });
    granted(machine, tid, { call: 'read', addr, length: 1 });
    expect(machine.tlb!.hits).toBe(hits + 1);
  });

  test('ps has one line for a process and with -L one for each thread; STAT has an l', () => {
    const { machine, pid, tid } = stage();
    const ps = (...args: string[]) => granted(machine, KERNEL, { call: 'run', argv: ['ps', ...args] }).text;
    expect(ps('-o', 'pid,nlwp,stat')).toBe(`  PID NLWP STAT\n    ${pid}    2 Sl\n`);
    expect(ps('-eL', '-o', 'pid,lwp')).toBe(`  PID   LWP\n    ${pid}     ${pid}\n    ${pid}     ${tid}\n`);
    expect(cat(machine, '/proc/stat')).toContain('procs_running 2\n');
  });

  test('a switch between threads is a context switch', () => {
    const { machine, pid, tid } = stage();
    const before = entriesOf(machine).switches;
    for (const who of [tid, tid, pid, tid]) granted(machine, who, { call: 'sbrk', increment: 0 });
    expect(entriesOf(machine).switches - before).toBe(3);
  });
});

describe('the end', () => {
  test('pthread_exit ends one thread; its stack stays until pthread_join, which waits for it', () => {
    const { machine, pid, tid, stack } = stage();
    expect(refused(machine, pid, { call: 'pthread_join', target: tid })).toMatchObject({
      errno: 'EAGAIN',
      why: { code: 'THREAD_RUNS', tid },
    });
    granted(machine, tid, { call: 'pthread_exit' });
    expect(refused(machine, tid, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH', cost: 0 });
    expect(line(cat(machine, `/proc/${pid}/status`), 'Threads')).toBe('1');
    granted(machine, pid, { call: 'read', addr: stack, length: 1 });
    granted(machine, pid, { call: 'pthread_join', target: tid });
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('');
    expect(refused(machine, pid, { call: 'pthread_join', target: tid })).toMatchObject({ errno: 'ESRCH' });
    checkMachine(machine);
  });

  test('only a thread of one’s own process can be joined', () => {
    const { machine, tid } = stage();
    expect(refused(machine, spawn(machine), { call: 'pthread_join', target: tid })).toMatchObject({ errno: 'ESRCH' });
  });

  test('exit by any of them ends all (exit_group)', () => {
    const { machine, pid, tid } = stage();
    granted(machine, tid, { call: 'exit' });
    for (const who of [pid, tid]) expect(refused(machine, who, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH' });
    expect(machine.threads.size).toBe(0);
    checkMachine(machine);
  });

  test('a fatal signal of one, and kill by the number of one, end all (kill(2))', () => {
    const first = stage();
    expect(refused(first.machine, first.tid, { call: 'read', addr: 0, length: 1 })).toMatchObject({ signal: 'SIGSEGV' });
    expect(first.machine.tasks.has(first.pid)).toBe(false);
    const second = stage();
    granted(second.machine, KERNEL, { call: 'kill', target: second.tid, sig: 9 });
    expect(second.machine.tasks.has(second.pid)).toBe(false);
    expect(second.machine.threads.size).toBe(0);
  });

  test('the OOM killer ends all; a thread that asked gets SIGKILL', () => {
    const { machine, pid, tid } = stage({ frames: 256, zones: { normal: 256 }, overcommit: { mode: 1 } });
    const addr = mmap(machine, pid, 400);
    expect(refused(machine, tid, { call: 'write', addr, length: 400 * PAGE })).toMatchObject({
      signal: 'SIGKILL',
      why: { code: 'OOM_KILLED' },
    });
    expect(machine.tasks.has(pid)).toBe(false);
    expect(machine.threads.size).toBe(0);
  });

  test('the first thread may go first: a zombie, until the last has gone', () => {
    const { machine, pid, tid } = stage();
    granted(machine, pid, { call: 'pthread_exit' });
    expect(refused(machine, pid, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH', cost: 0 });
    expect(line(cat(machine, `/proc/${pid}/status`), 'State')).toBe('Z (zombie)');
    expect(line(cat(machine, `/proc/${tid}/status`), 'Threads')).toBe('2');
    // It has no memory any more, as /proc says of it; the others have.
    expect(cat(machine, `/proc/${pid}/status`)).not.toContain('VmRSS');
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('');
    expect(cat(machine, `/proc/${tid}/maps`)).not.toBe('');
    granted(machine, tid, { call: 'sbrk', increment: PAGE });
    granted(machine, tid, { call: 'pthread_join', target: pid });
    granted(machine, tid, { call: 'pthread_exit' });
    expect(machine.tasks.has(pid)).toBe(false);
    checkMachine(machine);
  });

  test('pthread_exit of the only thread ends the process', () => {
    const { machine, pid } = { machine: boot(), pid: 1 };
    granted(machine, pid, { call: 'pthread_exit' });
    expect(machine.tasks.size).toBe(0);
  });

  test('fork by a thread copies that thread alone, with its registers', () => {
    const { machine, tid } = stage();
    granted(machine, tid, { call: 'add', value: 7 });
    const child = granted(machine, tid, { call: 'fork' }).pid!;
    expect(line(cat(machine, `/proc/${child}/status`), 'Threads')).toBe('1');
    expect(granted(machine, child, { call: 'add', value: 1 }).value).toBe(8);
    expect(refused(machine, child, { call: 'pthread_join', target: tid })).toMatchObject({ errno: 'ESRCH' });
  });

  test('execve ends the others, and the one that calls goes on as the first (de_thread)', () => {
    const { machine, pid, tid } = stage({ disk: { files: [{ path: '/program', bytes: 8192, text: 5000, data: 100, bss: 200 }] } });
    expect(refused(machine, tid, { call: 'execve', path: '/none' })).toMatchObject({ errno: 'ENOENT' });
    granted(machine, tid, { call: 'sbrk', increment: 0 });
    granted(machine, tid, { call: 'execve', path: '/program' });
    expect(refused(machine, tid, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH' });
    expect(line(cat(machine, `/proc/${pid}/status`), 'Threads')).toBe('1');
    expect(granted(machine, pid, { call: 'add', value: 0 }).value).toBe(0);
    checkMachine(machine);
  });

  test('threads are saved with the machine', () => {
    const { machine, tid } = stage();
    const again = restore(snapshot(machine));
    expect(hash(again)).toBe(hash(machine));
    expect(granted(again, tid, { call: 'add', value: 1 })).toEqual(granted(machine, tid, { call: 'add', value: 1 }));
  });
});
