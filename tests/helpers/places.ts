/** Addresses for random calls: those that mean something to a process, and where its address space begins and ends. */
import type { Machine } from '#kernel/machine.ts';
import { PAGE } from './check_base.ts';
import { one, type Pick } from './chance.ts';

/** Where address spaces begin, end and change hands; of x86_64 with two addresses that are none, and the kernel's (kernel/arch/address.ts). */
const LANDMARKS = [0, 0x10000, 0x08048000, 0x40000000, 0xb8000000, 0xbffff000, 0xc0000000, 0xffffffff];
const TOY_LANDMARKS = [0, 0x1000, 0x2000, 0x6000, 0xc000, 0xf000, 0xffff, 0x10000, 0xc0000000];
const WIDE_LANDMARKS = [
  0,
  0x10000,
  0x400000,
  2 ** 32,
  0x2aaaaaaab000,
  0x555555559000,
  0x7ffff7fff000,
  0x7fffffffe000,
  0x7ffffffff000,
  2 ** 47,
];
WIDE_LANDMARKS.push(2 ** 50, -0x778000000000, -0x370000000000, -PAGE, -1);

const PLACES = { toy16: TOY_LANDMARKS, i386: LANDMARKS, x86_64: WIDE_LANDMARKS };

/** An address that means something to the process, often at or near the border of an area. */
export function someAddress(machine: Machine, pid: number, pick: Pick): number {
  const vmas = machine.tasks.get(pid)?.mm.vmas ?? [];
  if (vmas.length === 0 || pick(30) === 0) return one(PLACES[machine.config.arch], pick);
  const vma = one(vmas, pick);
  const page = vma.start + pick((vma.end - vma.start) / PAGE) * PAGE;
  return one(
    [
      vma.start,
      page,
      page,
      page,
      page + pick(PAGE),
      vma.end - PAGE,
      vma.end - 1,
      ...(pick(10) === 0 ? [vma.end, Math.max(0, vma.start - PAGE)] : [page]),
    ],
    pick,
  );
}

export const pageOf = (addr: number): number => Math.floor(addr / PAGE) * PAGE;
export const TOP = { toy16: 0xf000, i386: 0xbffff000, x86_64: 0x7fffffffe000 };
export const HEAP = { toy16: 0x2000, i386: 0x0804d000, x86_64: 0x555555559000 };
