/** translate: how the MMU sees an address, step by step. */
import { address, int, optional, word } from '../args.ts';
import { addressOut } from '../arch/address.ts';
import { customWalk, spaceEnd, type CustomMmu } from '../arch/custom_mmu.ts';
import { REGISTERS, type Register } from '../arch/segment.ts';
import { tableCost, translate } from '../arch/translate.ts';
import { faultCode } from '../arch/walk.ts';
import type { AccessKind } from '../mm/memory.ts';
import { VMSTAT } from '../mm/vmstat.ts';
import type { Addr, Answer, Machine, Task } from '../types.ts';
import { badArgument, granted } from './answer.ts';

export const translateArgs = {
  addr: address,
  access: word(['read', 'write', 'exec'] as const),
  ring: optional(int(0, 3)),
  segment: optional(word(REGISTERS)),
};

/** A machine of given tables: pages are there or not, and that is all. */
function customTranslate(mmu: CustomMmu, machine: Machine, addr: Addr, access: AccessKind, ring: number): Answer {
  const { steps, phys, value, tables } = customWalk(mmu, addr);
  if (phys >= 0) return granted({ linear: addr, phys, ...(value === undefined ? {} : { value }), steps, tables });
  const errorCode = faultCode(machine, false, access, ring);
  const fault = { vector: '#PF', errorCode, cr2: addr };
  return { ok: false, errno: 'EFAULT', why: { code: 'PAGE_FAULT', addr, errorCode }, fault, steps, tables, cost: 0 };
}

/** What the buffer has seen since it came into being. */
function tlbCounts({ tlb, vmstat }: Machine): Record<string, number> {
  const flushes = { flushAll: vmstat[VMSTAT.nr_tlb_local_flush_all]!, flushOne: vmstat[VMSTAT.nr_tlb_local_flush_one]! };
  return { hits: tlb?.hits ?? 0, misses: tlb?.misses ?? 0, held: tlb?.slots.size ?? 0, ...flushes };
}

/** `ring` is 3 for a process and 0 for the kernel, `segment` CS for instructions and DS for everything else, unless said otherwise. */
export function sysTranslate(
  machine: Machine,
  task: Task | null,
  addr: Addr,
  access: AccessKind,
  givenRing?: number,
  segment?: Register,
): Answer {
  const ring = givenRing ?? (task === null ? 0 : 3);
  const { custom } = machine.config;
  if (ring !== 0 && ring !== 3) return badArgument('ring', '0 or 3');
  if (custom !== null) {
    if (addr >= spaceEnd(custom)) return badArgument('addr', `below ${spaceEnd(custom)}`);
    // On toy16 a process has tables of its own; without one it is the example of the notes.
    if (task === null || machine.tables.levels !== 1) return customTranslate(custom, machine, addr, access, ring);
  }
  const { steps, linear, phys, fault, why } = translate(machine, task, addr, access, ring, segment ?? (access === 'exec' ? 'cs' : 'ds'));
  const tables = tableCost(machine, task);
  if (fault !== null) return { ok: false, errno: 'EFAULT', why: why!, fault, linear: addressOut(linear), steps, tables, cost: 0 };
  return granted({ linear: addressOut(linear), phys: phys < 0 ? null : phys, steps, tables, tlb: tlbCounts(machine) });
}
