/**
 * From a logical address to a physical one, every step told (spec §1, §2): the segment, the translation cache, each level of the
 * tables, the frame; or the fault, and what the kernel would do about it. Nothing is accessed and no fault is taken: the
 * accessed and dirty bits stay as they are.
 */
import { faultPath } from '../mm/fault_path.ts';
import type { AccessKind } from '../mm/memory.ts';
import { PAGE_SIZE, type Addr, type Machine, type Task } from '../types.ts';
import type { Why } from '../why.ts';
import { addressOut, isCanonical } from './address.ts';
import { decode, effectiveLimit, indexOf, typeName } from './desc.ts';
import { mmuOf } from './mmu.ts';
import { flatSegments, gdtOf, segmentAccess, type Register, type Segments } from './segment.ts';
import type { ProcessorFault, Step, TableCost } from './steps.ts';
import { createTlb, lookup, TLB_DEFAULT, useTlb } from './tlb.ts';
import { allows, faultCode, find, type Translation } from './walk.ts';

export interface Translated {
  steps: Step[];
  linear: Addr;
  /** −1 where a fault stopped it, or for the shared zero page. */
  phys: number;
  fault: ProcessorFault | null;
  why: Why | null;
}

/** What ring 0 works with: the kernel's own flat segments. */
function kernelSegments(machine: Machine): Segments {
  const gdt = gdtOf(machine.config.arch);
  const segments = flatSegments(gdt);
  const cache = { ...gdt.entries.get(indexOf(gdt.kernelDs))! };
  for (const register of ['ss', 'ds', 'es', 'fs', 'gs'] as const) segments.registers[register] = { selector: gdt.kernelDs, cache };
  segments.registers.cs = { selector: gdt.kernelCs, cache: { ...gdt.entries.get(indexOf(gdt.kernelCs))! } };
  return segments;
}

function segmentStep(
  segments: Segments,
  register: Register,
  offset: Addr,
  linear: Addr,
  fault: ProcessorFault | null,
  long: boolean,
): Step {
  const { selector, cache } = segments.registers[register];
  if (long) return { step: 'segment', register, selector, offset: addressOut(offset), long, linear: addressOut(linear) };
  if (cache === null) return { step: 'segment', register, selector, offset: addressOut(offset), base: null, limit: null };
  const descriptor = decode(cache);
  return {
    step: 'segment',
    register,
    selector,
    offset: addressOut(offset),
    base: descriptor.base,
    limit: effectiveLimit(descriptor),
    type: typeName(descriptor),
    dpl: descriptor.dpl,
    ...(fault === null ? { linear: addressOut(linear) } : {}),
  };
}

/** The exception itself: ring 3 is left through the table of interrupts, the error code and CR2 tell why. */
function exceptionStep(fault: ProcessorFault, ring: number): Step {
  return { step: 'exception', ...fault, from: ring, to: 0 };
}

function generalProtection(translated: Translated, ring: number, fault: ProcessorFault, why: Why): Translated {
  const signal = fault.vector === '#GP' ? 'SIGSEGV' : 'SIGBUS';
  translated.steps.push(exceptionStep(fault, ring), ring === 3 ? { step: 'force_sig', signal } : { step: 'oops' });
  return { ...translated, fault, why };
}

/** The buffer first; where it holds nothing, or a write finds its page clean, the tables. */
function throughTlb(
  machine: Machine,
  task: Task | null,
  linear: Addr,
  access: AccessKind,
  ring: number,
  steps: Step[],
): Translation | null {
  const { tlb } = machine;
  const held = tlb === null ? undefined : lookup(machine, tlb, task?.pid ?? 0, linear);
  const hit = held !== undefined && allows(held, access, ring);
  steps.push({ step: 'tlb', page: addressOut(Math.floor(linear / PAGE_SIZE) * PAGE_SIZE), hit, ...(hit ? { frames: held.frames } : {}) });
  return hit && (access !== 'write' || held.dirty) ? held : find(machine, task?.mm ?? null, linear, steps);
}

/** One byte at `offset` of the segment in `register`, as seen by `ring`. */
export function translate(
  machine: Machine,
  task: Task | null,
  offset: Addr,
  access: AccessKind,
  ring: number,
  register: Register,
): Translated {
  const segments = ring === 0 ? kernelSegments(machine) : (task?.segments ?? flatSegments(gdtOf(machine.config.arch)));
  const { linear, fault, long } = segmentAccess(segments, register, offset, 1, access);
  const result: Translated = {
    steps: [segmentStep(segments, register, offset, linear, fault, long)],
    linear,
    phys: -1,
    fault: null,
    why: null,
  };
  if (fault) return generalProtection(result, ring, { vector: fault.vector, errorCode: fault.errorCode }, fault.why);
  if (long && !isCanonical(linear))
    return generalProtection(result, ring, { vector: '#GP', errorCode: 0 }, { code: 'NOT_CANONICAL', addr: linear });
  const found = throughTlb(machine, task, linear, access, ring, result.steps);
  if (found !== null && allows(found, access, ring)) {
    useTlb(machine, (machine.tlb ??= createTlb(machine.config.tlb ?? TLB_DEFAULT)), task?.mm ?? null, linear, access, ring);
    const within = ((linear % (found.frames * PAGE_SIZE)) + found.frames * PAGE_SIZE) % (found.frames * PAGE_SIZE);
    const phys = found.zeroPage ? -1 : found.pfn * PAGE_SIZE + within;
    result.steps.push({
      step: 'page',
      pfn: found.zeroPage ? null : found.pfn,
      bytes: found.frames * PAGE_SIZE,
      offset: within,
      phys: phys < 0 ? null : phys,
    });
    return { ...result, phys };
  }
  const errorCode = faultCode(machine, found !== null, access, ring);
  const pageFault: ProcessorFault = { vector: '#PF', errorCode, cr2: addressOut(linear) };
  result.steps.push(exceptionStep(pageFault, ring), ...faultPath(machine, task, linear, access, ring));
  return { ...result, fault: pageFault, why: { code: 'PAGE_FAULT', addr: linear, errorCode } };
}

/** One table for all of a process's addresses, beside the tables that it has. */
export function tableCost(machine: Machine, task: Task | null): TableCost {
  const mmu = mmuOf(machine);
  const spans = mmu.levels.reduce((product, { bits }) => product * (1 << bits), 1);
  return { oneLevelBytes: spans * mmu.pteBytes, treeBytes: (task?.mm.tables ?? 0) * PAGE_SIZE };
}
