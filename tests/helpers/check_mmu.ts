/** `checkMmu(m)`: what must be true of segment registers and tables between two calls. */
import type { Machine } from '#kernel/machine.ts';
import { decode, ENTRIES_MAX, isCode, isNull, isReadable, isWritable, TYPE } from '#kernel/arch/desc.ts';
import { REGISTERS, type Segments } from '#kernel/arch/segment.ts';
import { mmuOf, pteAt, PTE } from '#kernel/arch/mmu.ts';
import type { Tlb } from '#kernel/arch/tlb.ts';
import { Broken } from './check.ts';

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

export function checkMmu(machine: Machine): void {
  for (const task of machine.tasks.values()) if (task.segments !== null) checkSegments(task.pid, task.segments);
  if (machine.tlb !== null) checkTlb(machine, machine.tlb);
}

function checkSegments(pid: number, segments: Segments): void {
  for (const register of REGISTERS) {
    const { selector, cache } = segments.registers[register];
    const at = () => `pid ${pid}: ${register} = ${selector.toString(16)}`;
    must((cache === null) === isNull(selector), () => `${at()}: a null selector and an empty register go together`);
    if (cache === null) {
      must(register !== 'cs' && register !== 'ss', () => `${at()} is null`);
      continue;
    }
    const descriptor = decode(cache);
    must(descriptor.isSegment && descriptor.present, () => `${at()} holds what is no present segment`);
    must((descriptor.type & TYPE.accessed) !== 0, () => `${at()} was loaded and is not accessed`);
    const fits = register === 'cs' ? isCode(descriptor) : register === 'ss' ? isWritable(descriptor) : isReadable(descriptor);
    must(fits, () => `${at()} holds a segment of type ${descriptor.type}`);
    if (register === 'cs' || register === 'ss') must((selector & 3) === 3, () => `${at()} is not of ring 3`);
    if (register === 'ss') must(descriptor.dpl === 3, () => `${at()} is of ring ${descriptor.dpl}`);
  }
  let last = -1;
  for (const [entry, { low, high }] of segments.ldt) {
    must(Number.isInteger(low) && Number.isInteger(high) && low >= 0 && high >= 0, () => `pid ${pid}: entry ${entry} is no 8 bytes`);
    last = Math.max(last, entry);
  }
  must(segments.ldtEntries === last + 1 && last < ENTRIES_MAX, () => `pid ${pid}: the local table ends at ${segments.ldtEntries}`);
}

/** §19.6: no translation that a fresh walk would refuse, and none of another address space. */
function checkTlb(machine: Machine, tlb: Tlb): void {
  const { slots, entries, contexts } = tlb;
  const wide = 0x10_0000_0000;
  let large = 0;
  must(slots.size <= entries, () => `the TLB holds ${slots.size} translations, ${entries} at most`);
  for (const [key, entry] of slots) {
    if (entry.frames > 1) large += 1;
    if (key < 0) continue;
    const at = () => `the TLB's translation of page ${entry.vpn.toString(16)} of pid ${entry.pid}`;
    const asid = Math.floor(key / (2 * wide));
    must(contexts[asid] === entry.pid, () => `${at()}: address space ${asid} is pid ${contexts[asid]}'s`);
    const task = machine.tasks.get(entry.pid);
    must(task !== undefined, () => `${at()}: nobody has that pid`);
    const { mm } = task;
    must(entry.vpn * 4096 < mmuOf(machine).taskSize, () => `${at()} is the kernel's`);
    if (entry.frames > 1) continue;
    must(key % (2 * wide) === entry.vpn, () => `${at()} stands under ${key}`);
    const place = pteAt(machine, mm.pgd, entry.vpn * 4096);
    const pte = place < 0 ? 0 : machine.tables.words[place]!;
    must((pte & PTE.present) !== 0, () => `${at()}: the page is not there`);
    must(pte >>> 12 === entry.pfn, () => `${at()}: in frame ${entry.pfn}, the table says ${pte >>> 12}`);
    must(!entry.write || (pte & PTE.write) !== 0, () => `${at()} may be written, the table says no`);
    must(!entry.exec || (pte & machine.tables.noExec) === 0, () => `${at()} may be executed, the table says no`);
    must(!entry.dirty || (pte & PTE.dirty) !== 0, () => `${at()} is dirty, the table says no`);
  }
  must(large === tlb.large, () => `the TLB counts ${tlb.large} large pages, holds ${large}`);
}
