/**
 * /proc/PID/pagemap as text (fs/proc/task_mmu.c, Documentation/admin-guide/mm/pagemap.rst): for each page with an entry its
 * address, the 64 bits that the kernel's file has for it, and what they say.
 */
// Simplified: the kernel's file is binary, 8 bytes for every page of the address space, empty ones among them.
import { addressDigits } from '../../arch/address.ts';
import { PTE, PTE_PFN_SHIFT } from '../../arch/mmu.ts';
import { HPAGE_PAGES } from '../../mm/huge_split.ts';
import { walkEntries } from '../../mm/pagewalk.ts';
import { PAGE_SIZE, PG, type Machine, type Task } from '../../types.ts';

/** Bits of the upper word: 63 present, 62 swapped, 61 of a file or shared memory, 56 mapped by nobody else. */
const HIGH = { present: 0x8000_0000, swapped: 0x4000_0000, file: 0x2000_0000, exclusive: 0x0100_0000 } as const;

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

function lineOf(machine: Machine, addr: number, pte: number): string {
  const { flags, mapcount } = machine.frames;
  const pfn = pte >>> PTE_PFN_SHIFT;
  const at = addressDigits(addr);
  if ((pte & PTE.present) === 0) return `${at} ${hex(HIGH.swapped)}${hex(pfn)} swapped\n`;
  if ((pte & PTE.special) !== 0) return `${at} ${hex(HIGH.present)}${hex(0)} present zero page\n`;
  const isObject = (flags[pfn]! & PG.shmem) !== 0;
  const isAlone = mapcount[pfn] === 1;
  const high = HIGH.present | (isObject ? HIGH.file : 0) | (isAlone ? HIGH.exclusive : 0);
  return `${at} ${hex(high)}${hex(pfn)} present${isObject ? ' file/shared' : ''}${isAlone ? ' exclusive' : ''} pfn ${pfn}\n`;
}

export function pagemap(machine: Machine, task: Task): string {
  const lines: string[] = [];
  const { words } = machine.tables;
  const see = (at: number, addr: number): number => lines.push(lineOf(machine, addr, words[at]!));
  // Each page of a huge one, as if it had an entry of its own.
  const seeHuge = (at: number, addr: number): void => {
    for (let i = 0; i < HPAGE_PAGES; i++) lines.push(lineOf(machine, addr + i * PAGE_SIZE, words[at]! + i * PAGE_SIZE));
  };
  for (const vma of task.mm.vmas) walkEntries(machine, task.mm, vma.start, vma.end, see, seeHuge);
  return lines.join('');
}
