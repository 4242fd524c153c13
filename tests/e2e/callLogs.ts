/** Logs of random calls of every kind on machines of many shapes, made by the makers of the fuzz: what determinism is shown by. */
import { addressOut } from '#kernel/arch/address.ts';
import { DEBUG_FILES, FILES } from '#kernel/fs/proc/base.ts';
import { createMachine } from '#kernel/machine.ts';
import { PROGRAMS } from '#kernel/sys/run.ts';
import { playStep, randomStep, type Shape, type Step } from '../helpers/fuzz.ts';
import { GOOD_CALLS, requestOf, stageOf } from '../helpers/requests.ts';
import { picker } from '../helpers/seeds.ts';
import { OLD_RECLAIM, OLD_RULES, SHAPES, TOY16 } from '../helpers/shapes.ts';
import type { CallLog } from './playCalls.ts';

const LITTLE = { frames: 512, zones: { dma: 64, normal: 448 }, mobility: false, minFreeKbytes: 64, swap: { slots: 200 } };

/** Beside those of the fuzz: the other allocators. */
const ALLOCATORS: readonly Shape[] = [
  { name: 'SLAB, checked', processes: 4, config: { ...LITTLE, slab: { allocator: 'slab', debug: true, cpus: 4 } } },
  { name: 'SLUB, checked', processes: 4, config: { ...LITTLE, slab: { debug: true } } },
  { name: 'a libc with red zones', processes: 4, config: { ...LITTLE, libc: { allocator: 'glibc', sanitize: true } } },
  { name: 'a libc with one list', processes: 4, config: { ...LITTLE, libc: { allocator: 'list', fit: 'best', order: 'size+' } } },
  {
    name: 'a killer, a TLB',
    processes: 5,
    config: { ...LITTLE, tlb: { entries: 16, asid: true }, lowmemorykiller: { minfree: [20, 40] } },
  },
];
const ALL: readonly Shape[] = [...SHAPES, OLD_RULES, OLD_RECLAIM, TOY16, ...ALLOCATORS];

/** Every file and every program, as pid 0 sees them. */
const LOOKS: readonly Step[] = [
  ...[...Object.keys(FILES).map((name) => `/proc/${name}`), ...Object.keys(DEBUG_FILES)].map((path) => ({ pid: 0, call: 'cat', path })),
  ...[...PROGRAMS.keys()].map((name) => ({ pid: 0, call: 'run', argv: name === 'dumpsys' ? [name, 'meminfo'] : [name] })),
];
const LOOK_EVERY = 1000;

/** One call of each kind, whatever this machine answers. */
function eachCall(): Step[] {
  return GOOD_CALLS.map((good) => {
    const { pid, request } = requestOf(good, stageOf(good));
    return { pid, ...request };
  });
}

function record(shape: Shape, seed: number, count: number): CallLog {
  const pick = picker(seed);
  const steps: Step[] = [{ pid: 0, call: 'alloc_bootmem', bytes: 1 }];
  let machine = playStep(createMachine(shape.config), steps[0]!);
  const add = (step: Step): void => {
    // As a log has it: what JSON cannot say is not in it.
    const plain = JSON.parse(
      JSON.stringify('addr' in step && typeof step.addr === 'number' ? { ...step, addr: addressOut(step.addr) } : step),
    ) as Step;
    steps.push(plain);
    machine = playStep(machine, plain);
  };
  for (let n = 1; n <= count; n++) {
    add(randomStep(machine, shape, pick));
    if (n % LOOK_EVERY === 0) LOOKS.forEach(add);
  }
  eachCall().forEach(add);
  return { name: shape.name, config: shape.config, steps };
}

/** One log a shape, of so many random calls each, the looks and one of each kind beside them. */
export const callLogs = (count: number): CallLog[] => ALL.map((shape, seed) => record(shape, seed + 1, count));
