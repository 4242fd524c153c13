/**
 * SLUB's debugging (mm/slub.c, CONFIG_SLUB_DEBUG; slab_debug=FZP): red zones on both sides of an object, poison in free ones, and
 * checks whenever an object is given out or comes back. What is wrong is told in the kernel's log, in the kernel's words, and
 * put right where that can be done.
 *
 *     | red zone | object … spare bytes of kmalloc | red zone | pointer to the next free object | padding |
 *
 * // Simplified: who allocated and freed an object, and when, is not kept (SLAB_STORE_USER); the size asked of kmalloc always is.
 * // Simplified: reports print at most 64 bytes of an object and no call trace.
 */
import { addressDigits } from '../arch/address.ts';
import type { Addr, Machine } from '../types.ts';
import { printk } from '../kernel/printk.ts';
import { byteAt, fillBytes, firstOther, physOf, pointerAt, setPointer } from './slab_bytes.ts';
import { askedFor, objectIndex, objectPhys, slabOf } from './slab_objects.ts';
import { HOLDER, SLAB, type Cache, type Slab } from './slab_types.ts';

const RED_INACTIVE = 0xbb;
const RED_ACTIVE = 0xcc;
const POISON_INUSE = 0x5a;
const POISON_FREE = 0x6b;
const POISON_END = 0xa5;
const SHOWN_BYTES = 64;
const LISTED_OBJECTS = 16;

/** Is the cache checked (kmem_cache_debug)? Then it has no slab of the CPU's own. */
export function isDebugged(cache: Cache): boolean {
  return (cache.flags & (SLAB.poison | SLAB.redZone)) !== 0;
}

const addressOf = (machine: Machine, phys: number): Addr => machine.config.layout.pageOffset + phys;
const hex = (value: number): string => `0x${value.toString(16)}`;
const pointer = (addr: Addr): string => `0x${addressDigits(addr)}`;

/** The head of a report (slab_bug). */
export function slabBug(machine: Machine, cache: Cache, what: string): void {
  const taint = machine.slab.errors > 0 ? 'Tainted: [B]=BAD_PAGE' : 'Not tainted';
  printk(machine, '=============================================================================');
  printk(machine, `BUG ${cache.name} (${taint}): ${what}`);
  printk(machine, '-----------------------------------------------------------------------------');
  machine.slab.errors += 1;
}

/** What was done about it (slab_fix). */
export function slabFix(machine: Machine, cache: Cache, what: string): void {
  printk(machine, `FIX ${cache.name}: ${what}`);
  machine.slab.errors += 1;
}

function printSlab(machine: Machine, cache: Cache, slab: Slab): void {
  const first = slab.free < 0 ? 0 : addressOf(machine, objectPhys(cache, slab, slab.free));
  const at = pointer(addressOf(machine, physOf(slab.pfn)));
  printk(machine, `Slab ${at} objects=${slab.objects} used=${slab.inuse} fp=${pointer(first)}`);
}

function printSection(machine: Machine, title: string, phys: number, count: number): void {
  for (let line = 0; line < count; line += 16) {
    const bytes: number[] = [];
    for (let i = line; i < Math.min(count, line + 16); i++) bytes.push(byteAt(machine, phys + i));
    const codes = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    const at = addressOf(machine, phys + line)
      .toString(16)
      .padStart(8, '0');
    printk(machine, `${title} ${at}: ${codes.padEnd(47)}  ${letters}`);
  }
}

/** Slab, object and what lies around it (print_trailer). */
function printTrailer(machine: Machine, cache: Cache, slab: Slab, phys: number): void {
  printSlab(machine, cache, slab);
  const next = pointer(pointerAt(machine, phys + cache.slub!.freePointer));
  printk(machine, `Object ${pointer(addressOf(machine, phys))} @offset=${phys - physOf(slab.pfn)} fp=${next}`);
  const hasRedZone = (cache.flags & SLAB.redZone) !== 0;
  if (hasRedZone) printSection(machine, 'Redzone ', phys - cache.offset, Math.min(cache.offset, SHOWN_BYTES));
  printSection(machine, 'Object  ', phys, Math.min(cache.objectSize, SHOWN_BYTES));
  if (hasRedZone) printSection(machine, 'Redzone ', phys + cache.objectSize, cache.inuse - cache.objectSize);
}

function objectError(machine: Machine, cache: Cache, slab: Slab, phys: number, what: string): void {
  slabBug(machine, cache, what);
  printTrailer(machine, cache, slab, phys);
}

function slabError(machine: Machine, cache: Cache, slab: Slab, what: string): void {
  slabBug(machine, cache, what);
  printSlab(machine, cache, slab);
}

/** Are all these bytes `value`? If not, says so and writes them anew (check_bytes_and_report). */
function checkBytes(
  machine: Machine,
  cache: Cache,
  slab: Slab,
  object: number,
  what: string,
  from: number,
  count: number,
  value: number,
): boolean {
  const fault = firstOther(machine, from, count, value);
  if (fault < 0) return true;
  let end = from + count;
  while (byteAt(machine, end - 1) === value) end -= 1;
  slabBug(machine, cache, `${what} overwritten`);
  const range = `${pointer(addressOf(machine, fault))}-${pointer(addressOf(machine, end - 1))}`;
  printk(machine, `${range} @offset=${fault - physOf(slab.pfn)}. First byte ${hex(byteAt(machine, fault))} instead of ${hex(value)}`);
  printTrailer(machine, cache, slab, object);
  restoreBytes(machine, cache, what, fault, end, value);
  return false;
}

function restoreBytes(machine: Machine, cache: Cache, what: string, from: number, to: number, value: number): void {
  slabFix(machine, cache, `Restoring ${what} ${pointer(addressOf(machine, from))}-${pointer(addressOf(machine, to - 1))}=${hex(value)}`);
  fillBytes(machine, from, to - from, value);
}

/** Writes the pointer to the next free object into a free one (set_freepointer). */
function setFreePointer(machine: Machine, cache: Cache, slab: Slab, index: number, next: number): void {
  const at = objectPhys(cache, slab, index) + cache.slub!.freePointer;
  setPointer(machine, at, next < 0 ? 0 : addressOf(machine, objectPhys(cache, slab, next)));
}

const INVALID = -2;

/** The next free object as the memory says: an index, −1 at the end, or INVALID. */
function readFreePointer(machine: Machine, cache: Cache, slab: Slab, index: number): number {
  const addr = pointerAt(machine, objectPhys(cache, slab, index) + cache.slub!.freePointer);
  if (addr === 0) return -1;
  const next = objectIndex(cache, slab, addr - machine.config.layout.pageOffset);
  return next < 0 ? INVALID : next;
}

/** Red zones and poison of an object that is given out (`active`) or free (init_object). */
function initObject(machine: Machine, cache: Cache, phys: number, active: boolean, asked: number): void {
  const red = active ? RED_ACTIVE : RED_INACTIVE;
  const hasRedZone = (cache.flags & SLAB.redZone) !== 0;
  const size = hasRedZone && active && cache.flags & SLAB.kmalloc ? asked : cache.objectSize;
  if (hasRedZone) fillBytes(machine, phys - cache.offset, cache.offset, red);
  if (cache.flags & SLAB.objectPoison) {
    fillBytes(machine, phys, size - 1, POISON_FREE);
    fillBytes(machine, phys + size - 1, 1, POISON_END);
  }
  if (hasRedZone) fillBytes(machine, phys + size, cache.inuse - size, red);
}

/** A new slab: all bytes in use as far as poison goes, then each object free (setup_slab_debug, setup_object_debug). */
export function setupSlabDebug(machine: Machine, cache: Cache, slab: Slab): void {
  if (cache.flags & SLAB.poison) fillBytes(machine, physOf(slab.pfn), physOf(1 << slab.order), POISON_INUSE);
  for (let index = 0; index < slab.objects; index++) {
    initObject(machine, cache, objectPhys(cache, slab, index), false, 0);
    setFreePointer(machine, cache, slab, index, slab.link[index]!);
  }
}

/** What lies after the last object of a slab (slab_pad_check). */
function checkSlabPadding(machine: Machine, cache: Cache, slab: Slab): void {
  const bytes = physOf(1 << slab.order);
  const rest = bytes % cache.size;
  if ((cache.flags & SLAB.poison) === 0 || rest === 0) return;
  const from = physOf(slab.pfn) + bytes - rest;
  const fault = firstOther(machine, from, rest, POISON_INUSE);
  if (fault < 0) return;
  let end = from + rest;
  while (byteAt(machine, end - 1) === POISON_INUSE) end -= 1;
  const range = `${pointer(addressOf(machine, fault))}-${pointer(addressOf(machine, end - 1))}`;
  slabError(machine, cache, slab, `Padding overwritten. ${range} @offset=${fault - physOf(slab.pfn)}`);
  restoreBytes(machine, cache, 'slab padding', fault, end, POISON_INUSE);
}

function checkRedZones(machine: Machine, cache: Cache, slab: Slab, index: number, active: boolean): boolean {
  const phys = objectPhys(cache, slab, index);
  const red = active ? RED_ACTIVE : RED_INACTIVE;
  const { objectSize, inuse } = cache;
  let isSound = checkBytes(machine, cache, slab, phys, 'Left Redzone', phys - cache.offset, cache.offset, red);
  isSound = checkBytes(machine, cache, slab, phys, 'Right Redzone', phys + objectSize, inuse - objectSize, red) && isSound;
  if (!active || (cache.flags & SLAB.kmalloc) === 0) return isSound;
  const asked = askedFor(cache, slab, index);
  return checkBytes(machine, cache, slab, phys, 'kmalloc Redzone', phys + asked, objectSize - asked, red) && isSound;
}

function checkPoison(machine: Machine, cache: Cache, slab: Slab, phys: number, active: boolean): boolean {
  const { objectSize } = cache;
  let isSound = true;
  if (!active && cache.flags & SLAB.objectPoison) {
    isSound = checkBytes(machine, cache, slab, phys, 'Poison', phys, objectSize - 1, POISON_FREE);
    isSound = checkBytes(machine, cache, slab, phys, 'End Poison', phys + objectSize - 1, 1, POISON_END) && isSound;
  }
  const after = cache.inuse + machine.config.slab.word;
  const padding = cache.size - cache.offset - after;
  return checkBytes(machine, cache, slab, phys, 'Object padding', phys + after, padding, POISON_INUSE) && isSound;
}

/** Is the object as it must be, given out or free (check_object)? */
function checkObject(machine: Machine, cache: Cache, slab: Slab, index: number, active: boolean): boolean {
  const phys = objectPhys(cache, slab, index);
  const { objectSize, inuse, flags } = cache;
  let isSound = true;
  if (flags & SLAB.redZone) isSound = checkRedZones(machine, cache, slab, index, active);
  else isSound = checkBytes(machine, cache, slab, phys, 'Alignment padding', phys + objectSize, inuse - objectSize, POISON_INUSE);
  if (flags & SLAB.poison) isSound = checkPoison(machine, cache, slab, phys, active) && isSound;
  const isPointerSafe = cache.slub!.freePointer >= inuse || !active;
  if (isPointerSafe && readFreePointer(machine, cache, slab, index) === INVALID) {
    objectError(machine, cache, slab, phys, 'Freepointer corrupt');
    setFreePointer(machine, cache, slab, index, -1);
    isSound = false;
  }
  return isSound;
}

/** Before a free object is given out; when it was written to, the rest of its slab is given up (alloc_debug_processing). */
export function allocDebug(machine: Machine, cache: Cache, slab: Slab, index: number, asked: number): boolean {
  checkSlabPadding(machine, cache, slab);
  if (checkObject(machine, cache, slab, index, false)) {
    initObject(machine, cache, objectPhys(cache, slab, index), true, asked);
    return true;
  }
  slabFix(machine, cache, 'Marking all objects used');
  for (let i = 0; i < slab.objects; i++) if (slab.holder[i] === HOLDER.none) slab.holder[i] = HOLDER.lost;
  slab.inuse = slab.objects;
  slab.free = -1;
  return false;
}

/** Before an object comes back; when it was written beyond, it is not freed (free_debug_processing). */
export function freeDebug(machine: Machine, cache: Cache, slab: Slab, index: number): boolean {
  checkSlabPadding(machine, cache, slab);
  const phys = objectPhys(cache, slab, index);
  if (checkObject(machine, cache, slab, index, true)) {
    initObject(machine, cache, phys, false, 0);
    return true;
  }
  slabFix(machine, cache, `Object at ${pointer(addressOf(machine, phys))} not freed`);
  return false;
}

/** An object has come back: it points to the one that was first in the slab's chain. */
export function linkDebug(machine: Machine, cache: Cache, slab: Slab, index: number): void {
  setFreePointer(machine, cache, slab, index, slab.link[index]!);
}

/** kfree of an object that is free already. */
export function reportDoubleFree(machine: Machine, cache: Cache, slab: Slab, index: number): void {
  const phys = objectPhys(cache, slab, index);
  objectError(machine, cache, slab, phys, 'Object already free');
  slabFix(machine, cache, `Object at ${pointer(addressOf(machine, phys))} not freed`);
}

/** kfree of an address within a slab where no object starts. */
export function reportInvalidPointer(machine: Machine, cache: Cache, slab: Slab, phys: number): void {
  const at = pointer(addressOf(machine, phys));
  slabError(machine, cache, slab, `Invalid object pointer ${at}`);
  slabFix(machine, cache, `Object at ${at} not freed`);
}

/** An empty slab that goes back to the buddy is looked at once more (free_slab). */
export function checkEmptySlab(machine: Machine, cache: Cache, slab: Slab): void {
  checkSlabPadding(machine, cache, slab);
  for (let index = 0; index < slab.objects; index++) checkObject(machine, cache, slab, index, false);
}

/** Follows the chain of free objects as the memory has it, and counts (on_freelist). */
function checkFreelist(machine: Machine, cache: Cache, slab: Slab): void {
  const reached = new Uint8Array(slab.objects);
  let counted = 0;
  for (let at = slab.free; at >= 0;) {
    reached[at] = 1;
    counted += 1;
    let next = readFreePointer(machine, cache, slab, at);
    const isFree = next < 0 || (reached[next] === 0 && slab.holder[next]! < 0 && slab.holder[next]! >= HOLDER.lost);
    if (next === INVALID || !isFree) {
      objectError(machine, cache, slab, objectPhys(cache, slab, at), 'Freechain corrupt');
      setFreePointer(machine, cache, slab, at, -1);
      next = -1;
    }
    slab.link[at] = next;
    at = next;
  }
  const used = slab.objects - counted;
  if (slab.inuse === used) return;
  slabError(machine, cache, slab, `Wrong object count. Counter is ${slab.inuse} but counted were ${used}`);
  slab.inuse = used;
  slabFix(machine, cache, 'Object count adjusted');
  for (let i = 0; i < slab.objects; i++) {
    const holder = slab.holder[i]!;
    if (holder === HOLDER.none || holder === HOLDER.lost) slab.holder[i] = reached[i] === 1 ? HOLDER.none : HOLDER.lost;
  }
}

/** Checks every slab on the partial list, as `echo 1 > /sys/kernel/slab/NAME/validate` does; the errors found (validate_slab_cache). */
export function validateSlabCache(machine: Machine, cache: Cache): number {
  const before = machine.slab.errors;
  for (let pfn = cache.slub!.partial.head; pfn >= 0;) {
    const slab = slabOf(machine, pfn);
    pfn = slab.next;
    checkSlabPadding(machine, cache, slab);
    checkFreelist(machine, cache, slab);
    for (let index = 0; index < slab.objects; index++) {
      const holder = slab.holder[index]!;
      if (!checkObject(machine, cache, slab, index, holder !== HOLDER.none)) break;
    }
  }
  return machine.slab.errors - before;
}

/** The objects that are still in use when their cache is destroyed (list_slab_objects). */
export function listSlabObjects(machine: Machine, cache: Cache, slab: Slab): void {
  slabError(machine, cache, slab, `Objects remaining in ${cache.name} on __kmem_cache_shutdown()`);
  let listed = 0;
  for (let index = 0; index < slab.objects && listed < LISTED_OBJECTS; index++) {
    if (slab.holder[index] === HOLDER.none) continue;
    const phys = objectPhys(cache, slab, index);
    printk(machine, `Object ${pointer(addressOf(machine, phys))} @offset=${phys - physOf(slab.pfn)}`);
    machine.slab.errors += 1;
    listed += 1;
  }
}
