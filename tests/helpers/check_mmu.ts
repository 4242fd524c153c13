/** `checkMmu(m)`: what must be true of segment registers and tables between two calls. */
import type { Machine } from '#kernel/machine.ts';
import { decode, ENTRIES_MAX, isCode, isNull, isReadable, isWritable, TYPE } from '#kernel/arch/desc.ts';
import { REGISTERS, type Segments } from '#kernel/arch/segment.ts';
import { Broken } from './check.ts';

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

export function checkMmu(machine: Machine): void {
  for (const task of machine.tasks.values()) if (task.segments !== null) checkSegments(task.pid, task.segments);
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
