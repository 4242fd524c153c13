/**
 * The global descriptor table as Linux fills it: flat segments of base 0 that span everything, one pair for the kernel and
 * one for processes (arch/x86/kernel/cpu/common.c, gdt_page; arch/x86/include/asm/segment.h; spec §1).
 */
import { encode, LIMIT_MAX, type Words } from './desc.ts';

export interface Gdt {
  /** In bytes, less one, as GDTR has it. */
  readonly limit: number;
  readonly entries: ReadonlyMap<number, Words>;
  /** Selectors of the kernel's and of a process's segments. */
  readonly kernelCs: number;
  readonly kernelDs: number;
  readonly userCs: number;
  readonly userDs: number;
}

/** Code or data over all 4 GiB, accessed already. */
function flat(type: number, dpl: number, long = false): Words {
  const big = !long;
  return encode({ base: 0, limit: LIMIT_MAX, type, isSegment: true, dpl, present: true, available: false, long, big, granularity: true });
}

const CODE = 0xb;
const FLAT_DATA = 0x3;

/** 2.6.32 on i386: 32 entries. */
export const GDT_I386: Gdt = {
  limit: 32 * 8 - 1,
  entries: new Map([
    [12, flat(CODE, 0)],
    [13, flat(FLAT_DATA, 0)],
    [14, flat(CODE, 3)],
    [15, flat(FLAT_DATA, 3)],
  ]),
  kernelCs: 0x60,
  kernelDs: 0x68,
  userCs: 0x73,
  userDs: 0x7b,
};

/** x86-64: 16 entries; 0x23 is the code segment of 32-bit processes. */
export const GDT_X86_64: Gdt = {
  limit: 16 * 8 - 1,
  entries: new Map([
    [1, flat(CODE, 0)],
    [2, flat(CODE, 0, true)],
    [3, flat(FLAT_DATA, 0)],
    [4, flat(CODE, 3)],
    [5, flat(FLAT_DATA, 3)],
    [6, flat(CODE, 3, true)],
  ]),
  kernelCs: 0x10,
  kernelDs: 0x18,
  userCs: 0x33,
  userDs: 0x2b,
};
