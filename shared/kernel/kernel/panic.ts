/**
 * The end of a machine (kernel/panic.c). From the panic on nothing changes any more: every call of everybody is answered
 * EIO, why PANIC with the kernel's last words, at no cost, and ticks go by without a trace. The state can still be
 * hashed, saved and looked at, as a screen still shows what a dead machine printed last.
 */
import { emit, FACT } from '../facts.ts';
import type { Machine, Panic, Refused } from '../types.ts';
import { printk } from './printk.ts';

/** Stops the machine. The call in hand unwinds as one that got no memory, and is then answered by `panicked`. */
export function panic(machine: Machine, message: string): void {
  printk(machine, `Kernel panic - not syncing: ${message}`);
  printk(machine, `---[ end Kernel panic - not syncing: ${message} ]---`);
  machine.panic = { at: machine.now, message };
  emit(machine.facts, FACT.kernelPanicked, machine.now, 0, 0);
}

/** The answer to every call from then on. */
export function panicked({ message }: Panic): Refused {
  return { ok: false, errno: 'EIO', why: { code: 'PANIC', message }, cost: 0 };
}
