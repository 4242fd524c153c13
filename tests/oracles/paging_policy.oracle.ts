/** Page replacement against OSTEP's simulator: the misses of every string, and hit or miss of every access, as faults of a real process. */
import { expect, test } from 'vitest';
import { createMachine } from '#kernel/machine.ts';
import { oracle } from './files.ts';
import { granted, spawn } from './machine.ts';

const PAGE = 4096;
const BASE = 0x40000000;
const STRINGS: Readonly<Record<string, readonly number[]>> = {
  silberschatz: [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1],
  belady: [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5],
  tanenbaum: [0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4],
  ostep: [0, 1, 2, 0, 1, 3, 0, 3, 1, 2, 1],
  loop50x: Array.from({ length: 50 }, (_, n) => n % 5),
};
// Its CLOCK looks at pages in random order, and MRU is no policy of ours.
const OURS = new Set(['FIFO', 'LRU', 'OPT']);

/** Of each access, did it fault? */
function faultsOf(refs: readonly number[], policy: string, frames: number): boolean[] {
  const future = refs.map((ref) => [2, BASE / PAGE + ref]);
  const replacement = { policy: policy.toLowerCase(), frames, ...(policy === 'OPT' ? { future } : {}) };
  const machine = createMachine({ frames: 256, zones: { normal: 256 }, minFreeKbytes: 0, mobility: false, replacement });
  const pid = spawn(machine);
  granted(machine, pid, { call: 'mmap', length: 16 * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS', addr: BASE });
  return refs.map((ref) => {
    const { minor, major } = granted(machine, pid, { call: 'write', addr: BASE + ref * PAGE, length: 1 }).faults!;
    return minor + major > 0;
  });
}

test('paging-policy-summary.tsv: misses of every string under FIFO, LRU and OPT', () => {
  const rows = oracle('ostep/paging-policy-summary.tsv')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  const ours = rows.filter(([, policy]) => OURS.has(policy!));
  expect(ours.length).toBeGreaterThan(30);
  for (const [name, policy, frames, hits, misses] of ours) {
    const faults = faultsOf(STRINGS[name!]!, policy!, Number(frames));
    const missed = faults.filter(Boolean).length;
    expect([name, policy, frames, faults.length - missed, missed]).toEqual([name, policy, frames, Number(hits), Number(misses)]);
  }
});

test('paging-policy-traces.txt: hit or miss, access by access', () => {
  const blocks = oracle('ostep/paging-policy-traces.txt').split('### ').slice(1);
  let compared = 0;
  for (const block of blocks) {
    const [, , refs, policy, frames] = /^(\S+) (\S+) (\S+) C=(\d+)/.exec(block)!;
    if (!OURS.has(policy!)) continue;
    const theirs = [...block.matchAll(/^Access: +\d+ +(HIT|MISS)/gm)].map(([, kind]) => kind === 'MISS');
    expect(faultsOf(refs!.split(',').map(Number), policy!, Number(frames)), block.split('\n')[0]).toEqual(theirs);
    compared += theirs.length;
  }
  expect(compared).toBeGreaterThan(90);
});
