/**
 * SLAB's debugging (mm/slab.c of 2.6.32, CONFIG_DEBUG_SLAB): a red zone of eight bytes on each side of an object, poison in free
 * ones. It says what is wrong in the kernel's words and goes on.
 */
import { addressDigits } from '../arch/address.ts';
import { printk } from '../kernel/printk.ts';
import type { Machine } from '../types.ts';
import { byteAt, fillBytes, writeBytes } from './slab_bytes.ts';
import { SLAB, type Cache } from './slab_types.ts';

const POISON_INUSE = 0x5a;
const POISON_FREE = 0x6b;
const POISON_END = 0xa5;
/** RED_INACTIVE and RED_ACTIVE of include/linux/poison.h, as 16 hex digits. */
const RED_INACTIVE = '09f911029d74e35b';
const RED_ACTIVE = 'd84156c5635688c0';
const REDZONE_BYTES = 8;
const LINES_MAX = 5;

export function isDebuggedSlab(cache: Cache): boolean {
  return (cache.flags & (SLAB.poison | SLAB.redZone)) !== 0;
}

const pointer = (machine: Machine, phys: number): string => addressDigits(machine.config.layout.pageOffset + phys);

function readRedZone(machine: Machine, phys: number): string {
  let digits = '';
  for (let i = REDZONE_BYTES - 1; i >= 0; i--)
    digits += byteAt(machine, phys + i)
      .toString(16)
      .padStart(2, '0');
  return digits;
}

function writeRedZones(machine: Machine, cache: Cache, phys: number, value: string): void {
  const bytes: number[] = [];
  for (let i = REDZONE_BYTES - 1; i >= 0; i--) bytes.push(Number.parseInt(value.slice(2 * i, 2 * i + 2), 16));
  writeBytes(machine, phys - REDZONE_BYTES, bytes);
  writeBytes(machine, secondRedZone(cache, phys), bytes);
}

/** The last eight bytes of an object's place. */
const secondRedZone = (cache: Cache, phys: number): number => phys - cache.offset + cache.size - REDZONE_BYTES;

/** An error is told with the function that found it (slab_error). */
export function slabError(machine: Machine, cache: Cache, from: string, what: string): void {
  printk(machine, `slab error in ${from}(): cache \`${cache.name}': ${what}`);
  machine.slab.errors += 1;
}

function printRedZones(machine: Machine, cache: Cache, phys: number): void {
  const first = readRedZone(machine, phys - REDZONE_BYTES).replace(/^0+(?=.)/, '');
  const second = readRedZone(machine, secondRedZone(cache, phys)).replace(/^0+(?=.)/, '');
  printk(machine, `${pointer(machine, phys - cache.offset)}: redzone 1:0x${first}, redzone 2:0x${second}`);
}

function poison(machine: Machine, cache: Cache, phys: number, value: number): void {
  fillBytes(machine, phys, cache.inuse - 1, value);
  fillBytes(machine, phys + cache.inuse - 1, 1, POISON_END);
}

/** A new object, free (cache_init_objs). */
export function initSlabObject(machine: Machine, cache: Cache, phys: number): void {
  if (cache.flags & SLAB.poison) poison(machine, cache, phys, POISON_FREE);
  if (cache.flags & SLAB.redZone) writeRedZones(machine, cache, phys, RED_INACTIVE);
}

/** Lines of 16 bytes that are no longer poison (check_poison_obj). */
function checkPoison(machine: Machine, cache: Cache, phys: number): void {
  const size = cache.inuse;
  let lines = 0;
  for (let i = 0; i < size && lines <= LINES_MAX; i++) {
    if (byteAt(machine, phys + i) === (i === size - 1 ? POISON_END : POISON_FREE)) continue;
    if (lines === 0) {
      printk(machine, `Slab corruption: ${cache.name} start=${pointer(machine, phys)}, len=${size}`);
      machine.slab.errors += 1;
    }
    i -= i % 16;
    const bytes: string[] = [];
    for (let at = i; at < Math.min(i + 16, size); at++)
      bytes.push(
        byteAt(machine, phys + at)
          .toString(16)
          .padStart(2, '0'),
      );
    printk(machine, `${i.toString(16).padStart(3, '0')}: ${bytes.join(' ')}`);
    i += 15;
    lines += 1;
  }
}

/** An object is given out (cache_alloc_debugcheck_after). */
export function allocChecked(machine: Machine, cache: Cache, phys: number): void {
  if (cache.flags & SLAB.poison) {
    checkPoison(machine, cache, phys);
    poison(machine, cache, phys, POISON_INUSE);
  }
  if ((cache.flags & SLAB.redZone) === 0) return;
  const first = readRedZone(machine, phys - REDZONE_BYTES);
  if (first !== RED_INACTIVE || readRedZone(machine, secondRedZone(cache, phys)) !== RED_INACTIVE) {
    slabError(machine, cache, 'cache_alloc_debugcheck_after', 'double free, or memory outside object was overwritten');
    printRedZones(machine, cache, phys);
  }
  writeRedZones(machine, cache, phys, RED_ACTIVE);
}

/** An object comes back (cache_free_debugcheck). */
export function freeChecked(machine: Machine, cache: Cache, phys: number): void {
  if (cache.flags & SLAB.redZone) {
    const first = readRedZone(machine, phys - REDZONE_BYTES);
    if (first !== RED_ACTIVE || readRedZone(machine, secondRedZone(cache, phys)) !== RED_ACTIVE) {
      slabError(machine, cache, 'verify_redzone_free', 'memory outside object was overwritten');
      printRedZones(machine, cache, phys);
    }
    writeRedZones(machine, cache, phys, RED_INACTIVE);
  }
  if (cache.flags & SLAB.poison) poison(machine, cache, phys, POISON_FREE);
}

/** kfree of an object that is free already (verify_redzone_free). */
export function reportSlabDoubleFree(machine: Machine, cache: Cache, phys: number): void {
  if ((cache.flags & SLAB.redZone) === 0) return;
  slabError(machine, cache, 'verify_redzone_free', 'double free detected');
  printRedZones(machine, cache, phys);
}
