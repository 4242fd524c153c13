/** Programs run on a real kernel: their transcripts against ours. */
import { describe, expect, test } from 'vitest';
import { MiB, PAGE, PRIVATE, RW, boot, bootFlat, call_, cat, granted, mmap, spawn, touch } from './machine.ts';
import { cowExperiment, vmaOperations } from '../helpers/experiments.ts';
import { objectExperiment, signalExperiment, withFile } from '../helpers/experiments_files.ts';
import { parseStatus } from '../helpers/procText.ts';
import { oracle } from './files.ts';

interface Experiments {
  demand_paging_64_pages: Record<string, Record<string, number | string> | number>;
  direct_write_minflt: number;
  vma_ops: [string, [number, number, string][]][];
  signals: Record<string, string | number>;
}

const experiments = (): Experiments => JSON.parse(oracle('kernel_experiments.json')) as Experiments;

/** Label → value of the recorded C run's sections A, B and C. */
function recorded(): Map<string, string> {
  const text = oracle('kernel_cow_experiment.txt');
  const part = text.slice(text.indexOf('A. '), text.indexOf('D. '));
  const lines = new Map<string, string>();
  for (const line of part.split('\n')) {
    const smaps = /^ {2}(.*?) +(perm=.*) \(kB\)$/.exec(line);
    const minflt = /^ {2}(.*minflt.*): (\d+.*)$/.exec(line);
    const sees = /^ {2}(parent sees) (.*)$/.exec(line);
    const found = smaps ?? minflt ?? sees;
    if (found !== null) lines.set(found[1]!, found[2]!);
  }
  return lines;
}

describe('kernel_cow_experiment.txt', () => {
  test('sections A, B, C: every line that the program printed', () => {
    const theirs = recorded();
    const ours = cowExperiment(boot());
    expect(theirs.size).toBeGreaterThanOrEqual(18);
    expect(ours.map(([label]) => label).toSorted()).toEqual([...theirs.keys()].toSorted());
    for (const [label, value] of ours) expect(`${label}: ${value}`).toBe(`${label}: ${theirs.get(label)}`);
  });
});

describe('kernel_cow_experiment.txt', () => {
  test('sections D, E, F: every line that the program printed', () => {
    const text = oracle('kernel_cow_experiment.txt');
    const theirs = text.slice(text.indexOf('D. ')).trimEnd().split('\n');
    expect(objectExperiment(withFile())).toEqual(theirs.map((line) => line.trim().replace(/ +/g, ' ')));
  });
});

describe('kernel_experiments.json', () => {
  test('demand_paging_64_pages: faults and sizes', () => {
    const { demand_paging_64_pages: run, direct_write_minflt: direct } = experiments();
    const machine = boot();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 64);
    const fields = () =>
      Object.fromEntries(
        [...cat(machine, `/proc/${pid}/smaps`).matchAll(/^([A-Z][A-Za-z_]+): +(\d+) kB$/gm)].map((found) => [found[1]!, Number(found[2])]),
      );
    const expectSizes = (key: string) => {
      const { perms: _perms, Referenced: _referenced, ...sizes } = run[key] as Record<string, number>;
      expect(fields(), key).toMatchObject(sizes);
    };
    expectSizes('after_mmap');
    expect(touch(machine, pid, 'read', addr, 64).minor).toBe(run.minflt_read_all);
    expectSizes('after_read');
    expect(touch(machine, pid, 'write', addr, 64).minor).toBe(run.minflt_write_all);
    expectSizes('after_write');
    expect(touch(machine, pid, 'write', addr, 64).minor).toBe(run.minflt_rewrite);
    expect(touch(machine, pid, 'write', mmap(machine, pid, 64), 64).minor).toBe(direct);
  });

  test('vma_ops: the areas after each of ten steps', () => {
    expect(vmaOperations(boot())).toEqual(experiments().vma_ops);
  });

  test('signals: what each access did to its process', () => {
    const ours = Object.fromEntries(Object.entries(signalExperiment()).map(([name, { outcome }]) => [name, outcome]));
    expect(ours).toEqual(experiments().signals);
  });
});

describe('kernel_overcommit_heap_experiment.txt', () => {
  const text = () => oracle('kernel_overcommit_heap_experiment.txt');

  test('mode 0: which requests were granted', () => {
    const machine = bootFlat(16384);
    const asked = [...text().matchAll(/private writable mmap of total([+-]\d+) pages: (.*)$/gm)];
    expect(asked.length).toBeGreaterThanOrEqual(4);
    const ask = (pages: number, prot = RW, flags = PRIVATE) =>
      call_(machine, spawn(machine), { call: 'mmap', length: pages * PAGE, prot, flags }).ok;
    for (const [line, more, outcome] of asked) expect(ask(16384 + Number(more)), line).toBe(outcome === 'OK');
    expect(ask(32768, RW, `${PRIVATE}|MAP_NORESERVE`)).toBe(text().includes('2x total with MAP_NORESERVE: OK'));
    expect(ask(32768, 'PROT_READ')).toBe(text().includes('2x total PROT_READ private: OK'));
  });

  test('the lazy heap: what each step adds to VSS, RSS and faults', () => {
    const rows = [...text().matchAll(/heap VSS=(\d+) kB RSS=(\d+) kB/g)].map((found) => [Number(found[1]), Number(found[2])] as const);
    const steps = rows.slice(1).map((row, n) => [row[0] - rows[n]![0], row[1] - rows[n]![1]]);
    const machine = boot();
    const pid = spawn(machine);
    const heap = granted(machine, pid, { call: 'sbrk', increment: 2 * PAGE }).addr as number;
    touch(machine, pid, 'write', heap, 2);
    const seen: number[][] = [];
    const look = () => {
      const status = parseStatus(cat(machine, `/proc/${pid}/status`));
      seen.push([Number(status.VmSize), Number(status.VmRSS)]);
    };
    look();
    granted(machine, pid, { call: 'sbrk', increment: 2 * PAGE });
    look();
    const { minor } = touch(machine, pid, 'write', heap + 2 * PAGE, 1);
    look();
    touch(machine, pid, 'write', heap + 3 * PAGE, 1);
    look();
    expect(seen.slice(1).map((row, n) => [row[0]! - seen[n]![0]!, row[1]! - seen[n]![1]!])).toEqual(steps);
    expect(minor).toBe(Number(/minflt for third page: (\d+)/.exec(text())![1]));
  });

  test('page tables per MiB read: half of what 8-byte entries cost, one 4 KiB table for 4 MiB', () => {
    const rows = [...text().matchAll(/(\d+) MiB read-touched \(zero page\): VmPTE (\d+) -> (\d+)/g)].map(
      (found) => [Number(found[1]), Number(found[3]) - Number(found[2])] as const,
    );
    const machine = bootFlat(16384);
    for (const [mib, kb] of rows.filter(([size]) => size > 0 && size <= 1024)) {
      const pid = spawn(machine);
      const pages = (mib * MiB) / PAGE;
      const addr = mmap(machine, pid, pages, 'PROT_READ', `${PRIVATE}|MAP_FIXED`, 0x40000000);
      touch(machine, pid, 'read', addr, pages);
      const tables = Number(parseStatus(cat(machine, `/proc/${pid}/status`)).VmPTE) - 4;
      expect(tables, `${mib} MiB`).toBe(mib);
      // x86-64: 8 bytes an entry, 2 kB a MiB, and the levels above; i386 needs half of the first.
      expect(Math.floor(kb / 2 / mib) * mib <= tables * 2 && tables * 2 <= kb, `${mib} MiB: ${kb} kB there`).toBe(true);
      granted(machine, pid, { call: 'exit' });
    }
  });

  test('x86_64: page tables to the table, area below area', () => {
    const rows = [...text().matchAll(/(\d+) MiB read-touched \(zero page\): VmPTE (\d+) -> (\d+)/g)].map(
      (found) => [Number(found[1]), Number(found[3]) - Number(found[2])] as const,
    );
    expect(rows.map(([, kb]) => kb)).toEqual([0, 16, 128, 512, 2052, 8208]);
    const machine = bootFlat(16384, { arch: 'x86_64' });
    const pid = spawn(machine);
    const tables = () => Number(parseStatus(cat(machine, `/proc/${pid}/status`)).VmPTE);
    for (const [mib, kb] of rows.filter(([size]) => size > 0)) {
      const before = tables();
      const pages = (mib * MiB) / PAGE;
      touch(machine, pid, 'read', mmap(machine, pid, pages, 'PROT_READ'), pages);
      expect(tables() - before, `${mib} MiB`).toBe(kb);
    }
  });
});
