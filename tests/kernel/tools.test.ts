/** free, top, ps, procrank, vmstat, dmesg: the formats of procps 4 (checked against a run of it) and of the lecture notes, and their numbers. */
import { describe, expect, test } from 'vitest';
import { call, hash, tick, type Machine } from '#kernel/machine.ts';
import { freeOldText, freeText, type MemoryNumbers } from '#kernel/tools/free.ts';
import { procrankText } from '#kernel/tools/procrank.ts';
import { KERNEL, PAGE, RW, SHARED, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { parseMeminfo, parseVmstat } from '../helpers/procText.ts';

const run = (machine: Machine, argv: string, pid = KERNEL) => granted(machine, pid, { call: 'run', argv: argv.split(' ') }).text!;
const rows = (text: string) => text.trimEnd().split('\n');
const cells = (line: string) => line.trim().split(/\s+/);

/** A machine with a file read and one written, shared and private memory. */
function busy() {
  const machine = bootFlat(4096, { disk: { files: [{ path: '/data', bytes: 60 * PAGE }] }, swap: { slots: 100 } });
  const pid = spawn(machine);
  touch(machine, pid, 'write', mmap(machine, pid, 12), 12);
  const addr = mmap(machine, pid, 12, RW, SHARED);
  touch(machine, pid, 'write', addr, 12);
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  touch(machine, child, 'read', addr, 9);
  const fd = granted(machine, pid, { call: 'open', path: '/data', flags: 'O_RDWR' }).fd as number;
  granted(machine, pid, { call: 'pread', fd, offset: 0, length: 30 * PAGE });
  granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: 5 * PAGE });
  return { machine, pid, child };
}

describe('free', () => {
  const NO_SWAP = { shared: 0, reclaimable: 0, swapTotal: 0, swapFree: 0, lowTotal: 0, lowFree: 0, highTotal: 0, highFree: 0 };
  /** The machine of the lecture notes (seed 000, §6). */
  const NOTES: MemoryNumbers = {
    ...NO_SWAP,
    total: 8045260,
    free: 168208,
    available: 4900000,
    buffers: 363780,
    cached: 4458548,
  };

  test('the old format: used 7877052, −/+ buffers/cache 3054724 and 4990536', () => {
    expect(freeOldText(NOTES)).toBe(
      '             total       used       free     shared    buffers     cached\n' +
        'Mem:       8045260    7877052     168208          0     363780    4458548\n' +
        '-/+ buffers/cache:    3054724    4990536\n' +
        'Swap:            0          0          0\n',
    );
  });

  test('the new format, as procps 4.0.2 printed it of a machine with 24 GB', () => {
    const real: MemoryNumbers = {
      ...NO_SWAP,
      total: 24684084,
      free: 23436860,
      available: 23866744,
      shared: 8872,
      buffers: 17720,
      cached: 600000,
      reclaimable: 133920,
    };
    expect(freeText(real)).toBe(
      '               total        used        free      shared  buff/cache   available\n' +
        'Mem:        24684084      817340    23436860        8872      751640    23866744\n' +
        'Swap:              0           0           0\n',
    );
    expect(freeText(real, { unit: String, wide: true, total: false, low: false })).toBe(
      '               total        used        free      shared     buffers       cache   available\n' +
        'Mem:        24684084      817340    23436860        8872       17720      733920    23866744\n' +
        'Swap:              0           0           0\n',
    );
  });

  test('its numbers are those of meminfo: used is what is not available, old used what is not free', () => {
    const { machine } = busy();
    const m = parseMeminfo(cat(machine, '/proc/meminfo'));
    const cache = m.Buffers! + m.Cached! + m.SReclaimable!;
    const [, mem, swap] = rows(run(machine, 'free'));
    expect(cells(mem!).slice(1).map(Number)).toEqual([
      m.MemTotal,
      m.MemTotal! - m.MemAvailable!,
      m.MemFree,
      m.Shmem,
      cache,
      m.MemAvailable,
    ]);
    expect(cells(swap!).slice(1).map(Number)).toEqual([400, 0, 400]);
    const old = rows(run(machine, 'free --old'));
    expect(cells(old[1]!).slice(1).map(Number)).toEqual([m.MemTotal, m.MemTotal! - m.MemFree!, m.MemFree, 0, m.Buffers, m.Cached]);
    expect(cells(old[2]!).slice(2).map(Number)).toEqual([
      m.MemTotal! - m.MemFree! - m.Buffers! - m.Cached!,
      m.MemFree! + m.Buffers! + m.Cached!,
    ]);
  });

  test('-b, -m, -g, -h, -t, -l', () => {
    const machine = bootFlat(65536, { zones: { dma: 4096, normal: 57344, highmem: 4096 }, swap: { slots: 25_600 } });
    const total = (argv: string) => cells(rows(run(machine, argv))[1]!)[1];
    expect([total('free -b'), total('free -k'), total('free -m'), total('free -g'), total('free -h')]).toEqual([
      '268435456',
      '262144',
      '256',
      '0',
      '256Mi',
    ]);
    expect(rows(run(machine, 'free -h')).at(-1)).toBe('Swap:          100Mi          0B       100Mi');
    expect(rows(run(machine, 'free -t -m')).at(-1)).toMatch(/^Total: {11}356 /);
    expect(rows(run(machine, 'free -l'))[2]).toBe('Low:          245760           0      245760');
    expect(rows(run(machine, 'free -l'))[3]).toBe('High:          16384           0       16384');
  });

  test('a machine of 2.6.32 has the old one only', () => {
    expect(run(bootFlat(256, { rules: '2.6.32' }), 'free')).toContain('-/+ buffers/cache:');
  });
});

describe('procrank', () => {
  const ROWS: [number, number, number, number, number, string][] = [
    [481, 31536, 30936, 14337, 9956, 'system_server'],
    [475, 26128, 26128, 10046, 5992, 'zygote'],
    [526, 25108, 25108, 9225, 5384, 'android.process.acore'],
    [523, 22388, 22388, 7166, 3432, 'com.android.phone'],
    [574, 21632, 21632, 6109, 2468, 'com.android.settings'],
    [521, 20816, 20816, 6050, 2776, 'jp.co.omronsoft.openwnn'],
    [474, 3304, 3304, 1097, 624, '/system/bin/mediaserver'],
    [37, 304, 304, 289, 288, '/sbin/adbd'],
    [29, 720, 720, 261, 212, '/system/bin/rild'],
    [601, 412, 412, 225, 216, 'procrank'],
    [1, 204, 204, 185, 184, '/init'],
    [35, 388, 388, 182, 172, '/system/bin/qemu-d'],
    [284, 384, 384, 160, 148, 'top'],
    [27, 376, 376, 148, 136, '/system/bin/vold'],
    [261, 332, 332, 123, 112, 'logcat'],
    [33, 396, 396, 105, 80, '/system/bin/keystore'],
    [32, 316, 316, 100, 88, '/system/bin/installd'],
    [269, 328, 328, 95, 72, '/system/bin/sh'],
    [26, 280, 280, 93, 84, '/system/bin/service-manager'],
    [45, 304, 304, 91, 80, '/system/bin/qemu-props'],
    [34, 324, 324, 91, 68, '/system/bin/sh'],
    [260, 324, 324, 91, 68, '/system/bin/sh'],
    [600, 324, 324, 91, 68, '/system/bin/sh'],
    [25, 308, 308, 88, 68, '/system/bin/sh'],
    [28, 232, 232, 67, 60, '/system/bin/debuggerd'],
  ];

  test('the 25 rows of the lecture notes: VSS ≥ RSS ≥ PSS ≥ USS, ΣPSS 56515K, ΣUSS 32836K', () => {
    const text = procrankText(
      ROWS.map(([pid, vss, rss, pss, uss, cmdline]) => ({
        pid,
        vss: vss * 1024,
        rss: rss * 1024,
        pss: pss * 1024,
        uss: uss * 1024,
        cmdline,
      })),
    );
    const lines = rows(text);
    expect(lines[0]).toBe('  PID       Vss      Rss      Pss      Uss  cmdline');
    expect(lines[1]).toBe('  481    31536K   30936K   14337K    9956K  system_server');
    expect(lines.at(-2)).toBe('                           ------   ------  ------');
    expect(lines.at(-1)).toBe('                           56515K   32836K  TOTAL');
    expect(lines.slice(1, -2).map((line) => cells(line).join(' '))).toEqual(
      ROWS.map(([pid, vss, rss, pss, uss, cmdline]) => `${pid} ${vss}K ${rss}K ${pss}K ${uss}K ${cmdline}`),
    );
  });

  test('process 1044 of the lecture notes: 4 pages by three, 5 by two, 6 alone are 4·⌊4096/3⌋ + 5·2048 + 6·4096 bytes', () => {
    const machine = bootFlat(1024);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 15, RW, SHARED);
    touch(machine, pid, 'write', addr, 15);
    const [two, three] = [1, 2].map(() => granted(machine, pid, { call: 'fork' }).pid!);
    touch(machine, two!, 'read', addr, 9);
    touch(machine, three!, 'read', addr, 4);
    const line = rows(run(machine, 'procrank'))[1]!;
    expect(cells(line)).toEqual(['2', '60K', '60K', `${Math.floor((4 * 1365 + 5 * 2048 + 6 * 4096) / 1024)}K`, '24K', 'proc2']);
    expect(run(machine, 'procrank')).toContain(`\nRAM: 4096K total, `);
  });

  test('sorted by PSS, or as asked; who has no memory is left out', () => {
    const machine = bootFlat(1024);
    const large = spawn(machine);
    mmap(machine, large, 50);
    const small = spawn(machine);
    touch(machine, small, 'write', mmap(machine, small, 5), 5);
    spawn(machine);
    const order = (argv: string) =>
      rows(run(machine, argv))
        .slice(1, 3)
        .map((line) => Number(cells(line)[0]));
    expect([order('procrank'), order('procrank -v'), order('procrank -u -R')]).toEqual([
      [small, large],
      [large, small],
      [large, small],
    ]);
  });
});

describe('ps', () => {
  test('columns as procps prints them', () => {
    const { machine, pid, child } = busy();
    const list = 'pid,ppid,uid,user,pcpu,pmem,vsz,rss,majflt,minflt,oom,oomadj,stat,tt,time,comm';
    expect(rows(run(machine, `ps -o ${list}`))[0]).toBe(
      '  PID  PPID   UID USER     %CPU %MEM    VSZ   RSS MAJFLT MINFLT  OOM OOMADJ STAT TT           TIME COMMAND',
    );
    expect(rows(run(machine, 'ps -o pid,ppid,vsz,rss,comm'))).toEqual([
      '  PID  PPID    VSZ   RSS COMMAND',
      `    ${pid}     0     96    96 proc2`,
      `    ${child}     ${pid}     96    84 proc2`,
    ]);
  });

  test('the notes’ sample, ps -o majflt,minflt', () => {
    const { machine, pid } = busy();
    const task = machine.tasks.get(pid)!;
    expect(rows(run(machine, `ps -o majflt,minflt,cmd -p ${pid}`))).toEqual([
      'MAJFLT MINFLT CMD',
      `${String(task.majFlt).padStart(6)} ${String(task.minFlt).padStart(6)} proc2`,
    ]);
  });

  test('aux, its sort by memory, and who runs it', () => {
    const machine = bootFlat(1024);
    const pids = [20, 40, 30].map((pages) => {
      const pid = spawn(machine);
      touch(machine, pid, 'write', mmap(machine, pid, pages), pages);
      return pid;
    });
    const lines = rows(run(machine, 'ps aux --sort=-rss', pids[0]));
    expect(lines[0]).toBe('USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND');
    expect(lines.slice(1).map((line) => Number(cells(line)[1]))).toEqual([pids[1], pids[2], pids[0]]);
    expect(lines[3]).toBe('root         2  0.0  1.9     80    80 ?        R    00:00   0:00 proc2');
    expect(rows(run(machine, 'ps'))[1]).toBe('    2 ?        00:00:00 proc2');
  });

  test('PSS, USS, oom_score and time', () => {
    const machine = bootFlat(2048, { costs: { area: 1_000_000 } });
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 6), 6);
    for (let n = 0; n < 2; n++) granted(machine, pid, { call: 'sbrk', increment: 0 });
    for (let n = 0; n < 100; n++) tick(machine);
    const line = cells(rows(run(machine, 'ps -o pss,uss,oom,oomadj,pcpu,time,etime'))[1]!);
    expect(line).toEqual(['24', '24', cat(machine, `/proc/${pid}/oom_score`).trim(), '0', '30.0', '00:00:03', '00:10']);
  });

  test.each(['ps -o', 'ps -o pid,colour', 'ps --sort comm', 'ps --sort=', 'ps -Z', 'ps -o constructor', 'ps --sort=-__proto__'])(
    '%s: EINVAL',
    (argv) => {
      expect(refused(bootFlat(64), KERNEL, { call: 'run', argv: argv.split(' ') })).toMatchObject({ errno: 'EINVAL', cost: 0 });
    },
  );
});

describe('top', () => {
  test('five lines, a blank one, the head, and rows as procps 4 prints them', () => {
    const { machine, pid } = busy();
    for (let n = 0; n < 36_005; n++) tick(machine);
    const lines = rows(run(machine, 'top -b -n 1 -o RES'));
    expect(lines[0]).toBe('top - 01:00:00 up  1:00,  0 user,  load average: 0.00, 0.00, 0.00');
    expect(lines[1]).toBe('Tasks:   2 total,   0 running,   2 sleeping,   0 stopped,   0 zombie');
    expect(lines[2]).toBe('%Cpu(s):  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st ');
    expect(lines[3]).toMatch(/^MiB Mem : {5}16\.0 total, {5}\d+\.\d free, {6}\d\.\d used, {6}\d\.\d buff\/cache {5}$/);
    expect(lines.slice(5, 7)).toEqual(['', '  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND']);
    expect(lines[7]).toBe(`    ${pid} root      20   0      96     96     48 S   0.0   0.5   0:00.00 proc2`);
    expect(lines).toHaveLength(9);
  });

  test('by %CPU, or by the field that is named', () => {
    const machine = bootFlat(1024, { costs: { minor_fault: 10_000 } });
    const [a, b] = [spawn(machine), spawn(machine)];
    touch(machine, b!, 'write', mmap(machine, b!, 9), 9);
    mmap(machine, a!, 90);
    tick(machine);
    const first = (argv: string) => Number(cells(rows(run(machine, argv))[7]!)[0]);
    expect([first('top'), first('top -o VIRT'), first('top -o %MEM'), first('top -b -n 1 -o PID')]).toEqual([b, a, b, b]);
    expect(refused(machine, KERNEL, { call: 'run', argv: ['top', '-n', '5'] }).errno).toBe('EINVAL');
  });
});

describe('vmstat', () => {
  test('the line of procps 4, its columns, and what meminfo says', () => {
    const { machine } = busy();
    for (let n = 0; n < 20; n++) tick(machine);
    const m = parseMeminfo(cat(machine, '/proc/meminfo'));
    const lines = rows(run(machine, 'vmstat'));
    expect(lines.slice(0, 2)).toEqual([
      'procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----',
      ' r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st',
    ]);
    expect(lines[2]).toMatch(/^ 0 {2}0 {6}0 {1,6}\d+ {1,6}\d+ {1,6}\d+ {4}0 {4}0 /);
    const values = cells(lines[2]!).map(Number);
    expect(values.slice(2, 6)).toEqual([0, m.MemFree, m.Buffers, m.Cached! + m.SReclaimable!]);
    expect(values).toHaveLength(17);
    expect(values[13]! + values[14]!).toBe(100);
    const active = cells(rows(run(machine, 'vmstat -a'))[2]!).map(Number);
    expect(active.slice(4, 6)).toEqual([m.Inactive, m.Active]);
  });

  test('rates are averages since boot, rounded', () => {
    const machine = bootFlat(256);
    machine.now = 30; // three seconds
    machine.vmstat.set([0], 0);
    expect(cells(rows(run(machine, 'vmstat'))[2]!).slice(6, 10)).toEqual(['0', '0', '0', '0']);
  });

  test('in and cs: interrupts and context switches a second, of which the timer alone makes 100', () => {
    const machine = bootFlat(256);
    const [a, b] = [spawn(machine), spawn(machine)];
    for (let n = 0; n < 10; n++) tick(machine);
    for (let n = 0; n < 7; n++) for (const pid of [a, b]) granted(machine, pid, { call: 'sbrk', increment: 0 });
    const inAndCs = () =>
      cells(rows(run(machine, 'vmstat'))[2]!)
        .slice(10, 12)
        .map(Number);
    expect(inAndCs()).toEqual([100, 14]);
    granted(machine, a, { call: 'dma_transfer', channel: 2, addr: 0x1000, count: 512, mode: 'single' });
    for (let n = 0; n < 10; n++) tick(machine);
    // 201 interrupts and 15 switches in two seconds, rounded.
    expect(inAndCs()).toEqual([101, 8]);
  });

  test('vmstat -s: the lines of procps 4, and what meminfo, vmstat and stat say', () => {
    const { machine, pid, child } = busy();
    for (let n = 0; n < 20; n++) tick(machine);
    for (const who of [pid, child, pid]) granted(machine, who, { call: 'sbrk', increment: 0 });
    machine.tasks.get(child)!.cpuUs += 123_456;
    const text = run(machine, 'vmstat -s');
    const CPU = ['non-nice user', 'nice user', 'system', 'idle', 'IO-wait', 'IRQ', 'softirq', 'stolen', 'non-nice guest', 'nice guest'];
    expect(text.split('\n').map((line) => line.replace(/^ *\d+ /, ''))).toEqual(
      [
        ['total', 'used', 'active', 'inactive', 'free', 'buffer'].map((kind) => `K ${kind} memory`),
        ['K swap cache', 'K total swap', 'K used swap', 'K free swap'],
        CPU.map((kind) => `${kind} cpu ticks`),
        ['K paged in', 'K paged out', 'pages swapped in', 'pages swapped out'],
        ['interrupts', 'CPU context switches', 'boot time', 'forks', ''],
      ].flat(),
    );
    const value = (what: string) => Number(new RegExp(`^ *(\\d+) ${what}$`, 'm').exec(text)![1]);
    for (const line of rows(text)) expect(line).toMatch(/^[ \d]{12}\d /);
    const m = parseMeminfo(cat(machine, '/proc/meminfo'));
    expect(['total', 'used', 'active', 'inactive', 'free', 'buffer'].map((kind) => value(`K ${kind} memory`))).toEqual([
      m.MemTotal,
      m.MemTotal! - m.MemAvailable!,
      m.Active,
      m.Inactive,
      m.MemFree,
      m.Buffers,
    ]);
    expect([value('K swap cache'), value('K total swap')]).toEqual([m.Cached! + m.SReclaimable!, 400]);
    const v = parseVmstat(cat(machine, '/proc/vmstat'));
    expect([value('K paged in'), value('K paged out'), value('pages swapped in')]).toEqual([v.pgpgin, v.pgpgout, v.pswpin]);
    const stat = cat(machine, '/proc/stat');
    expect(stat).toContain(`intr ${value('interrupts')}\nctxt ${value('CPU context switches')}\n`);
    expect(stat).toContain(`processes ${value('forks')}\n`);
    expect(value('system cpu ticks') + value('idle cpu ticks')).toBe(200);
    expect(stat).toMatch(new RegExp(`^cpu  0 0 ${value('system cpu ticks')} ${value('idle cpu ticks')} 0`));
    // What the dead have used stays used: the kernel's counters never go back.
    expect(value('system cpu ticks')).toBeGreaterThanOrEqual(12);
    for (const who of [pid, child]) granted(machine, KERNEL, { call: 'kill', target: who, sig: 9 });
    expect(cat(machine, '/proc/stat').split('\n')[0]).toBe(stat.split('\n')[0]);
    expect(refused(machine, KERNEL, { call: 'run', argv: ['vmstat', '-s', '-a'] }).errno).toBe('EINVAL');
  });
});

describe('dmesg', () => {
  test('is the kernel’s log', () => {
    const machine = bootFlat(256);
    spawn(machine);
    granted(machine, KERNEL, { call: 'sysrq', key: 'f' });
    expect(run(machine, 'dmesg')).toBe(cat(machine, '/proc/kmsg'));
    expect(run(machine, 'dmesg')).toContain('Out of memory: Killed process 2');
  });
});

test('running a program changes nothing, and an unknown one is ENOENT', () => {
  const { machine, pid } = busy();
  const before = hash(machine);
  for (const argv of ['free', 'free --old', 'top', 'ps aux', 'ps', 'vmstat', 'vmstat -s', 'procrank', 'dmesg', 'slabtop']) {
    for (const by of [KERNEL, pid]) run(machine, argv, by);
  }
  expect(hash(machine)).toBe(before);
  for (const name of ['sl', 'constructor', '__proto__', 'free ']) {
    expect(call(machine, pid, { call: 'run', argv: [name] })).toMatchObject({ errno: 'ENOENT', why: { code: 'NO_SUCH_FILE' } });
  }
  expect(refused(machine, pid, { call: 'run', argv: ['free', '--colour'] })).toMatchObject({
    errno: 'EINVAL',
    why: { code: 'BAD_ARGUMENT' },
  });
});
