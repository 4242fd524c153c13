/** Machines for tests: `boot({…})` with sane defaults, and calls that must succeed or must be refused. */
import { firstFree } from '#kernel/mm/buddy.ts';
import { expect } from 'vitest';
import { type Call, type Granted, type Machine, type Refused, call, createMachine } from '#kernel/machine.ts';

/** Pid of the kernel itself, which is root and has no address space. */
export const KERNEL = 0;
export const PAGE = 4096;
export const KiB = 1024;
export const MiB = 1024 * 1024;

/** A machine of 16 MiB in one zone without watermarks: nothing but what a test asks for stands between a call and the buddy. */
const PLAIN = { frames: 4096, zones: { normal: 4096 }, mobility: false, minFreeKbytes: 0 };

/** `config` over the plain defaults; a config that names `frames` but no zones gets the kernel's own zones. */
export function boot(config: Record<string, unknown> = {}): Machine {
  const base: Record<string, unknown> = { ...PLAIN };
  if ('frames' in config) delete base.zones;
  return createMachine({ ...base, ...config });
}

/** One zone Normal of `frames` frames, no watermarks. */
export function bootFlat(frames: number, config: Record<string, unknown> = {}): Machine {
  return boot({ frames, zones: { normal: frames }, ...config });
}

export function granted(machine: Machine, pid: number, request: Call): Granted {
  const answer = call(machine, pid, request);
  expect(answer, `pid ${pid} ${JSON.stringify(request)}`).toMatchObject({ ok: true });
  return answer as Granted;
}

export function refused(machine: Machine, pid: number, request: Call): Refused {
  const answer = call(machine, pid, request);
  expect(answer, `pid ${pid} ${JSON.stringify(request)}`).toMatchObject({ ok: false });
  return answer as Refused;
}

export function cat(machine: Machine, path: string, pid = KERNEL): string {
  const { text } = granted(machine, pid, { call: 'cat', path });
  expect(text).toBeTypeOf('string');
  return text!;
}

export function spawn(machine: Machine): number {
  return granted(machine, KERNEL, { call: 'spawn' }).pid!;
}

export const RW = 'PROT_READ|PROT_WRITE';
export const PRIVATE = 'MAP_PRIVATE|MAP_ANONYMOUS';
export const SHARED = 'MAP_SHARED|MAP_ANONYMOUS';
export const FIXED = `${PRIVATE}|MAP_FIXED`;

/** Maps `pages` pages; the address. */
export function mmap(machine: Machine, pid: number, pages: number, prot = RW, flags = PRIVATE, addr?: number): number {
  const request = { call: 'mmap', length: pages * PAGE, prot, flags, ...(addr === undefined ? {} : { addr }) };
  return granted(machine, pid, request).addr as number;
}

/** Touches `pages` pages from an address; the faults that it took. */
export function touch(
  machine: Machine,
  pid: number,
  how: 'read' | 'write',
  addr: number,
  pages: number,
): { minor: number; major: number; cow: number } {
  return granted(machine, pid, { call: how, addr, length: pages * PAGE }).faults!;
}

export function allocPages(machine: Machine, pid: number, order: number, gfp = 'GFP_KERNEL'): number {
  return granted(machine, pid, { call: 'alloc_pages', order, gfp }).pfn!;
}

export function freePages(machine: Machine, pid: number, pfn: number, order: number): void {
  granted(machine, pid, { call: 'free_pages', pfn, order });
}

export function zoneNamed(machine: Machine, name: string): Machine['zones'][number] {
  const zone = machine.zones.find((candidate) => candidate.name === name);
  if (zone === undefined) throw new Error(`no zone ${name} in ${machine.zones.map((each) => each.name).join(', ')}`);
  return zone;
}

/** A free list of a zone from its head, as frame numbers; with migratetypes, those of all types one after the other. */
export function freeList(machine: Machine, zone: Machine['zones'][number], order: number): number[] {
  const list: number[] = [];
  for (let type = 0; type < zone.types; type++) {
    for (let pfn = firstFree(zone, order, type); pfn !== -1; pfn = machine.frames.links[2 * pfn]!) {
      list.push(pfn);
      if (list.length > machine.frames.count) throw new Error(`the free list of order ${order} is a circle`);
    }
  }
  return list;
}

/** All free lists of a zone, by order. */
export function freeLists(machine: Machine, name = 'Normal'): number[][] {
  const zone = zoneNamed(machine, name);
  return Array.from({ length: zone.maxOrder + 1 }, (_, order) => freeList(machine, zone, order));
}

export function freeIn(machine: Machine): number {
  return machine.zones.reduce((sum, zone) => sum + zone.free, 0);
}
