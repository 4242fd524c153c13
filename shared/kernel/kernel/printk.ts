/** The kernel's log (kernel/printk/printk.c): lines with the time since boot; the oldest go when there are too many. */
import type { Machine } from '../types.ts';

const KMSG_LINES = 2000;

/** Seconds since boot as the kernel prints them; a tick is 100 ms. */
function timestamp(ticks: number): string {
  return `${String(Math.floor(ticks / 10)).padStart(5)}.${ticks % 10}00000`;
}

/** Adds a line. */
export function printk(machine: Machine, line: string): void {
  machine.kmsg.push(`[${timestamp(machine.now)}] ${line}`);
  machine.kmsgLines += 1;
  if (machine.kmsg.length > KMSG_LINES) machine.kmsg.splice(0, machine.kmsg.length - KMSG_LINES);
}
