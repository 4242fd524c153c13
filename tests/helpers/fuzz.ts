/**
 * Random lists of calls and what to do with one that breaks something. A list is plain data (sim's own lines), made
 * by a generator that looks at the machine; played again, it does the same without the generator.
 */
import { type Call, type Machine, call, createMachine, hash, restore, snapshot, tick } from '#kernel/machine.ts';
import { addressOut } from '#kernel/arch/address.ts';
import { PG } from '#kernel/types.ts';
import { ownBlocks } from './blocks.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';
import { PAGE } from './check_base.ts';
import { checkAnswer } from './check_answer.ts';
import { Broken, checkMachine } from './check.ts';
import { checkLibc } from './check_libc.ts';
import { checkReclaim } from './check_reclaim.ts';
import { checkOom } from './check_oom.ts';
import { checkSlab } from './check_slab.ts';
import { checkThreads } from './check_thread.ts';
import { checkSizes } from './check_sizes.ts';
import { checkVirtual } from './check_virtual.ts';
import { checkMmu } from './check_mmu.ts';
import { someMmu } from './makers_mmu.ts';
import { someLibc } from './makers_libc.ts';
import { someFile } from './makers_reclaim.ts';
import { someOom } from './makers_oom.ts';
import { someHuge } from './makers_huge.ts';
import { someSmartPointer } from './makers_smart.ts';
import { someThread, someTid } from './makers_thread.ts';
import { someSlab } from './makers_slab.ts';
import { someVirtual } from './makers_virtual.ts';
import { HEAP, pageOf, someAddress, TOP } from './places.ts';
import { someArea } from './makers_vma.ts';
import { picker } from './seeds.ts';

export type Step = { pid: number; call: string; [argument: string]: unknown } | { tick: number } | { restore: true };

export interface Shape {
  name: string;
  config: Record<string, unknown>;
  /** Processes that the generator tries to keep alive. */
  processes: number;
}

const GFPS = [
  'GFP_KERNEL',
  'GFP_ATOMIC',
  'GFP_NOWAIT',
  'GFP_HIGHUSER',
  'GFP_HIGHUSER_MOVABLE',
  'GFP_DMA',
  'GFP_NOFS',
  'GFP_KERNEL|__GFP_NOFAIL',
  'GFP_KERNEL|__GFP_NORETRY',
  'GFP_USER|__GFP_ZERO',
];
const PROTS = [
  'PROT_NONE',
  'PROT_READ',
  'PROT_READ|PROT_WRITE',
  'PROT_READ|PROT_WRITE',
  'PROT_READ|PROT_WRITE',
  'PROT_WRITE',
  'PROT_READ|PROT_EXEC',
];
const FLAGS = [
  'MAP_PRIVATE|MAP_ANONYMOUS',
  'MAP_PRIVATE|MAP_ANONYMOUS',
  'MAP_SHARED|MAP_ANONYMOUS',
  'MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE',
  'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE',
  'MAP_PRIVATE|MAP_ANONYMOUS|MAP_GROWSDOWN',
];

function releaseSomeRun(machine: Machine, pid: number, pick: Pick): Step {
  const runs = [...(machine.cma?.runs ?? [])];
  if (runs.length === 0) return { pid, call: 'cma_release', pfn: pick(machine.frames.count), count: 1 };
  const [pfn, run] = one(runs, pick);
  return { pid: pick(4) === 0 ? pid : run.pid, call: 'cma_release', pfn, count: run.pages };
}

function unpinSomething(machine: Machine, pid: number, pick: Pick): Step {
  const pages = [...(machine.tasks.get(pid)?.pins.keys() ?? [])];
  const addr = pages.length === 0 ? someAddress(machine, pid, pick) : one(pages, pick) * PAGE;
  return { pid, call: 'unpin_user_pages', addr, length: 1 + pick(PAGE) };
}

const MAKERS: Makers = [
  [
    14,
    (_m, pid, pick) => ({
      pid,
      call: 'mmap',
      length: (1 + pick(one([3, 12, 60, 1200], pick))) * PAGE - pick(2),
      prot: one(PROTS, pick),
      flags: one(FLAGS, pick),
    }),
  ],
  [
    5,
    (machine, pid, pick) => ({
      pid,
      call: 'mmap',
      length: (1 + pick(20)) * PAGE,
      prot: one(PROTS, pick),
      flags: `${one(FLAGS.slice(0, 4), pick)}|${one(['MAP_FIXED', 'MAP_FIXED', 'MAP_FIXED_NOREPLACE'], pick)}`,
      addr: Math.min(pageOf(someAddress(machine, pid, pick)), TOP[machine.config.arch]) + (pick(40) === 0 ? 1 : 0),
    }),
  ],
  [
    9,
    (machine, pid, pick) => ({
      pid,
      call: 'munmap',
      addr: pageOf(someAddress(machine, pid, pick)),
      length: (1 + pick(one([2, 10, 200], pick))) * PAGE,
    }),
  ],
  [
    22,
    (machine, pid, pick) => ({
      pid,
      call: 'write',
      addr: someAddress(machine, pid, pick),
      length: 1 + pick(one([2, PAGE, 6 * PAGE], pick)),
    }),
  ],
  [
    6,
    (machine, pid, pick) => ({ pid, call: 'write', addr: someAddress(machine, pid, pick), length: 1 + pick(2 * PAGE), value: pick(256) }),
  ],
  [
    12,
    (machine, pid, pick) => ({
      pid,
      call: 'read',
      addr: someAddress(machine, pid, pick),
      length: 1 + pick(one([2, PAGE, 6 * PAGE], pick)),
    }),
  ],
  [1, (machine, pid, pick) => ({ pid, call: 'exec', addr: someAddress(machine, pid, pick) })],
  [
    3,
    (machine, pid, pick) => ({
      pid,
      call: 'poke',
      addr: someAddress(machine, pid, pick),
      bytes: Array.from({ length: 1 + pick(9) }, () => pick(256)),
    }),
  ],
  [3, (machine, pid, pick) => ({ pid, call: 'peek', addr: someAddress(machine, pid, pick), length: 1 + pick(9) })],
  [6, (_m, pid, pick) => ({ pid, call: 'sbrk', increment: pick(12 * PAGE) - 5 * PAGE })],
  [2, (machine, pid, pick) => ({ pid, call: 'brk', addr: HEAP[machine.config.arch] + pick(40 * PAGE) })],
  [
    9,
    (_m, pid, pick) => ({ pid: pick(8) === 0 ? 0 : pid, call: 'alloc_pages', order: pick(pick(6) === 0 ? 12 : 4), gfp: one(GFPS, pick) }),
  ],
  [8, freeSomething],
  [20, someFile],
  [20, someVirtual],
  [16, someArea],
  [20, someSlab],
  [10, (machine, pid, pick) => (machine.config.arch === 'x86_64' ? someHuge(machine, pid, pick) : someVirtual(machine, pid, pick))],
  [6, someMmu],
  [20, someLibc],
  [16, someThread],
  [10, someSmartPointer],
  [
    3,
    (_m, pid, pick) => ({
      pid: pick(3) === 0 ? 0 : pid,
      call: 'cma_alloc',
      count: 1 + pick(40),
      ...(pick(3) === 0 ? { align: pick(5) } : {}),
    }),
  ],
  [3, releaseSomeRun],
  [2, (machine, pid, pick) => ({ pid, call: 'pin_user_pages', addr: someAddress(machine, pid, pick), length: 1 + pick(4 * PAGE) })],
  [2, unpinSomething],
  [1, () => ({ pid: 0, call: 'sysctl', name: 'vm.compact_memory', value: 1 })],
  [3, (_m, pid) => ({ pid, call: 'fork' })],
  [2, () => ({ pid: 0, call: 'spawn' })],
  [1, (_m, pid, pick) => (pick(3) === 0 ? { pid, call: 'exit' } : { pid, call: 'cat', path: `/proc/${pid}/smaps` })],
  [
    1,
    (machine, pid, pick) => ({
      pid: pick(2) * pid,
      call: 'kill',
      target: one([...machine.tasks.keys(), 1, 77777], pick),
      sig: one([0, 9, 15], pick),
    }),
  ],
  [4, someOom],
  [
    1,
    (_m, pid, pick) => ({
      pid,
      call: 'setrlimit',
      resource: one(['RLIMIT_DATA', 'RLIMIT_STACK', 'RLIMIT_NPROC', 'RLIMIT_MEMLOCK'], pick),
      limit: one([-1, 0, 4096 * 50, 1 << 20], pick),
    }),
  ],
  [1, (_m, _pid, pick) => ({ pid: 0, call: 'add_memory', count: 1 + pick(70) })],
  [2, (_m, _pid, pick) => ({ tick: 1 + pick(3) })],
  [1, () => ({ restore: true })],
  [1, (_m, pid, pick) => ({ pid: one([pid, 1, 99999], pick), call: one(['cat', 'fork', 'sbrk', 'nonsense'], pick), increment: 0 })],
];

const someCall = someOf(MAKERS);

/** A block that alloc_pages gave the kernel itself, the first from a random frame on; −1 for none. */
function kernelBlock({ frames }: Machine, pick: Pick): number {
  const from = pick(frames.count);
  for (let n = 0; n < frames.count; n++) {
    const pfn = (from + n) % frames.count;
    if (frames.flags[pfn] === (PG.head | PG.kernel) && frames.owner[pfn] === 0 && frames.index[pfn] === 0) return pfn;
  }
  return -1;
}

/** Also the kernel gives back what it took: else nothing is left for anybody before long, and the play is over. */
function freeSomething(machine: Machine, pid: number, pick: Pick): Step {
  const held = pick(6) === 0 ? kernelBlock(machine, pick) : -1;
  if (held >= 0) return { pid: 0, call: 'free_pages', pfn: held, order: machine.frames.order[held]! };
  const blocks = ownBlocks(machine, pid);
  const pfn = blocks.length > 0 && pick(10) > 0 ? one(blocks, pick) : pick(machine.frames.count + 2);
  const order = pick(12) === 0 ? pick(11) : (machine.frames.order[pfn] ?? 0);
  return { pid: pick(10) === 0 ? 0 : pid, call: 'free_pages', pfn, order };
}

/** The next step of a random play: one that fits what the machine has become. Addresses are said as answers say them. */
export function randomStep(machine: Machine, shape: Shape, pick: Pick): Step {
  const step = anyStep(machine, shape, pick);
  if ('call' in step)
    for (const name of ['addr', 'at', 'to', 'from']) if (typeof step[name] === 'number') step[name] = addressOut(step[name]);
  return step;
}

function anyStep(machine: Machine, shape: Shape, pick: Pick): Step {
  // Not at every step: where memory is so short that each newcomer dies at once, others must be able to give some back.
  if (machine.tasks.size === 0 || (machine.tasks.size < shape.processes && pick(3) === 0))
    return pick(2) === 0 || machine.tasks.size === 0 ? { pid: 0, call: 'spawn' } : { pid: anybody(machine, pick), call: 'fork' };
  const step = withArea(machine, someCall(machine, anybody(machine, pick), pick), pick);
  // A crowd costs time and tests nothing: above the wanted number newcomers are killed off.
  const isBirth = 'call' in step && (step.call === 'fork' || step.call === 'spawn');
  if (isBirth && machine.tasks.size > shape.processes + 3) return { pid: 0, call: 'kill', target: anybody(machine, pick), sig: 9 };
  // Whatever a process does, one of its threads may do.
  return 'call' in step && machine.threads.size > 0 && pick(3) === 0 ? { ...step, pid: someTid(machine, step.pid, pick) } : step;
}

const ACCESSES: ReadonlySet<unknown> = new Set(['read', 'write', 'exec', 'peek', 'poke']);

/** Who has no area dies of any access: most newcomers map something first, so that they live to do more. */
function withArea(machine: Machine, step: Step, pick: Pick): Step {
  if (!('call' in step) || !ACCESSES.has(step.call) || machine.tasks.get(step.pid)?.mm.vmas.length !== 0 || pick(12) === 0) return step;
  return { pid: step.pid, call: 'mmap', length: (1 + pick(8)) * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: one(FLAGS, pick) };
}

function anybody(machine: Machine, pick: Pick): number {
  const pids = [...machine.tasks.keys()];
  return pids.length === 0 ? 1 : one(pids, pick);
}

/** Plays one step; the machine that it left (another object after `restore`). Throws `Broken` for what must not be. */
export function playStep(machine: Machine, step: Step): Machine {
  if ('tick' in step) {
    for (let n = 0; n < Number(step.tick); n++) tick(machine);
    return machine;
  }
  if ('restore' in step) {
    const again = restore(snapshot(machine));
    if (hash(again) !== hash(machine)) throw new Broken('a restored machine has another hash');
    return again;
  }
  const { pid, ...request } = step;
  checkAnswer(machine, pid, request as Call, call(machine, pid, request as Call));
  return machine;
}

export interface Failure {
  message: string;
  steps: Step[];
}

function check(machine: Machine): void {
  checkMachine(machine);
  checkVirtual(machine);
  checkSizes(machine);
  checkSlab(machine);
  checkMmu(machine);
  checkLibc(machine);
  checkReclaim(machine);
  checkOom(machine);
  checkThreads(machine);
}

/** Plays `count` random steps, checking the machine after every `checkEvery`; the steps so far when something broke. */
export function fuzz(shape: Shape, seed: number, count: number, checkEvery: number): { failure: Failure | null; hash: string } {
  const pick = picker(seed);
  let machine = createMachine(shape.config);
  const steps: Step[] = [];
  for (let n = 1; n <= count; n++) {
    const step = randomStep(machine, shape, pick);
    steps.push(step);
    try {
      machine = playStep(machine, step);
      if (n % checkEvery === 0 || n === count) check(machine);
    } catch (error) {
      return { failure: { message: String(error), steps }, hash: '' };
    }
  }
  return { failure: null, hash: hash(machine) };
}

/** What a list of steps breaks, or null. */
export type Breaks = (config: Record<string, unknown>, steps: readonly Step[]) => string | null;

/** Looks for what a check of one's own finds after each step. */
export function breaksBy(check: (machine: Machine) => void): Breaks {
  return (config, steps) => {
    let machine = createMachine(config);
    try {
      for (const step of steps) {
        machine = playStep(machine, step);
        check(machine);
      }
    } catch (error) {
      return String(error);
    }
    return null;
  };
}

/** Does this list break the machine's invariants? */
export const breaksMachine: Breaks = breaksBy(check);

/** A shorter list that still breaks it: cuts runs of steps, long ones first, for as long as a budget of steps lasts. */
export function shrink(config: Record<string, unknown>, failure: Failure, breaks: Breaks = breaksMachine, budget = 400_000): Step[] {
  let steps = failure.steps;
  if (breaks(config, steps) === null) return steps;
  let left = budget;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps.length && left > 0;) {
      const shorter = [...steps.slice(0, from), ...steps.slice(from + size)];
      left -= shorter.length;
      if (breaks(config, shorter) === null) from += size;
      else steps = shorter;
    }
  }
  return withoutBystanders(config, steps, breaks);
}

/** Takes out processes that are born and never heard of again; those born later move up. */
function withoutBystanders(config: Record<string, unknown>, steps: Step[], breaks: Breaks): Step[] {
  for (let at = steps.length - 1; at >= 0; at--) {
    const born = bornBy(config, steps, at);
    if (born === null || steps.some((step) => 'call' in step && (step.pid === born || step.target === born))) continue;
    const up = (pid: unknown) => (typeof pid === 'number' && pid > born ? pid - 1 : pid);
    const fewer = steps
      .toSpliced(at, 1)
      .map((step) =>
        'call' in step ? { ...step, pid: up(step.pid) as number, ...('target' in step && { target: up(step.target) }) } : step,
      );
    if (breaks(config, fewer) !== null) steps = fewer;
  }
  return steps;
}

function bornBy(config: Record<string, unknown>, steps: readonly Step[], index: number): number | null {
  const birth = steps[index]!;
  if (!('call' in birth) || (birth.call !== 'spawn' && birth.call !== 'fork')) return null;
  let machine = createMachine(config);
  for (const step of steps.slice(0, index)) machine = playStep(machine, step);
  const { pid, ...request } = birth;
  const answer = call(machine, pid, request as Call);
  return answer.ok ? answer.pid! : null;
}

/** The list as the headless machine reads it; a restore becomes a comment. */
export function asScript(config: Record<string, unknown>, steps: readonly Step[]): string {
  return [{ machine: config }, ...steps.map((step) => ('restore' in step ? { '#': 'saved and restored here' } : step))]
    .map((line) => JSON.stringify(line))
    .join('\n');
}
