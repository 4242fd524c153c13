/**
 * Programs that somebody ran on a real kernel, played on a machine of ours step by step. Each returns a transcript of
 * the lines that the C program printed, under the same labels, so that both can be laid side by side.
 */
import type { Machine } from '#kernel/machine.ts';
import { PAGE, PRIVATE, RW, SHARED, cat, granted, mmap, spawn, touch } from './boot.ts';
import { type SmapsArea, parseMaps, parseSmaps } from './procText.ts';

export type Transcript = [label: string, value: string | number][];

/** `perm=rw-p Size=256 Rss=0 Pss=0 ShC=0 ShD=0 PrC=0 PrD=0 Anon=0`, as the experiments print an area of smaps. */
export function smapsLine(area: SmapsArea): string {
  const f = area.fields;
  return (
    `perm=${area.perms} Size=${f.Size} Rss=${f.Rss} Pss=${f.Pss} ShC=${f.Shared_Clean} ShD=${f.Shared_Dirty} ` +
    `PrC=${f.Private_Clean} PrD=${f.Private_Dirty} Anon=${f.Anonymous}`
  );
}

export function areaOf(machine: Machine, pid: number, addr: number): SmapsArea {
  const area = parseSmaps(cat(machine, `/proc/${pid}/smaps`)).find((each) => each.start <= addr && addr < each.end);
  if (area === undefined) throw new Error(`pid ${pid} has no area at ${addr.toString(16)}`);
  return area;
}

/** Sections A, B and C of kernel_cow_experiment.txt: demand paging, copy on write, shared anonymous memory. */
export function cowExperiment(machine: Machine): Transcript {
  return [...demandPaging(machine), ...forkAndCopy(machine), ...sharedAnonymous(machine)];
}

function demandPaging(machine: Machine): Transcript {
  const lines: Transcript = [];
  const pid = spawn(machine);
  const a = mmap(machine, pid, 64);
  const look = (label: string) => lines.push([label, smapsLine(areaOf(machine, pid, a))]);
  look('after mmap');
  lines.push(['minflt reading all 64', touch(machine, pid, 'read', a, 64).minor]);
  look('after read (zero page)');
  lines.push(['minflt writing all 64 after read', touch(machine, pid, 'write', a, 64).minor]);
  look('after write');
  lines.push(['minflt re-writing', touch(machine, pid, 'write', a, 64).minor]);
  const fresh = mmap(machine, pid, 64);
  lines.push(['minflt writing 64 fresh pages directly', touch(machine, pid, 'write', fresh, 64).minor]);
  granted(machine, pid, { call: 'exit' });
  return lines;
}

function forkAndCopy(machine: Machine): Transcript {
  const lines: Transcript = [];
  const parent = spawn(machine);
  const a = mmap(machine, parent, 64);
  touch(machine, parent, 'write', a, 64);
  const child = granted(machine, parent, { call: 'fork' }).pid!;
  const look = (label: string, pid: number) => lines.push([label, smapsLine(areaOf(machine, pid, a))]);
  lines.push(['child minflt writing 16 shared pages', touch(machine, child, 'write', a, 16).minor]);
  look('child after 16 writes', child);
  look('parent while child lives', parent);
  const shared = touch(machine, parent, 'write', a + 16 * PAGE, 16);
  lines.push(['parent minflt writing 16 still-shared', `${shared.minor} (${shared.cow === 16 ? 'copies' : `${shared.cow} copies`})`]);
  const copied = touch(machine, parent, 'write', a, 16);
  lines.push([
    'parent minflt writing 16 the child already copied',
    `${copied.minor} (reuse, ${copied.cow === 0 ? 'no copy' : `${copied.cow} copies`})`,
  ]);
  look('parent after', parent);
  granted(machine, child, { call: 'exit' });
  const last = touch(machine, parent, 'write', a + 32 * PAGE, 32);
  lines.push(['parent minflt writing last 32 after child exit', `${last.minor} (${last.cow === 0 ? 'reuse' : `${last.cow} copies`})`]);
  look('parent final', parent);
  granted(machine, parent, { call: 'exit' });
  return lines;
}

/** 24 shared pages: the parent and a first child map them all, a second child the first 12. */
function sharedAnonymous(machine: Machine): Transcript {
  const lines: Transcript = [];
  const parent = spawn(machine);
  const s = mmap(machine, parent, 24, RW, SHARED);
  touch(machine, parent, 'write', s, 24);
  const child1 = granted(machine, parent, { call: 'fork' }).pid!;
  const minor = touch(machine, child1, 'write', s, 24).minor;
  lines.push(['child1 minflt writing 24 shared', `${minor} (fork does not copy shared-anon ptes)`]);
  const child2 = granted(machine, parent, { call: 'fork' }).pid!;
  granted(machine, child1, { call: 'write', addr: s, length: 1, value: 9 });
  granted(machine, child1, { call: 'write', addr: s + 12 * PAGE, length: 1, value: 8 });
  touch(machine, child2, 'write', s + PAGE, 11);
  granted(machine, child2, { call: 'read', addr: s, length: 1 });
  const byte = (addr: number) => granted(machine, parent, { call: 'peek', addr, length: 1 }).bytes![0];
  lines.push(['parent sees', `s[0]=${byte(s)} s[12*P]=${byte(s + 12 * PAGE)}`]);
  lines.push(['parent shared (expect Pss=12*4/3+12*4/2=40)', smapsLine(areaOf(machine, parent, s))]);
  granted(machine, child1, { call: 'exit' });
  granted(machine, child2, { call: 'exit' });
  lines.push(['after both exit', smapsLine(areaOf(machine, parent, s))]);
  granted(machine, parent, { call: 'exit' });
  return lines;
}

/** The areas within a window, as [first page, end page, permissions], as kernel_experiments.json has them. */
function windowOf(machine: Machine, pid: number, base: number, pages: number): [number, number, string][] {
  return parseMaps(cat(machine, `/proc/${pid}/maps`))
    .filter((area) => area.start >= base && area.end <= base + pages * PAGE)
    .map((area) => [(area.start - base) / PAGE, (area.end - base) / PAGE, area.perms]);
}

/** `vma_ops` of kernel_experiments.json: areas split and merge, on pages that hold nothing. */
export function vmaOperations(machine: Machine): [string, [number, number, string][]][] {
  const pid = spawn(machine);
  const base = mmap(machine, pid, 48, 'PROT_NONE');
  const fixed = (from: number, to: number, prot: string, flags = PRIVATE) =>
    mmap(machine, pid, to - from, prot, `${flags}|MAP_FIXED`, base + from * PAGE);
  const range = (from: number, to: number) => ({ addr: base + from * PAGE, length: (to - from) * PAGE });
  const unmap = (from: number, to: number) => granted(machine, pid, { call: 'munmap', ...range(from, to) });
  const protect = (from: number, to: number, prot: string) => granted(machine, pid, { call: 'mprotect', ...range(from, to), prot });
  const steps: [string, () => unknown][] = [
    ['reserve48 PROT_NONE', () => null],
    ['fixed rw 8..24', () => fixed(8, 24, RW)],
    ['mprotect r 12..16', () => protect(12, 16, 'PROT_READ')],
    ['mprotect rw 12..16 (merge back)', () => protect(12, 16, RW)],
    ['munmap 14..16', () => unmap(14, 16)],
    ['map rw 14..16 (bridge merge)', () => fixed(14, 16, RW)],
    ['map shared rw 24..32 (no merge)', () => fixed(24, 32, RW, SHARED)],
    ['map private rw 32..40', () => fixed(32, 40, RW)],
    ['munmap 20..36 across 3 vmas', () => unmap(20, 36)],
    ['mprotect none 8..12 (merge with left PROT_NONE)', () => protect(8, 12, 'PROT_NONE')],
  ];
  return steps.map(([label, run]) => {
    run();
    return [label, windowOf(machine, pid, base, 48)];
  });
}

/** The areas of a window, for tests of their own. */
export { windowOf as areasWithin };
