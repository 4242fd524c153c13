/** Sections D, E and F of kernel_cow_experiment.txt, and the signals of kernel_experiments.json, played on a machine of ours. */
import { type Call, type Machine, call } from '#kernel/machine.ts';
import { PAGE, PRIVATE, RW, boot, granted, mmap, spawn, touch } from './boot.ts';
import { areaOf, smapsLine } from './experiments.ts';

const FILE = { path: '/data', bytes: 40 * PAGE };
export const withFile = (bytes = FILE.bytes): Machine => boot({ disk: { files: [{ path: FILE.path, bytes }] } });

const byteAt = (machine: Machine, pid: number, addr: number): number => granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes![0]!;
const letterAt = (machine: Machine, pid: number, addr: number): string => String.fromCharCode(byteAt(machine, pid, addr));
const poke = (machine: Machine, pid: number, addr: number, letter: string) =>
  granted(machine, pid, { call: 'poke', addr, bytes: [letter.charCodeAt(0)] });

/** Maps the file from its start, at `wish` where that is free. */
function mapFile(machine: Machine, pid: number, pages: number, kind: 'MAP_PRIVATE' | 'MAP_SHARED', wish = 0): number {
  const fd = granted(machine, pid, { call: 'open', path: FILE.path }).fd as number;
  return granted(machine, pid, { call: 'mmap', length: pages * PAGE, prot: RW, flags: kind, fd, offset: 0, addr: wish }).addr as number;
}

/** What a process that comes and goes reads in a page of the file. */
function inFile(machine: Machine, page: number): string {
  const reader = spawn(machine);
  const letter = letterAt(machine, reader, mapFile(machine, reader, 40, 'MAP_SHARED') + page * PAGE);
  granted(machine, reader, { call: 'exit' });
  return letter;
}

function segments(machine: Machine): string[] {
  const pid = spawn(machine);
  const shmid = granted(machine, pid, { call: 'shmget', key: 0, size: 10_000, shmflg: 'IPC_CREAT' }).shmid as number;
  const attach = (shmflg?: string) => granted(machine, pid, { call: 'shmat', shmid, ...(shmflg && { shmflg }) }).addr as number;
  const stat = () => call(machine, pid, { call: 'shmctl', shmid, cmd: 'IPC_STAT' }) as { ok: boolean; segsz?: number; nattch?: number };
  const m1 = attach();
  const m2 = attach('SHM_RDONLY');
  granted(machine, pid, { call: 'poke', addr: m1 + 5, bytes: [9] });
  const lines = [`shmget(10000): segment mapped twice, m2[5]=${byteAt(machine, pid, m2 + 5)}`];
  lines.push(`m1 ${smapsLine(areaOf(machine, pid, m1))} (kB)`, `m2 ${smapsLine(areaOf(machine, pid, m2))} (kB)`);
  lines.push(`shm_segsz=${stat().segsz} nattch=${stat().nattch}`);
  granted(machine, pid, { call: 'shmdt', addr: m2 });
  granted(machine, pid, { call: 'shmctl', shmid, cmd: 'IPC_RMID' });
  const still = byteAt(machine, pid, m1 + 5);
  lines.push(`after shmdt+IPC_RMID nattch=${stat().nattch} m1[5] still readable=${still} (destroyed only at last detach)`);
  granted(machine, pid, { call: 'shmdt', addr: m1 });
  lines.push(`after last shmdt IPC_STAT rc=${stat().ok ? 0 : -1}`);
  return lines;
}

function files(machine: Machine): string[] {
  const writer = spawn(machine);
  const written = mapFile(machine, writer, 40, 'MAP_SHARED');
  for (let page = 0; page < 40; page++) poke(machine, writer, written + page * PAGE, 'A');
  granted(machine, writer, { call: 'exit' });
  const pid = spawn(machine);
  // Fault-around maps what lies in one window of 16 pages: the program's mapping began with one.
  const p = mapFile(machine, pid, 40, 'MAP_PRIVATE', 0x50000000);
  const look = (label: string) => `${label} ${smapsLine(areaOf(machine, pid, p))} (kB)`;
  const lines = [`minflt for first read of 40-page cached private file map: ${touch(machine, pid, 'read', p, 1).minor}`];
  lines.push(look('private after 1 read (fault-around 16 pages)'));
  lines.push(`minflt for reading all 40: ${touch(machine, pid, 'read', p, 40).minor}`);
  poke(machine, pid, p, 'B');
  const s = mapFile(machine, pid, 40, 'MAP_SHARED', 0x60000000);
  lines.push(`after private write: file byte=${inFile(machine, 0)} shared view=${letterAt(machine, pid, s)}`);
  lines.push(look('private after 1 write'));
  poke(machine, pid, s + PAGE, 'C');
  lines.push(`after shared write: file byte=${inFile(machine, 1)} private view of that page=${letterAt(machine, pid, p + PAGE)}`);
  return lines;
}

function advice(machine: Machine): string[] {
  const pid = spawn(machine);
  const a = mmap(machine, pid, 64);
  touch(machine, pid, 'write', a, 64);
  granted(machine, pid, { call: 'poke', addr: a + 40 * PAGE, bytes: [4] });
  granted(machine, pid, { call: 'madvise', addr: a, length: 32 * PAGE, advice: 'MADV_DONTNEED' });
  return [
    `A after DONTNEED of 32 of 64 pages ${smapsLine(areaOf(machine, pid, a))} (kB)`,
    `a[0] reads ${byteAt(machine, pid, a)}, a[40*P] reads ${byteAt(machine, pid, a + 40 * PAGE)}`,
  ];
}

/** Every line that the program printed in its sections D, E and F, runs of spaces as one. */
export function objectExperiment(machine: Machine): string[] {
  return [
    'D. SysV shm',
    ...segments(machine),
    'E. private file mapping vs shared',
    ...files(machine),
    'F. madvise(MADV_DONTNEED)',
    ...advice(machine),
  ];
}

interface Access {
  prot?: string;
  /** Pages of the file to map in place of anonymous memory. */
  pages?: number;
  bytes?: number;
  wide?: boolean;
  request: (addr: number) => Call;
}

const read = (addr: number): Call => ({ call: 'read', addr, length: 1 });
const write = (addr: number): Call => ({ call: 'write', addr, length: 1 });
const RWX = 'PROT_READ|PROT_WRITE|PROT_EXEC';

/** `signals` of kernel_experiments.json: what each access did to its process. */
const ACCESSES: Readonly<Record<string, Access>> = {
  'read NULL': { request: () => read(0) },
  'write read-only vma': { prot: 'PROT_READ', request: write },
  'read read-only vma': { prot: 'PROT_READ', request: read },
  'read PROT_NONE': { prot: 'PROT_NONE', request: read },
  'kernel address': { request: () => read(0xc0100000) },
  'non canonical': { wide: true, request: () => read(2 ** 50) },
  'file map beyond EOF page (SIGBUS)': { pages: 2, bytes: 100, request: (addr) => read(addr + PAGE) },
  'exec NX page': { request: (addr) => ({ call: 'exec', addr }) },
  'exec RWX page': { prot: RWX, request: (addr) => ({ call: 'exec', addr }) },
};

function machineFor(access: Access): Machine {
  if (access.wide) return boot({ arch: 'x86_64' });
  return access.bytes === undefined ? boot() : withFile(access.bytes);
}

/** The signal and si_code of each, `exit0` where the process lived on; and the byte behind the end of a file's last page. */
export function signalExperiment(): Record<string, { outcome: string | number; siCode?: number }> {
  const seen: Record<string, { outcome: string | number; siCode?: number }> = {};
  for (const [name, access] of Object.entries(ACCESSES)) {
    const machine = machineFor(access);
    const pid = spawn(machine);
    const addr = access.pages ? mapFile(machine, pid, access.pages, 'MAP_SHARED') : mmap(machine, pid, 1, access.prot ?? RW, PRIVATE);
    const answer = call(machine, pid, access.request(addr));
    seen[name] = answer.ok ? { outcome: 'exit0' } : { outcome: answer.signal ?? 'refused', siCode: answer.si_code! };
  }
  const machine = withFile(100);
  const pid = spawn(machine);
  const tail = granted(machine, pid, { call: 'peek', addr: mapFile(machine, pid, 1, 'MAP_SHARED') + 200, length: 1 }).bytes![0]!;
  seen['file map in last page past EOF reads 0'] = { outcome: tail };
  return seen;
}
