/**
 * P6, paging: one string of 10,000 references through a process of our kernel, fault by fault, and through OSTEP's simulator of
 * replacement (paging-policy.py), which prints its state after each. Both must miss equally often.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Machine, call, createMachine } from '#kernel/machine.ts';
import { median, timed, type Row } from './measure.ts';
import { ostepProgram, runPython } from './ostep.ts';
import { picker } from '../helpers/seeds.ts';

const REFERENCES = 10_000;
const BASE = 0x40000000;
const PAGE = 4096;

interface Setting {
  policy: 'fifo' | 'lru';
  frames: number;
  /** Pages that are referenced, each as likely as any other. */
  pages: number;
}

/** The first decides: 4 MiB, as a small program has them. The others are the sizes of exercises. */
const SETTINGS: readonly Setting[] = [
  { policy: 'lru', frames: 1000, pages: 1500 },
  { policy: 'fifo', frames: 1000, pages: 1500 },
  { policy: 'lru', frames: 100, pages: 150 },
  { policy: 'lru', frames: 4, pages: 8 },
];

function boot({ policy, frames, pages }: Setting): Machine {
  const machine = createMachine({
    frames: 2048,
    zones: { normal: 2048 },
    mobility: false,
    minFreeKbytes: 0,
    replacement: { policy, frames },
  });
  call(machine, 0, { call: 'spawn' });
  const area = { length: pages * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS', addr: BASE };
  call(machine, 2, { call: 'mmap', ...area });
  return machine;
}

function referencesOf({ pages }: Setting): number[] {
  const pick = picker(1);
  return Array.from({ length: REFERENCES }, () => pick(pages));
}

/** Milliseconds of processor time, and faults. */
function playOurs(setting: Setting, references: readonly number[]): { ms: number; misses: number } {
  const machine = boot(setting);
  const request = { call: 'write', addr: 0, length: 1 };
  let misses = 0;
  const ns = timed(() => {
    for (const page of references) {
      request.addr = BASE + page * PAGE;
      const { minor, major } = (call(machine, 2, request) as unknown as { faults: { minor: number; major: number } }).faults;
      misses += minor + major;
    }
  });
  return { ms: ns / 1e6, misses };
}

/** Without the start of Python. */
function playTheirs(program: string, { policy, frames }: Setting, references: readonly number[]): { ms: number; misses: number } | null {
  const folder = mkdtempSync(join(tmpdir(), 'references-'));
  try {
    const run = (count: number) => {
      const file = join(folder, `${count}.txt`);
      writeFileSync(
        file,
        references
          .slice(0, count)
          .map((page) => `${page}\n`)
          .join(''),
      );
      return runPython(program, `-f ${file} -p ${policy.toUpperCase()} -C ${frames} -c`);
    };
    const [start, whole] = [run(1), run(references.length)];
    const misses = /misses (\d+)/.exec(whole?.tail ?? '')?.[1];
    if (start === null || whole === null || misses === undefined) return null;
    return { ms: Math.max(0, whole.ms - start.ms), misses: Number(misses) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Ours and theirs, as medians; theirs null where they cannot be run. */
function compare(setting: Setting, program: string | null, rounds: number): { ours: number; theirs: number | null; ratios: number[] } {
  const references = referencesOf(setting);
  for (let n = 0; n < 8; n++) playOurs(setting, references);
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let n = 0; n < rounds; n++) {
    const mine = playOurs(setting, references);
    ours.push(mine.ms);
    const other = program === null ? null : playTheirs(program, setting, references);
    if (other === null) continue;
    if (other.misses !== mine.misses) throw new Error(`${setting.policy}: ${mine.misses} faults, theirs ${other.misses}`);
    theirs.push(other.ms);
    ratios.push((mine.ms / other.ms) * 1000);
  }
  return { ours: median(ours), theirs: theirs.length > 0 ? median(theirs) : null, ratios };
}

export function measurePaging(rounds: number): Row {
  const program = ostepProgram('vm-beyondphys-policy', 'paging-policy.py');
  const compared = SETTINGS.map((setting) => ({ setting, ...compare(setting, program, rounds) }));
  const [first] = compared;
  const each = compared.map(({ setting: { policy, frames }, ours, theirs }) => {
    const times = theirs === null ? '' : `, theirs ÷ ours ${(theirs / ours).toFixed(0)}`;
    return `${policy} of ${frames}: ${((ours / REFERENCES) * 1e6).toFixed(0)} ns a reference${times}`;
  });
  const missing =
    program === null ? ['OSTEP=FOLDER with vm-beyondphys-policy/paging-policy.py and python3 are needed for the other side'] : [];
  return {
    id: 'P6',
    what: `paging, ${REFERENCES} references: our time ÷ OSTEP's simulator`,
    value: first!.ratios.length > 0 ? median(first!.ratios) : null,
    unit: '‰',
    must: 25,
    stretch: 25,
    note: [...each, ...missing].join('; '),
    rounds: first!.ratios,
  };
}
