/** oom_score and the commit limit of real machines. */
import { describe, expect, test } from 'vitest';
import { oomScore } from '#kernel/mm/oom_badness.ts';
import { commitLimit } from '#kernel/mm/commit.ts';
import { KERNEL, boot, cat, granted, spawn } from '../helpers/boot.ts';
import { oracle } from './files.ts';

describe('oom_score_experiment.txt', () => {
  const text = () => oracle('oom_score_experiment.txt');

  test('every measured row', () => {
    const total = Number(/^# totalpages=(\d+)/m.exec(text())![1]);
    const rows = [...text().matchAll(/^(\d+) (\d+) (-?\d+) (\d+) (\d+) (\d+)$/gm)].map((found) => found.slice(1).map(Number));
    expect(rows).toHaveLength(32);
    const machine = boot();
    const task = machine.tasks.get(spawn(machine))!;
    const whole = { ...machine, zones: [{ ...machine.zones[0]!, managed: total }] };
    for (const [rss, tablesKb, adj, score] of rows) {
      const measured = { ...task, oomScoreAdj: adj!, mm: { ...task.mm, rssAnon: rss!, tables: tablesKb! / 4 } };
      expect(oomScore(whole, measured), `${rss} pages, ${tablesKb} kB of tables, ${adj}`).toBe(score);
    }
  });

  test('oom_adj reads what it read there', () => {
    const machine = boot();
    const pid = spawn(machine);
    for (const [, adj, read] of text().matchAll(/^\d+ \d+ (\d+) \d+ \d+ (\d+)$/gm)) {
      granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: Number(adj) });
      expect(cat(machine, `/proc/${pid}/oom_adj`)).toBe(`${read}\n`);
    }
  });
});

describe('proc/meminfo.txt', () => {
  test('CommitLimit follows from MemTotal, in whole pages', () => {
    const kb = (label: string) => Number(new RegExp(`^${label}: +(\\d+) kB`, 'm').exec(oracle('proc/meminfo.txt'))![1]);
    const machine = boot();
    expect(commitLimit({ ...machine, zones: [{ ...machine.zones[0]!, managed: kb('MemTotal') / 4 }] }) * 4).toBe(kb('CommitLimit'));
  });

  test('our labels are among the real ones (but High… and Low…, which a 32-bit kernel adds) and in their order', () => {
    const labels = (text: string) => [...text.matchAll(/^([^:]+):/gm)].map((found) => found[1]!);
    const theirs = labels(oracle('proc/meminfo.txt'));
    const own = labels(cat(boot(), '/proc/meminfo'));
    expect(own).toEqual(theirs.filter((label) => own.includes(label)));
  });

  test('a line of ours is as long as a line of theirs', () => {
    const lengths = (text: string) =>
      new Set(
        text
          .trimEnd()
          .split('\n')
          .filter((line) => /^(Mem|Active|Shmem|PageTables):?/.test(line))
          .map((line) => line.length),
      );
    expect(lengths(cat(boot(), '/proc/meminfo'))).toEqual(new Set([27]));
    expect(lengths(oracle('proc/meminfo.txt'))).toEqual(new Set([27]));
  });
});

describe('files of a process', () => {
  const labels = (text: string) => [...text.matchAll(/^([A-Za-z_]+):/gm)].map((found) => found[1]!);

  test('status: our labels in the real order', () => {
    const machine = boot();
    const own = labels(cat(machine, `/proc/${spawn(machine)}/status`));
    expect(own).toEqual(labels(oracle('proc/self_status.txt')).filter((label) => own.includes(label)));
  });

  test('smaps: all the labels of a real area, in its order, in its columns', () => {
    const machine = boot();
    const pid = spawn(machine);
    granted(machine, pid, { call: 'sbrk', increment: 4096 });
    const own = cat(machine, `/proc/${pid}/smaps`).split('\n').slice(1, -1);
    const theirs = oracle('proc/sleep_smaps.txt')
      .split('\n')
      .slice(1, own.length + 1);
    const shape = (line: string) =>
      (line.startsWith('VmFlags') ? 'VmFlags' : line.replace(/ *\d+( kB)?$/, '')) + (line.startsWith('VmFlags') ? '' : line.length);
    expect(own.map(shape)).toEqual(theirs.map(shape));
  });

  test('maps: the line of a 32-bit program’s heap, but for its end', () => {
    const theirs = [...oracle('x86_segment_experiment.txt').matchAll(/^0804d000-0806e000 .*$/gm)].map((found) => found[0])[0]!;
    const machine = boot();
    const pid = spawn(machine);
    granted(machine, pid, { call: 'brk', addr: 0x0806e000 });
    const own = cat(machine, `/proc/${pid}/maps`).trimEnd();
    // The program ran on a 64-bit kernel, which pads names to column 73; a 32-bit one pads to 49 (25 + 6 × sizeof(void *)).
    expect(own.replace(/ +\[/, ' [')).toBe(theirs.replace(/ +\[/, ' ['));
    expect(theirs.indexOf('[heap]')).toBe(73);
    expect(own.indexOf('[heap]')).toBe(49);
  });

  test('the layout of a 32-bit program without randomisation: heap and two mappings', () => {
    const text = oracle('x86_segment_experiment.txt');
    const part = text.slice(text.indexOf('--- with setarch'));
    const at = (label: string) =>
      Number.parseInt(
        part
          .split('\n')
          .find((line) => line.startsWith(`${label}=`))!
          .split('=')[1]!,
        16,
      );
    const machine = boot();
    const pid = spawn(machine);
    const map = (length: number, prot = 'PROT_READ|PROT_WRITE') =>
      granted(machine, pid, { call: 'mmap', length, prot, flags: 'MAP_PRIVATE|MAP_ANONYMOUS' }).addr;
    expect(granted(machine, pid, { call: 'sbrk', increment: 0 }).addr).toBe(at('brk(0)'));
    expect(granted(machine, pid, { call: 'brk', addr: at('brk(0)') + 0x21000 }).addr).toBe(at('brk(+0x21000)'));
    map(0x8000, 'PROT_READ'); // the room of vvar and vdso
    expect(map(192 * 1024)).toBe(at('mmap(192K)'));
    expect(map(192 * 1024)).toBe(at('mmap(192K) again'));
  });
});
