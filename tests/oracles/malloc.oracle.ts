/** OSTEP's free-space simulator: every address, every count of searched entries and every list that it printed. */
import { describe, expect, test } from 'vitest';
import { boot, call_, cat, spawn } from './machine.ts';
import { oracle } from './files.ts';

const FIT: Record<string, string> = { FIRST: 'first', BEST: 'best', WORST: 'worst' };
const ORDER: Record<string, string> = {
  ADDRSORT: 'address',
  'SIZESORT+': 'size+',
  'SIZESORT-': 'size-',
  'INSERT-FRONT': 'front',
  'INSERT-BACK': 'back',
};

interface Block {
  name: string;
  lines: string[];
  field: (name: string) => string;
}

function blocks(): Block[] {
  return oracle('ostep/malloc.txt')
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const lines = text.split('\n');
      const field = (name: string) => lines.find((line) => line.startsWith(`${name} `))!.slice(name.length + 1);
      return { name: lines[0]!, lines, field };
    });
}

/** Plays one block; what it printed and what we say, operation by operation. */
function play(block: Block): { theirs: string[]; ours: string[] } {
  const [base, size] = [Number(block.field('baseAddr')), Number(block.field('size'))];
  const [fit, order, coalesce] = [FIT[block.field('policy')], ORDER[block.field('listOrder')], block.field('coalesce') === 'True'];
  const align = Math.max(1, Number(block.field('alignment')));
  const machine = boot({
    libc: { allocator: 'list', fit, order, coalesce, header: Number(block.field('headerSize')), align, heap: { base, size } },
  });
  const pid = spawn(machine);
  const pointers = new Map<string, number>();
  const [theirs, ours]: [string[], string[]] = [[], []];
  block.lines.forEach((line, at) => {
    const alloc = /^ptr\[(\d+)\] = Alloc\((\d+)\) returned (-?\d+) \(searched (\d+) elements\)/.exec(line);
    const freed = /^Free\(ptr\[(\d+)\]\)/.exec(line);
    if (alloc) {
      const answer = call_(machine, pid, { call: 'malloc', size: Number(alloc[2]) });
      const searched = answer.ok ? answer.searched : (answer.why as unknown as { searched: number }).searched;
      if (answer.ok) pointers.set(alloc[1]!, answer.addr as number);
      theirs.push(`${alloc[3]} ${alloc[4]} ${block.lines[at + 1]!.trim()}`);
      ours.push(`${answer.ok ? answer.addr : -1} ${searched} ${cat(machine, '/proc/freelist', pid).trim()}`);
    }
    if (freed) {
      const answer = call_(machine, pid, { call: 'free', addr: pointers.get(freed[1]!)! });
      theirs.push(`${block.lines[at + 1]} ${block.lines[at + 2]!.trim()}`);
      ours.push(`returned ${answer.ok ? 0 : -1} ${cat(machine, '/proc/freelist', pid).trim()}`);
    }
  });
  return { theirs, ours };
}

describe('ostep/malloc.txt', () => {
  const all = blocks();

  test('has 75 blocks: three fits, five orders, five seeds, all without joining', () => {
    expect(all).toHaveLength(75);
    expect(new Set(all.map((block) => block.name)).size).toBe(75);
  });

  test.each(all.map((block) => [block.name, block] as const))('%s', (_name, block) => {
    const { theirs, ours } = play(block);
    expect(theirs).toHaveLength(40);
    expect(ours).toEqual(theirs);
  });
});
