/** Pinning user pages for a device (mm/gup.c): a pinned page stays in its frame, whatever wants to move it. */
import { PAGE_SIZE, type Addr, type Machine, type Pfn, type Task } from '../types.ts';
import { frameAt } from '../arch/mmu.ts';
import { freePagesBlock } from './page_alloc.ts';

/** Pins the present page under `addr`. */
export function pinPage(machine: Machine, task: Task, addr: Addr): void {
  const pfn = frameAt(machine, task.mm, addr);
  const vpn = Math.floor(addr / PAGE_SIZE);
  machine.frames.refcount[pfn]! += 1;
  const pinned = task.pins.get(vpn);
  if (pinned) pinned.push(pfn);
  else task.pins.set(vpn, [pfn]);
}

function drop(machine: Machine, pfn: Pfn): void {
  machine.frames.refcount[pfn]! -= 1;
  if (machine.frames.refcount[pfn] === 0) freePagesBlock(machine, pfn, 0);
}

/** Takes one pin off each page of [first, last], numbers of virtual pages; false, and nothing done, when one has none. */
export function unpinPages(machine: Machine, task: Task, first: number, last: number): boolean {
  for (let vpn = first; vpn <= last; vpn++) if (!task.pins.has(vpn)) return false;
  for (let vpn = first; vpn <= last; vpn++) {
    const pinned = task.pins.get(vpn)!;
    drop(machine, pinned.pop()!);
    if (pinned.length === 0) task.pins.delete(vpn);
  }
  return true;
}

/** All pins of a process that ends. */
export function unpinAll(machine: Machine, task: Task): void {
  for (const pinned of task.pins.values()) for (const pfn of pinned) drop(machine, pfn);
  task.pins.clear();
}
