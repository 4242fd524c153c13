/** OSTEP's paging simulators: every answered problem, entry by entry, on a machine with the same tables. */
import { expect, test } from 'vitest';
import { call_, createMachine, granted } from './machine.ts';
import { oracle } from './files.ts';

const KERNEL = 0;
interface Entry {
  index: number;
  entry: number;
  valid: boolean;
  pfn: number | null;
}
const entries = (answer: object): Entry[] =>
  (answer as { steps: (Entry & { step: string })[] }).steps.filter(({ step }) => step === 'entry');

test('paging-linear.txt: one level, entries of four bytes', () => {
  const blocks = oracle('ostep/paging-linear.txt').split('### ').slice(1);
  let answered = 0;
  for (const block of blocks) {
    const table = [...block.matchAll(/\[ *\d+\] +0x([0-9a-f]{8})/g)].map((found) => Number.parseInt(found[1]!, 16));
    const memory = table.flatMap((entry) => [entry & 255, (entry >>> 8) & 255, (entry >>> 16) & 255, entry >>> 24]);
    const levels = [31 - Math.clz32(table.length)];
    const machine = createMachine({ frames: 64, arch: { levels, offsetBits: 12, pteBytes: 4, validBit: 31, memory } });
    for (const [line, va, , invalid, pa, vpn] of block.matchAll(
      /VA 0x([0-9a-f]+) \(decimal: +(\d+)\) --> +(?:Invalid \(VPN (\d+) not valid\)|([0-9a-f]+) \(decimal +\d+\) \[VPN (\d+)\])/g,
    )) {
      const answer = call_(machine, KERNEL, { call: 'translate', addr: Number.parseInt(va!, 16), access: 'read' });
      expect(answer.ok ? answer.phys : null, line).toBe(pa === undefined ? null : Number.parseInt(pa, 16));
      expect(entries(answer), line).toMatchObject([{ index: Number(vpn ?? invalid), valid: pa !== undefined }]);
      answered += 1;
    }
  }
  expect(blocks.length).toBeGreaterThanOrEqual(10);
  expect(answered).toBe(blocks.length * 20);
});

test('paging-multilevel.txt: a directory and tables of 32 entries of a byte, with every entry and every value', () => {
  const blocks = oracle('ostep/paging-multilevel.txt').split('### ').slice(1);
  let answered = 0;
  for (const block of blocks) {
    const memory = [...block.matchAll(/^page +\d+: *([0-9a-f]{64})$/gm)].map((found) => found[1]).join('');
    const root = Number(/PDBR: (\d+)/.exec(block)![1]);
    const machine = createMachine({ frames: 64, arch: { levels: [5, 5], offsetBits: 5, pteBytes: 1, validBit: 7, memory, root } });
    for (const problem of block.split('Virtual Address ').slice(1)) {
      const addr = Number.parseInt(problem, 16);
      const answer = call_(machine, KERNEL, { call: 'translate', addr, access: 'read' });
      const theirs = [...problem.matchAll(/p[dt]e index:0x([0-9a-f]+) .*contents:0x([0-9a-f]+) \(valid (\d), pfn 0x([0-9a-f]+)/g)].map(
        ([, index, entry, valid, pfn]) => ({
          index: Number.parseInt(index!, 16),
          entry: Number.parseInt(entry!, 16),
          valid: valid === '1',
          pfn: valid === '1' ? Number.parseInt(pfn!, 16) : null,
        }),
      );
      expect(entries(answer), problem).toMatchObject(theirs);
      const translated = /Physical Address 0x([0-9a-f]+) --> Value: (?:0x)?([0-9a-f]+)/.exec(problem);
      if (translated === null) expect(answer, problem).toMatchObject({ ok: false, why: { code: 'PAGE_FAULT', addr } });
      else expect(answer, problem).toMatchObject({ phys: Number.parseInt(translated[1]!, 16), value: Number.parseInt(translated[2]!, 16) });
      answered += 1;
    }
  }
  expect(answered).toBe(blocks.length * 20);
});

test('seed_vectors.json: the 16-bit machine of the notes, and the sizes of tables', () => {
  const { mmu_16bit: notes, page_table_sizes: sizes } = JSON.parse(oracle('seed_vectors.json')) as {
    mmu_16bit: { va: number; pa: number; page: number };
    page_table_sizes: { q: string; expect: number | string }[];
  };
  const toy = granted(createMachine({ frames: 64, arch: 'toy16' }), KERNEL, { call: 'translate', addr: notes.va, access: 'read' });
  expect(toy.phys).toBe(notes.pa);
  expect(entries(toy)[0]!.index).toBe(notes.page);
  const asked = (start: string) => sizes.find(({ q }) => q.startsWith(start))!.expect;
  const machine = createMachine({ frames: 64, zones: { normal: 64 }, minFreeKbytes: 0, mobility: false });
  const addr = granted(machine, 1, { call: 'mmap', length: 4096, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' }).addr;
  granted(machine, 1, { call: 'write', addr, length: 1 });
  expect(granted(machine, 1, { call: 'translate', addr, access: 'read' }).tables).toEqual({
    oneLevelBytes: asked('1-level table bytes'),
    treeBytes: asked('2-level, 1 directory + 1 table'),
  });
});
