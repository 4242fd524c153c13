/** Segmentation against a real CPU, and against OSTEP's simulators with descriptors for their registers. */
import { expect, test } from 'vitest';
import { segmentAccess } from '#kernel/arch/segment.ts';
import { segmentExperiment } from '../helpers/segments.ts';
import { oracle } from './files.ts';
import { bootFlat, granted, spawn } from './machine.ts';

test('x86_segment_experiment.txt: every selector and every probe', () => {
  const theirs = oracle('x86_segment_experiment.txt')
    .split('\n')
    .filter((line) => / sel=0x| off=0x/.test(line))
    .map((line) => line.replace(/ index=\d+ TI=\d RPL=\d/, '').replace(/ +/g, ' '));
  expect(theirs).toHaveLength(29);
  expect(segmentExperiment()).toEqual(theirs);
});

/** A process with these segments in DS (entry 0) and ES (entry 1). */
function machineWith(...entries: { base: number; limit: number; type: string }[]) {
  const machine = bootFlat(64);
  const pid = spawn(machine);
  entries.forEach((fields, entry) => {
    const request = { call: 'modify_ldt', entry, dpl: 3, granularity: 0, present: 1, ...fields };
    const { selector } = granted(machine, pid, request);
    granted(machine, pid, { call: 'load_segment', register: entry === 0 ? 'ds' : 'es', selector });
  });
  return machine.tasks.get(pid)!.segments!;
}

const TRACE = /VA +\d+: 0x[0-9a-f]+ \(decimal: *(\d+)\) --> (?:VALID[^:]*: 0x[0-9a-f]+ \(decimal: *(\d+)\)|SEGMENTATION VIOLATION)/g;
const registers = (block: string, pattern: RegExp): number[] => [...block.matchAll(pattern)].map((found) => Number(found[1]));

test('relocation.txt: base and limit as one segment, every problem of 20 addresses', () => {
  const blocks = oracle('ostep/relocation.txt').split('### ').slice(1);
  let answered = 0;
  for (const block of blocks) {
    const [base] = registers(block, /Base +: 0x\w+ \(decimal (\d+)\)/g);
    const [limit] = registers(block, /Limit +: (\d+)/g);
    const segments = machineWith({ base: base!, limit: limit! - 1, type: 'read/write' });
    for (const [line, virtual, physical] of block.matchAll(TRACE)) {
      const { linear, fault } = segmentAccess(segments, 'ds', Number(virtual), 1, 'read');
      expect(fault === null ? linear : undefined, line).toBe(physical === undefined ? undefined : Number(physical));
      answered += 1;
    }
  }
  expect(answered).toBe(blocks.length * 20);
});

test('segmentation.txt: the upper half grows downwards, every problem of 20 addresses', () => {
  const blocks = oracle('ostep/segmentation.txt').split('### ').slice(1);
  const SIZES = /ARG address space size (\d+)(k?)/;
  // An expand-down segment counts its offsets from above: the last byte of theirs is offset 0xfffff of ours.
  const TOP = 0x100000;
  let answered = 0;
  for (const block of blocks) {
    const [, size, unit] = SIZES.exec(block)!;
    const space = Number(size) * (unit === 'k' ? 1024 : 1);
    const [base0, base1] = registers(block, /Segment \d base .*\(decimal (\d+)\)/g);
    const [limit0, limit1] = registers(block, /Segment \d limit +: (\d+)/g);
    const segments = machineWith(
      { base: base0!, limit: limit0! - 1, type: 'read/write' },
      { base: (base1! - TOP + 0x100000000) % 0x100000000, limit: TOP - 1 - limit1!, type: 'read/write, expand-down' },
    );
    for (const [line, virtual, physical] of block.matchAll(TRACE)) {
      const va = Number(virtual);
      const upper = va >= space / 2;
      const { linear, fault } = segmentAccess(segments, upper ? 'es' : 'ds', upper ? TOP - (space - va) : va, 1, 'read');
      expect(fault === null ? linear : undefined, line).toBe(physical === undefined ? undefined : Number(physical));
      answered += 1;
    }
  }
  expect(answered).toBe(blocks.length * 20);
});
