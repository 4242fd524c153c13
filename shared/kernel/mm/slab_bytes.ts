/**
 * Bytes of kernel objects, by physical address, for those who write any: constructors, poison, red zones, __GFP_ZERO.
 * An object may lie across two frames. Where nothing was ever written, memory reads 0 and takes no room (mm/contents.ts).
 */
import { PAGE_SHIFT, PAGE_SIZE, type Addr, type Machine, type Pfn } from '../types.ts';
import { CONTENTS_PAGES_MAX, contentsOf } from './contents.ts';

/** May `pages` frames from here all get contents? */
export function hasRoomForContents(machine: Machine, pfn: Pfn, pages: number): boolean {
  const { contents } = machine;
  let missing = 0;
  for (let i = 0; i < pages; i++) if (!contents.has(pfn + i)) missing += 1;
  return contents.size + missing <= CONTENTS_PAGES_MAX;
}

/** Sets bytes; where there is no room for contents, they stay as they are. */
export function fillBytes(machine: Machine, phys: number, count: number, value: number): void {
  for (let at = phys, end = phys + count; at < end;) {
    const pfn = Math.floor(at / PAGE_SIZE);
    const stop = Math.min(end, (pfn + 1) * PAGE_SIZE);
    const held = value === 0 ? machine.contents.get(pfn) : contentsOf(machine, pfn);
    held?.fill(value, at % PAGE_SIZE, (at % PAGE_SIZE) + (stop - at));
    at = stop;
  }
}

export function byteAt(machine: Machine, phys: number): number {
  return machine.contents.get(Math.floor(phys / PAGE_SIZE))?.[phys % PAGE_SIZE] ?? 0;
}

/** Writes bytes of the kernel's own memory, as a driver with a wrong pointer does; false when there is no room for them. */
export function writeBytes(machine: Machine, phys: number, bytes: readonly number[]): boolean {
  const first = Math.floor(phys / PAGE_SIZE);
  const last = Math.floor((phys + bytes.length - 1) / PAGE_SIZE);
  if (!hasRoomForContents(machine, first, last - first + 1)) return false;
  for (let i = 0; i < bytes.length; i++) contentsOf(machine, Math.floor((phys + i) / PAGE_SIZE))![(phys + i) % PAGE_SIZE] = bytes[i]!;
  return true;
}

/** Place of the first of `count` bytes that is not `value`, −1 if all are (memchr_inv). */
export function firstOther(machine: Machine, phys: number, count: number, value: number): number {
  for (let i = 0; i < count; i++) if (byteAt(machine, phys + i) !== value) return phys + i;
  return -1;
}

/** A word of four bytes, lowest first. */
export function wordAt(machine: Machine, phys: number): number {
  let word = 0;
  for (let i = 3; i >= 0; i--) word = word * 256 + byteAt(machine, phys + i);
  return word;
}

export function setWord(machine: Machine, phys: number, word: number): void {
  writeBytes(machine, phys, [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, (word >>> 24) & 0xff]);
}

/** A pointer as the machine keeps it: as many bytes as its words have, those of the highest address last. */
export function pointerAt(machine: Machine, phys: number): Addr {
  const low = wordAt(machine, phys);
  if (machine.config.slab.word === 4) return low;
  const high = wordAt(machine, phys + 4);
  return (high >= 0x8000_0000 ? high - 0x1_0000_0000 : high) * 0x1_0000_0000 + low;
}

export function setPointer(machine: Machine, phys: number, addr: Addr): void {
  setWord(machine, phys, addr);
  if (machine.config.slab.word === 8) setWord(machine, phys + 4, Math.floor(addr / 0x1_0000_0000));
}

export const framesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);

/** The smallest order whose block holds so many bytes (get_order). */
export function getOrder(bytes: number): number {
  const pages = framesOf(bytes);
  let order = 0;
  for (let block = 1; block < pages; block *= 2) order += 1;
  return order;
}

export const pfnOf = (phys: number): Pfn => Math.floor(phys / PAGE_SIZE);
/** First physical byte of a frame. */
export const physOf = (pfn: Pfn): number => pfn * (1 << PAGE_SHIFT);
