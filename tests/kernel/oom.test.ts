/** The OOM killer (mm/oom_kill.c; fidelity spec §13): whom it takes, when it is asked, and what it writes. */
import { describe, expect, test } from 'vitest';
import { call, type Machine } from '#kernel/machine.ts';
import { GFP_HIGHUSER_MOVABLE } from '#kernel/gfp.ts';
import { oomScore } from '#kernel/mm/oom_badness.ts';
import { allocPages as allocPagesOf, ASKER_KILLED } from '#kernel/mm/slowpath.ts';
import { PG } from '#kernel/types.ts';
import { KERNEL, PAGE, boot, bootFlat, cat, freeIn, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { parseVmstat } from '../helpers/procText.ts';

/** A process with `pages` resident pages (and its tables). */
function hog(machine: Machine, pages: number): number {
  const pid = spawn(machine);
  touch(machine, pid, 'write', mmap(machine, pid, pages), pages);
  return pid;
}

/** Takes all pages that the kernel may have, without asking the OOM killer. */
function fillMemory(machine: Machine): void {
  while (call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' }).ok);
}

const ask = (machine: Machine, gfp = 'GFP_KERNEL', order = 0, pid = KERNEL) => call(machine, pid, { call: 'alloc_pages', order, gfp });
const alive = (machine: Machine) => [...machine.tasks.keys()];
const kills = (machine: Machine) => parseVmstat(cat(machine, '/proc/vmstat')).oom_kill!;

describe('whom it takes', () => {
  test('the process with most pages, whoever asks', () => {
    const machine = bootFlat(256);
    const small = hog(machine, 20);
    const large = hog(machine, 60);
    const asker = hog(machine, 30);
    fillMemory(machine);
    expect(ask(machine, 'GFP_KERNEL', 0, asker)).toMatchObject({ ok: true });
    expect(alive(machine)).toEqual([small, asker]);
    expect(machine.tasks.has(large)).toBe(false);
    checkMachine(machine);
  });

  test('of equals the one that came later', () => {
    const machine = bootFlat(256);
    const first = hog(machine, 30);
    const second = hog(machine, 30);
    const third = hog(machine, 10);
    fillMemory(machine);
    ask(machine);
    expect(alive(machine)).toEqual([first, third]);
    expect(machine.tasks.has(second)).toBe(false);
  });

  test('page tables count: 512 pages spread over many tables outweigh as many in one', () => {
    const machine = bootFlat(256);
    const dense = hog(machine, 20);
    const sparse = spawn(machine);
    for (let n = 0; n < 19; n++)
      touch(
        machine,
        sparse,
        'write',
        mmap(machine, sparse, 1, 'PROT_READ|PROT_WRITE', 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED', 0x40000000 + n * 0x400000),
        1,
      );
    expect(dense).toBeLessThan(sparse);
    const late = hog(machine, 20); // comes later and has more resident pages, but fewer tables
    fillMemory(machine);
    ask(machine);
    expect(alive(machine)).toEqual([dense, late]);
  });

  test('oom_score_adj shifts by thousandths of all memory, rounded down first', () => {
    const machine = bootFlat(2500); // 2500 / 1000 = 2 pages a point
    const large = hog(machine, 500);
    const small = hog(machine, 100);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: small, value: 199 });
    fillMemory(machine);
    ask(machine); // 100 + 398 < 500
    expect(alive(machine)).toEqual([small]);
    expect(machine.tasks.has(large)).toBe(false);
  });

  test('one point more and the small one goes', () => {
    const machine = bootFlat(2500);
    const large = hog(machine, 500);
    const small = hog(machine, 100);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: small, value: 200 });
    fillMemory(machine);
    ask(machine);
    expect(alive(machine)).toEqual([large]);
  });

  test('−1000 is never taken; when nobody else is left the call fails with NO_VICTIM and nobody dies', () => {
    const machine = bootFlat(256);
    const immortal = hog(machine, 100);
    const other = hog(machine, 5);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: immortal, value: -1000 });
    fillMemory(machine);
    expect(ask(machine)).toMatchObject({ ok: true });
    expect(alive(machine)).toEqual([immortal]);
    expect(machine.tasks.has(other)).toBe(false);
    fillMemory(machine);
    expect(ask(machine)).toMatchObject({ ok: false, errno: 'ENOMEM', why: { code: 'NO_VICTIM', order: 0 } });
    expect(alive(machine)).toEqual([immortal]);
  });

  test('pid 1 is a process like any other', () => {
    const machine = bootFlat(256);
    const pid = 1;
    touch(machine, pid, 'write', mmap(machine, pid, 50), 50);
    fillMemory(machine);
    ask(machine);
    expect(alive(machine)).toEqual([]);
    expect(refused(machine, 1, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH' });
  });

  test('kernel memory of a process counts only with chargeKernel', () => {
    const outcome = (chargeKernel: boolean) => {
      const machine = bootFlat(256, { chargeKernel });
      const user = hog(machine, 40);
      const driver = spawn(machine);
      granted(machine, driver, { call: 'alloc_pages', order: 6, gfp: 'GFP_KERNEL' });
      fillMemory(machine);
      ask(machine);
      return machine.tasks.has(user) ? 'driver' : 'user';
    };
    expect(outcome(false)).toBe('user');
    expect(outcome(true)).toBe('driver');
  });

  test('the zero page and untouched memory count for nothing', () => {
    const machine = bootFlat(256);
    const reader = spawn(machine);
    touch(machine, reader, 'read', mmap(machine, reader, 200), 200);
    const writer = hog(machine, 10);
    fillMemory(machine);
    ask(machine);
    expect(alive(machine)).toEqual([reader]);
    expect(machine.tasks.has(writer)).toBe(false);
  });
});

describe('when it is asked', () => {
  const full = () => {
    const machine = boot({ frames: 256, zones: { dma: 64, normal: 192 } });
    hog(machine, 40);
    while (call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' }).ok);
    while (call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_DMA|__GFP_NORETRY' }).ok);
    return machine;
  };

  test.each(['GFP_KERNEL', 'GFP_USER', 'GFP_HIGHUSER', 'GFP_HIGHUSER_MOVABLE', 'GFP_KERNEL|__GFP_ZERO', 'GFP_KERNEL|__GFP_NOFAIL'])(
    '%s kills',
    (gfp) => {
      const machine = full();
      expect(ask(machine, gfp)).toMatchObject({ ok: true });
      expect(kills(machine)).toBe(1);
    },
  );

  test.each([
    'GFP_ATOMIC',
    'GFP_NOWAIT',
    'GFP_NOIO',
    'GFP_NOFS',
    'GFP_KERNEL|__GFP_NORETRY',
    'GFP_KERNEL|__GFP_RETRY_MAYFAIL',
    'GFP_DMA',
    'GFP_KERNEL|GFP_DMA',
  ])('%s fails instead', (gfp) => {
    const machine = full();
    expect(ask(machine, gfp)).toMatchObject({ ok: false, errno: 'ENOMEM', why: { code: 'LOW_MEMORY' } });
    expect(kills(machine)).toBe(0);
    expect(alive(machine)).toHaveLength(1);
  });

  test('orders above 3 fail rather than kill (PAGE_ALLOC_COSTLY_ORDER)', () => {
    const machine = bootFlat(256);
    hog(machine, 100);
    fillMemory(machine);
    expect(ask(machine, 'GFP_KERNEL', 4)).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(kills(machine)).toBe(0);
    expect(ask(machine, 'GFP_KERNEL', 3)).toMatchObject({ ok: true });
    expect(kills(machine)).toBe(1);
  });

  test('a page fault kills as well; the fault is then served', () => {
    const machine = bootFlat(256);
    const large = hog(machine, 100);
    const asker = spawn(machine);
    const addr = mmap(machine, asker, 10);
    fillMemory(machine);
    expect(touch(machine, asker, 'write', addr, 10)).toMatchObject({ minor: 10 });
    expect(alive(machine)).toEqual([asker]);
    expect(machine.tasks.has(large)).toBe(false);
    checkMachine(machine);
  });

  test('so does spawn, and the new process lives', () => {
    const machine = bootFlat(256);
    const large = hog(machine, 100);
    fillMemory(machine);
    const fresh = granted(machine, KERNEL, { call: 'spawn' }).pid!;
    expect(alive(machine)).toEqual([fresh]);
    expect(machine.tasks.has(large)).toBe(false);
    checkMachine(machine);
  });

  test('a promise never kills: mmap of more than is free is granted', () => {
    const machine = bootFlat(256);
    const pid = hog(machine, 200);
    mmap(machine, pid, 200);
    expect(kills(machine)).toBe(0);
  });
});

describe('the caller itself', () => {
  test('is killed when it is the worst: SIGKILL, no errno, why OOM_KILLED, and all it held is free', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 400, 'PROT_READ|PROT_WRITE', 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE');
    const answer = refused(machine, pid, { call: 'write', addr, length: 400 * PAGE });
    expect(answer).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_KILLED', badness: 254 + 2, order: 0 }, faults: { minor: 254 } });
    expect(answer).not.toHaveProperty('errno');
    expect(freeIn(machine)).toBe(256);
    expect(refused(machine, pid, { call: 'sbrk', increment: 0 })).toMatchObject({ errno: 'ESRCH' });
    checkMachine(machine);
  });

  test('by alloc_pages with chargeKernel', () => {
    const machine = bootFlat(64, { chargeKernel: true });
    const pid = spawn(machine);
    let answer = ask(machine, 'GFP_KERNEL', 0, pid);
    while (answer.ok) answer = ask(machine, 'GFP_KERNEL', 0, pid);
    expect(answer).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_KILLED', badness: 64 } });
    expect(freeIn(machine)).toBe(64);
  });

  test('in the middle of a fork: no half-made child is left behind', () => {
    const machine = bootFlat(512);
    const pid = hog(machine, 100);
    for (let n = 1; n <= 40; n++)
      touch(
        machine,
        pid,
        'write',
        mmap(machine, pid, 1, 'PROT_READ|PROT_WRITE', 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED', 0x20000000 + n * 0x400000),
        1,
      );
    while (freeIn(machine) > 20) granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' });
    expect(refused(machine, pid, { call: 'fork' })).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_KILLED' } });
    expect(alive(machine)).toEqual([]);
    checkMachine(machine);
  });

  test('a fork that kills somebody else goes on', () => {
    const machine = bootFlat(512);
    const parent = hog(machine, 50);
    for (let n = 1; n <= 20; n++)
      touch(
        machine,
        parent,
        'write',
        mmap(machine, parent, 1, 'PROT_READ|PROT_WRITE', 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED', 0x20000000 + n * 0x400000),
        1,
      );
    const large = hog(machine, 150);
    while (freeIn(machine) > 5) granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' });
    const child = granted(machine, parent, { call: 'fork' }).pid!;
    expect(alive(machine)).toEqual([parent, child]);
    expect(machine.tasks.has(large)).toBe(false);
    checkMachine(machine);
  });
});

describe('/proc/PID/oom_score', () => {
  const scoreOf = (machine: Machine, pid: number) => Number(cat(machine, `/proc/${pid}/oom_score`));

  // Source: oom_score of a process on Linux 6.18 with totalpages 6171023: [RSS pages, page tables in kB, adj, oom_score].
  const MEASURED = [
    [384, 44, [666, 667, 733, 833, 1000, 1266, 1332, 1333]],
    [16768, 172, [668, 668, 734, 834, 1001, 1268, 1334, 1334]],
    [65920, 556, [673, 674, 740, 840, 1006, 1273, 1339, 1340]],
    [262528, 2096, [694, 695, 761, 861, 1028, 1294, 1360, 1361]],
  ] as const;
  const ADJUSTMENTS = [0, 1, 100, 250, 500, 900, 999, 1000];

  test.each(MEASURED)('32 measured rows: RSS %i pages, tables %i kB', (rss, tablesKb, scores) => {
    const machine = boot();
    const task = machine.tasks.get(spawn(machine))!;
    const zone = { ...machine.zones[0]!, managed: 6171023 };
    const asMeasured = (adj: number) => ({ ...task, oomScoreAdj: adj, mm: { ...task.mm, rssAnon: rss, tables: tablesKb / 4 } });
    expect(ADJUSTMENTS.map((adj) => oomScore({ ...machine, zones: [zone] }, asMeasured(adj)))).toEqual(scores);
  });

  test('an idle process of a large machine: 666, and 1333 with +1000; −1000 reads 0', () => {
    const machine = bootFlat(65536);
    const pid = spawn(machine);
    expect(cat(machine, `/proc/${pid}/oom_score`)).toBe('666\n');
    const adjusted = (value: number) => {
      granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value });
      return scoreOf(machine, pid);
    };
    expect([adjusted(1000), adjusted(500), adjusted(-1000), adjusted(-500)]).toEqual([1327, 996, 0, 336]);
  });

  test('a constructed state: (1000 + badness·1000/total)·2/3 with every division rounded down', () => {
    const machine = bootFlat(3000);
    const pid = hog(machine, 1234);
    // RSS 1234, directory and 2 tables (1,234 pages from 0xb8000000 down span 2), adj 77 × (3000/1000).
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: 77 });
    const badness = 1234 + machine.tasks.get(pid)!.mm.tables + 77 * 3;
    expect(scoreOf(machine, pid)).toBe(Math.trunc(((1000 + Math.trunc((badness * 1000) / 3000)) * 2) / 3));
  });

  test('oom_adj reads 0, 1, 4, 8, 15 for 0, 100, 250, 500, 900, and 15 for 999 and 1000 (Linux 6.18)', () => {
    const machine = boot();
    const pid = spawn(machine);
    const reads = [0, 100, 250, 500, 900, 999, 1000, -1000, -500].map((value) => {
      granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value });
      return cat(machine, `/proc/${pid}/oom_adj`);
    });
    expect(reads).toEqual(['0\n', '1\n', '4\n', '8\n', '15\n', '15\n', '15\n', '-17\n', '-8\n']);
  });
});

describe('the report in /proc/kmsg', () => {
  const report = () => {
    const machine = bootFlat(256);
    const small = hog(machine, 3);
    const victim = hog(machine, 60);
    granted(machine, victim, { call: 'oom_score_adj', target: victim, value: 300 });
    const shared = mmap(machine, victim, 4, 'PROT_READ|PROT_WRITE', 'MAP_SHARED|MAP_ANONYMOUS');
    touch(machine, victim, 'write', shared, 4);
    fillMemory(machine);
    ask(machine);
    return { machine, small, victim, text: cat(machine, '/proc/kmsg') };
  };

  test('names the victim with its sizes, in the kernel’s words', () => {
    const { victim, text } = report();
    expect(text).toMatch(
      new RegExp(
        `^\\[ *\\d+\\.\\d{6}\\] Out of memory: Killed process ${victim} \\([^)]*\\) total-vm:256kB, anon-rss:240kB, file-rss:0kB, shmem-rss:16kB, UID:0 pgtables:8kB oom_score_adj:300$`,
        'm',
      ),
    );
  });

  test('shows who asked, the zones with their lists, and the table of processes', () => {
    const { small, victim, text } = report();
    expect(text).toMatch(/invoked oom-killer: gfp_mask=0xcc0\(GFP_KERNEL\), order=0, oom_score_adj=0$/m);
    expect(text).toMatch(/^\[ *\d+\.\d{6}\] Node 0 Normal free:0kB .*min:0kB low:0kB high:0kB.* managed:1024kB/m);
    expect(text).toMatch(
      /Node 0 Normal: 0\*4kB 0\*8kB 0\*16kB 0\*32kB 0\*64kB 0\*128kB 0\*256kB 0\*512kB 0\*1024kB 0\*2048kB 0\*4096kB = 0kB$/m,
    );
    expect(text).toMatch(/lowmem_reserve\[\]: 0$/m);
    expect(text).toContain(
      '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
    );
    const row = (pid: number) => text.split('\n').find((line) => new RegExp(`\\] \\[ *${pid}\\]`).test(line))!;
    // mm/oom_kill.c: "[%7d] %5d %5d %8lu %8lu %8lu %8lu %9lu %8ld %8lu         %5hd %s"
    expect(row(victim)).toMatch(
      new RegExp(`\\] \\[ {6}${victim}\\] {5}0 {5}${victim} {7}64 {7}64 {7}60 {8}0 {9}4 {5}8192 {8}0 {11}300 \\S+$`),
    );
    expect(row(small)).toMatch(new RegExp(`\\] \\[ {6}${small}\\] {5}0 {5}${small} {8}3 {8}3 {8}3 {8}0 {9}0 {5}8192 {8}0 {13}0 \\S+$`));
  });

  test('the lines carry the time since boot, 100 ms a tick', () => {
    const machine = bootFlat(64);
    hog(machine, 20);
    fillMemory(machine);
    ask(machine);
    expect(cat(machine, '/proc/kmsg')).toMatch(/^\[ {4}0\.000000\] /);
  });
});

test('who was killed within the call in hand is given no page for the rest of it', () => {
  const machine = bootFlat(256);
  const pid = spawn(machine);
  granted(machine, KERNEL, { call: 'kill', target: pid, sig: 9 });
  machine.kills.push({ pid, badness: 1, rss: 1, order: 0, freePages: 0 });
  expect(allocPagesOf(machine, 0, GFP_HIGHUSER_MOVABLE, pid, PG.anon)).toBe(ASKER_KILLED);
  machine.kills.length = 0;
  checkMachine(machine);
});
