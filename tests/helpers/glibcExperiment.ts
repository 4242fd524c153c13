/** The program of the recorded experiment with glibc's malloc, as calls on an x86_64 process; its lines. */
import { type Machine, call, createMachine } from '#kernel/machine.ts';
import { granted, spawn } from './boot.ts';

/** A machine of 64-bit words. */
export function boot64(): Machine {
  const config = { frames: 131072, zones: { normal: 131072 }, mobility: false, minFreeKbytes: 0, overcommit: { mode: 1 } };
  return createMachine({ ...config, arch: 'x86_64' });
}

/** One process and its calls, in the words of the program. */
function program() {
  const machine = boot64();
  const pid = spawn(machine);
  const ask = (request: Parameters<typeof granted>[2]) => granted(machine, pid, request);
  const brk = () => ask({ call: 'sbrk', increment: 0 }).addr as number;
  const first = brk();
  return {
    machine,
    pid,
    first,
    brk,
    malloc: (size: number) => ask({ call: 'malloc', size }).addr as number,
    calloc: (nmemb: number, size: number) => ask({ call: 'calloc', nmemb, size }).addr as number,
    realloc: (addr: number, size: number) => ask({ call: 'realloc', addr, size }).addr as number,
    free: (addr: number) => void ask({ call: 'free', addr }),
    usable: (addr: number) => ask({ call: 'malloc_usable_size', addr }).size as number,
    mallopt: (param: string, value: number) => void ask({ call: 'mallopt', param, value }),
    trim: () => ask({ call: 'malloc_trim', pad: 0 }).value,
    kind: (addr: number) => (addr >= first && addr < brk() ? 'heap' : 'mmap'),
    write: (addr: number, length: number, value: number) => void call(machine, pid, { call: 'write', addr, length, value }),
    peek: (addr: number, length: number) => ask({ call: 'peek', addr, length }).bytes!,
  };
}

const MAPPED = 1;

function firstBrk(): string[] {
  const p = program();
  const lines: string[] = [];
  const one = p.malloc(1);
  lines.push(`initial malloc(1): brk grew by ${p.brk() - p.first} bytes; p-brk0=${one - p.first}`);
  for (const size of [100000, 120000]) {
    const before = p.brk();
    p.malloc(size);
    lines.push(`malloc(${size}): brk grew ${p.brk() - before}`);
  }
  return lines;
}

const SIZES = [
  0, 1, 8, 16, 24, 25, 32, 40, 41, 56, 57, 72, 88, 100, 120, 128, 136, 1000, 1024, 1032, 4096, 65536, 131000, 131047, 131048, 131049,
  131064, 131065, 131072, 131073, 140000, 200000, 1048576,
];

function usableSizes(): string[] {
  const p = program();
  p.mallopt('M_MMAP_THRESHOLD', 131072);
  // The program kept every block, so that none is taken from the heap because it was freed there before.
  return SIZES.map((size) => {
    const addr = p.malloc(size);
    const usable = p.usable(addr);
    const kind = p.kind(addr);
    return `malloc(${size}) -> usable ${usable} ${kind} chunk=${usable + (kind === 'mmap' ? 16 : 8)}`;
  });
}

function dynamicThreshold(): string[] {
  const p = program();
  /** The first block is freed, the second stays. */
  const twice = (size: number): [string, string] => {
    const one = p.malloc(size);
    const first = p.kind(one);
    p.free(one);
    return [first, p.kind(p.malloc(size))];
  };
  const M = 1024 * 1024;
  const [small, medium, huge, large] = [twice(200 * 1024), twice(300 * 1024), twice(33 * M), twice(31 * M)];
  return [
    `200K first: ${small[0]}`,
    `200K again: ${small[1]}`,
    `300K first: ${medium[0]}`,
    `300K again: ${medium[1]}`,
    `33M: ${huge[0]}`,
    `33M again (above 32M max, threshold not raised): ${huge[1]}`,
    `31M: ${large[0]}`,
    `31M again: ${large[1]}`,
  ];
}

function explicitThreshold(): string[] {
  const p = program();
  p.mallopt('M_MMAP_THRESHOLD', 128 * 1024);
  const once = () => {
    const addr = p.malloc(200 * 1024);
    const kind = p.kind(addr);
    p.free(addr);
    return kind;
  };
  return [`M_MMAP_THRESHOLD=128K set explicitly: 200K first ${once()}, again ${once()}`];
}

function topTrim(): string[] {
  const p = program();
  const blocks = Array.from({ length: 10 }, () => p.malloc(100 * 1024));
  const before = p.brk();
  const lines: string[] = [];
  for (let i = 9; i >= 0; i--) {
    p.free(blocks[i]!);
    lines.push(`free top-down block ${i}: brk change ${p.brk() - before}`);
  }
  return lines;
}

function trimBlocked(): string[] {
  const p = program();
  const blocks = Array.from({ length: 10 }, () => p.malloc(100 * 1024));
  const pin = p.malloc(16);
  let before = p.brk();
  for (const block of blocks) p.free(block);
  const blocked = p.brk() - before;
  before = p.brk();
  p.free(pin);
  const pinned = p.brk() - before;
  before = p.brk();
  p.trim();
  return [
    `10x100K freed below a live 16-byte chunk at top: brk change ${blocked} (heap cannot shrink)`,
    `after freeing the pin (tcache): ${pinned}`,
    `after malloc_trim(0): ${p.brk() - before}`,
  ];
}

function trimThreshold(): string[] {
  const M = 1024 * 1024;
  const seed = (threshold: number) => {
    const p = program();
    p.mallopt('M_TRIM_THRESHOLD', threshold);
    p.mallopt('M_MMAP_MAX', 0);
    const start = p.brk();
    const block = p.malloc(100 * M);
    const grown = p.brk();
    p.free(block);
    const freed = p.brk();
    p.malloc(50 * M);
    return { grew: grown - start, change: freed - grown, later: p.brk() - freed };
  };
  const never = seed(-1);
  const usual = seed(128 * 1024);
  return [
    `seed example: M_TRIM_THRESHOLD=-1,M_MMAP_MAX=0: malloc 100M grew brk by ${never.grew}; free changed it by ${never.change}`,
    `later malloc 50M: brk change ${never.later} (reused)`,
    `without M_TRIM_THRESHOLD=-1: free 100M changed brk by ${usual.change}`,
  ];
}

function reallocs(): string[] {
  const p = program();
  const same = (yes: boolean, other: string) => (yes ? 'same' : other);
  const a = p.malloc(1000);
  const grown = p.realloc(a, 1016);
  const extended = p.realloc(grown, 5000);
  p.malloc(16);
  const moved = p.realloc(extended, 9000);
  const shrunk = p.realloc(moved, 100);
  // Something is mapped above, as libraries are: the mapping cannot grow where it is.
  p.malloc(512 * 1024);
  const large = p.malloc(1024 * 1024);
  const larger = p.realloc(large, 8 * 1024 * 1024);
  return [
    `realloc 1000->1016: ${same(grown === a, 'moved')}`,
    `realloc to 5000, next is top: ${same(extended === grown, 'moved')} (extended into top)`,
    `realloc to 9000 with live neighbour: ${moved === extended ? 'same' : 'moved+old freed'}`,
    `shrink to 100: ${same(shrunk === moved, 'moved')} usable=${p.usable(shrunk)}`,
    `realloc mmapped 1M->8M: still ${p.kind(larger)}, moved=${larger === large ? 0 : MAPPED} (mremap)`,
    `realloc(NULL,10)=malloc; realloc(p,0)=${p.realloc(p.realloc(0, 10), 0) === 0 ? '(nil)' : 'something'}`,
  ];
}

function reuse(): string[] {
  const p = program();
  const blocks = Array.from({ length: 12 }, () => p.malloc(32));
  for (const block of blocks) p.free(block);
  const again = blocks.map(() => blocks.indexOf(p.malloc(32)));
  const lines = [`12x malloc(32) freed 0..11; next mallocs return: ${again.join(' ')}  (tcache LIFO for last-in 7: 6..0, then fastbin)`];
  const q = program();
  const [a, b, c] = [q.malloc(2000), q.malloc(2000), q.malloc(2000)];
  q.malloc(16);
  for (const block of [a, c, b]) q.free(block!);
  lines.push(
    `three adjacent 2000-byte chunks freed a,c,b then malloc(6000): ${q.malloc(6000) === a ? 'reuses coalesced block at a' : 'elsewhere'}`,
  );
  return lines;
}

function callocs(): string[] {
  const p = program();
  const block = p.malloc(5000);
  p.write(block, 5000, 0xaa);
  p.free(block);
  const cleared = p.calloc(1, 5000);
  const nonzero = p.peek(cleared, 5000).filter((byte) => byte !== 0).length;
  const fresh = p.malloc(5000);
  const stale = p.peek(fresh, 5000).filter((byte) => byte !== 0).length;
  return [
    `calloc recycled block nonzero bytes=${nonzero} same=${cleared === block ? 1 : 0}`,
    `malloc fresh-from-free block: ${stale} nonzero`,
  ];
}

export function glibcExperiment(): string[] {
  return [
    ...firstBrk(),
    ...usableSizes(),
    ...dynamicThreshold(),
    ...explicitThreshold(),
    ...topTrim(),
    ...trimBlocked(),
    ...trimThreshold(),
    ...reallocs(),
    ...reuse(),
    ...callocs(),
  ];
}
