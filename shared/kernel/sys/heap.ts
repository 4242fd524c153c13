/** leak_scan and heap_check: questions about a process's heap, which change nothing. */
import { address, BadArgument, type Argument } from '../args.ts';
import { claimedSize, sizeWord } from '../libc/corrupt.ts';
import { ownershipCycles } from '../libc/shared_ptr.ts';
import { leakScan, liveBlocks } from '../libc/leak.ts';
import { badLink } from '../libc/pool.ts';
import type { Addr, Answer, Machine, Task } from '../types.ts';
import { granted } from './answer.ts';

const ROOTS_MAX = 256;
const badRoots = new BadArgument(`a list of at most ${ROOTS_MAX} addresses`);
const roots: Argument<Addr[]> = {
  optional: false,
  parse: (value, wide) => {
    if (!Array.isArray(value) || value.length > ROOTS_MAX) return badRoots;
    const parsed = value.map((each) => address.parse(each, wide));
    return parsed.some((each) => each instanceof BadArgument) ? badRoots : (parsed as Addr[]);
  },
};

/** Blocks that an answer lists at most. */
const LISTED = 64;

export const leakScanArgs = { roots };

/** The text is LeakSanitizer's summary. */
export function sysLeakScan(machine: Machine, task: Task, given: Addr[]): Answer {
  const { leaked, blocks } = leakScan(machine, task, given);
  const bytes = leaked.reduce((sum, { size }) => sum + size, 0);
  machine.cost += machine.config.costs.look!;
  const text = leaked.length === 0 ? '' : `SUMMARY: ${bytes} byte(s) leaked in ${leaked.length} allocation(s).\n`;
  const cycles = ownershipCycles(
    machine,
    task,
    leaked.map(({ addr }) => addr),
  );
  const named = cycles.length === 0 ? {} : { cycles };
  return granted({ blocks, count: leaked.length, leakedBytes: bytes, leaked: leaked.slice(0, LISTED), ...named, text });
}

/** Blocks and bytes in use, pools, and control blocks and links of pools that the program wrote over: where, and what stands there. */
export function sysHeapCheck(machine: Machine, task: Task): Answer {
  const blocks = liveBlocks(machine, task);
  const damaged: object[] = [];
  if (task.heap?.kind === 'glibc') {
    const heap = task.heap;
    for (const slot of heap.damage.keys())
      damaged.push({ chunk: heap.chunks.addr[slot]!, size: heap.chunks.size[slot]!, found: claimedSize(sizeWord(heap, slot)) });
  }
  for (const [id, pool] of task.pools) {
    const bad = badLink(machine, task, pool);
    if (bad !== null) damaged.push({ pool: id, ...bad });
  }
  const pools = [...task.pools].map(([id, { size, count, taken }]) => ({ pool: id, size, count, inUse: taken.size }));
  machine.cost += machine.config.costs.look!;
  return granted({
    blocks: blocks.length,
    bytes: blocks.reduce((sum, { size }) => sum + size, 0),
    ...(pools.length > 0 && { pools }),
    damaged: damaged.slice(0, LISTED),
  });
}
