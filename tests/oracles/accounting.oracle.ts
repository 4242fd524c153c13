/** What adds up in the files of a real machine (fidelity spec §15) and in the numbers of the lecture notes (A12, A13) adds up here too. */
import { describe, expect, test } from 'vitest';
import { commitLimit } from '#kernel/mm/commit.ts';
import { freeOldText } from '#kernel/tools/free.ts';
import { boot, bootFlat, cat, granted, spawn } from '../helpers/boot.ts';
import { parseMaps, parseMeminfo, parseSmaps, parseStatus } from '../helpers/procText.ts';
import { oracle } from './files.ts';

interface Vectors {
  free_cmd: Record<'total' | 'used' | 'free' | 'buffers' | 'cached' | 'minus_used' | 'plus_free', number>;
  meminfo_identities: Record<'Active' | 'Inactive' | 'Slab' | 'CommitLimit', string> & { VmallocTotal: number };
}
const vectors = (): Vectors => JSON.parse(oracle('seed_vectors.json')) as Vectors;

describe('status and statm of a real process follow from its maps as ours do', () => {
  // The vsyscall page is not in the address space that is counted.
  const areas = () => parseMaps(oracle('proc/sleep_maps.txt').replaceAll(/^f+600000-.*\n/gm, ''));
  const kb = (keep: (perms: string, name: string) => boolean) =>
    areas().reduce((sum, { start, end, perms, name }) => sum + (keep(perms, name) ? (end - start) / 1024 : 0), 0);
  const isStack = (name: string) => name === '[stack]';
  const sizes = () => ({
    VmSize: kb(() => true),
    VmData: kb((perms, name) => perms[1] === 'w' && perms[3] === 'p' && !isStack(name)),
    VmStk: kb((_perms, name) => isStack(name)),
    VmExe: kb((perms, name) => perms === 'r-xp' && name === '/usr/bin/sleep'),
    VmLib: kb((perms, name) => perms === 'r-xp' && name !== '/usr/bin/sleep'),
  });

  test('VmSize, VmData, VmStk, VmExe, VmLib of /usr/bin/sleep', () => {
    const status = oracle('proc/sleep_status.txt').replaceAll(/^(?!Vm|Rss).*\n/gm, '');
    expect(parseStatus(status)).toMatchObject(sizes());
  });

  test('statm of /usr/bin/sleep: size, text, data', () => {
    const { VmSize, VmExe, VmData, VmStk } = sizes();
    const [size, , , text, lib, data, dirty] = oracle('proc/sleep_statm.txt').split(' ').map(Number);
    expect([size, text, lib, data, dirty]).toEqual([VmSize / 4, VmExe / 4, 0, (VmData + VmStk) / 4, 0]);
  });

  test('the same rules over our own program give our own status and statm', () => {
    const lib = { path: '/lib/libc.so', bytes: 1 << 20, text: 700_000, data: 9000, bss: 5000 };
    const machine = boot({
      disk: { files: [{ path: '/bin/a', bytes: 40_000, text: 20_000, data: 3000, bss: 9000, libs: [lib.path] }, lib] },
    });
    const pid = spawn(machine);
    granted(machine, pid, { call: 'execve', path: '/bin/a' });
    granted(machine, pid, { call: 'malloc', size: 100_000 });
    const own = parseMaps(cat(machine, `/proc/${pid}/maps`));
    const kbOf = (keep: (area: (typeof own)[number]) => boolean) =>
      own.filter(keep).reduce((sum, { start, end }) => sum + (end - start) / 1024, 0);
    const status = parseStatus(cat(machine, `/proc/${pid}/status`));
    expect(status).toMatchObject({
      VmSize: kbOf(() => true),
      VmData: kbOf(({ perms, name }) => perms === 'rw-p' && !isStack(name)),
      VmStk: kbOf(({ name }) => isStack(name)),
      VmExe: kbOf(({ perms, name }) => perms === 'r-xp' && name === '/bin/a'),
      VmLib: kbOf(({ perms, name }) => perms === 'r-xp' && name !== '/bin/a'),
    });
    const [size, , , text, none, data] = cat(machine, `/proc/${pid}/statm`).split(' ').map(Number);
    expect([size, text, none, data]).toEqual([
      Number(status.VmSize) / 4,
      Number(status.VmExe) / 4,
      0,
      (Number(status.VmData) + Number(status.VmStk)) / 4,
    ]);
  });
});

describe('smaps of a real process', () => {
  test('each area: Rss is the sum of its four parts, Pss lies between the private part and the whole', () => {
    for (const name of ['proc/sleep_smaps.txt', 'proc/self_smaps.txt'])
      for (const { fields: f } of parseSmaps(oracle(name).replaceAll(/^f+600000-[^]*$/gm, ''))) {
        const shared = f.Shared_Clean! + f.Shared_Dirty!;
        const own = f.Private_Clean! + f.Private_Dirty!;
        expect(f.Rss).toBe(shared + own);
        expect(f.Pss).toBeGreaterThanOrEqual(own);
        expect(f.Pss).toBeLessThanOrEqual(own + shared / 2);
        expect(f.Pss_Dirty).toBeLessThanOrEqual(f.Pss!);
      }
  });
});

describe('A12: sums of meminfo in the lecture notes', () => {
  const sumOf = (text: string) => /^(\d+)\+(\d+)=(\d+)$/.exec(text)!.slice(1).map(Number) as [number, number, number];

  test.each([
    ['Active', 'Active(anon)', 'Active(file)'],
    ['Inactive', 'Inactive(anon)', 'Inactive(file)'],
    ['Slab', 'SReclaimable', 'SUnreclaim'],
  ] as const)('%s = %s + %s, theirs and ours', (label, first, second) => {
    const [a, b, sum] = sumOf(vectors().meminfo_identities[label]);
    expect(a + b).toBe(sum);
    const machine = bootFlat(1024, { disk: { files: [{ path: '/f', bytes: 1 << 20 }] } });
    const pid = spawn(machine);
    granted(machine, pid, { call: 'malloc', size: 300_000 });
    const addr = granted(machine, pid, { call: 'sbrk', increment: 40_960 }).addr as number;
    granted(machine, pid, { call: 'write', addr, length: 40_960 });
    const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
    for (let n = 0; n < 2; n++) granted(machine, pid, { call: 'pread', fd, offset: 0, length: 1 << 20 });
    granted(machine, 0, { call: 'kmalloc', size: 3000, gfp: 'GFP_KERNEL' });
    const own = parseMeminfo(cat(machine, '/proc/meminfo'));
    expect(own[label]).toBe(own[first]! + own[second]!);
    expect(own.Active! + own.Inactive! + own.Unevictable!).toBe(own.AnonPages! + own.Cached! + own.Buffers! + own.SwapCached!);
    expect(own.Active! + own.Slab!).toBeGreaterThan(0);
  });

  test('CommitLimit: half of MemTotal, in whole pages', () => {
    const [, total, limit] = /^floor\((\d+)\/4\*50\/100\)\*4=(\d+)$/.exec(vectors().meminfo_identities.CommitLimit)!.map(Number);
    const machine = boot();
    expect(commitLimit({ ...machine, zones: [{ ...machine.zones[0]!, managed: total! / 4 }] }) * 4).toBe(limit);
  });

  test('VmallocTotal of x86_64', () => {
    expect(parseMeminfo(cat(boot({ arch: 'x86_64' }), '/proc/meminfo')).VmallocTotal).toBe(vectors().meminfo_identities.VmallocTotal);
  });
});

describe('A13: free in the lecture notes', () => {
  test('used, and the line −/+ buffers/cache, from total, free, buffers and cached', () => {
    const { total, used, free, buffers, cached, minus_used, plus_free } = vectors().free_cmd;
    const none = { available: 0, shared: 0, reclaimable: 0, swapTotal: 0, swapFree: 0 };
    const low = { lowTotal: total, lowFree: free, highTotal: 0, highFree: 0 };
    const [, mem, cache] = freeOldText({ total, free, buffers, cached, ...none, ...low }).split('\n');
    expect(mem!.match(/\d+/g)!.map(Number)).toEqual([total, used, free, 0, buffers, cached]);
    expect(cache!.match(/\d+/g)!.map(Number)).toEqual([minus_used, plus_free]);
  });
});
