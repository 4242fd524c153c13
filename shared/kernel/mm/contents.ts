/** What pages hold, where something was written by value; every other byte of memory reads 0. At most 16 MiB a machine. */
import { PAGE_SIZE, type Machine, type Pfn } from '../types.ts';

export const CONTENTS_PAGES_MAX = 4096;

/** Pages with contents, in memory, on the disk and in swap: a page that is in two places counts twice. */
export function contentsPages(machine: Machine): number {
  return machine.contents.size + (machine.disk?.storedPages ?? 0) + (machine.swap?.stored.size ?? 0);
}

/** The bytes of a frame, made when there were none; null when 4,096 frames have contents already. */
export function contentsOf(machine: Machine, pfn: Pfn): Uint8Array | null {
  const bytes = machine.contents.get(pfn);
  if (bytes) return bytes;
  if (contentsPages(machine) >= CONTENTS_PAGES_MAX) return null;
  const fresh = new Uint8Array(PAGE_SIZE);
  machine.contents.set(pfn, fresh);
  return fresh;
}

/** Gives `to` what `from` holds; false when there is no room for it. */
export function copyContents(machine: Machine, from: Pfn, to: Pfn): boolean {
  const source = machine.contents.get(from);
  if (!source) return true;
  const target = contentsOf(machine, to);
  if (!target) return false;
  target.set(source);
  return true;
}
