/** pmap and pmap -x (procps): the areas of a process with their sizes, from /proc/PID/maps and smaps. */
import { areaName, areaSizes } from '../fs/proc/task_mmu.ts';
import { pagesOf, VM } from '../mm/vma.ts';
import type { Machine, Task, Vma } from '../types.ts';

const KB = 4;

/** rwx, s for shared, R where no memory was promised, and a place for lock that procps leaves empty. */
function mode({ flags }: Vma): string {
  const bit = (mask: number, letter: string) => (flags & mask ? letter : '-');
  return `${bit(VM.read, 'r')}${bit(VM.write, 'w')}${bit(VM.exec, 'x')}${bit(VM.shared, 's')}${bit(VM.noreserve, 'R')}`;
}

/** The last part of a file's path; what has none is anonymous, a stack apart. */
function mapping(machine: Machine, task: Task, vma: Vma): string {
  const name = areaName(machine, task.mm, vma);
  if (name.startsWith('/')) return name.slice(name.lastIndexOf('/') + 1);
  return name === '[stack]' ? '  [ stack ]' : '  [ anon ]';
}

/** The text of `pmap PID`, with `-x` of `pmap -x PID`. */
export function pmap(machine: Machine, task: Task, isExtended: boolean): string {
  const digits = task.mm.taskSize < 0x1_0000_0000 ? 8 : 16;
  const wide = digits === 16 ? 8 : 0;
  const address = (vma: Vma) => vma.start.toString(16).padStart(digits, '0');
  const number = (value: number, width = 7) => String(value).padStart(width);
  let text = `${task.pid}:   ${task.comm}\n`;
  if (isExtended) text += `${'Address'.padEnd(digits)}  Kbytes     RSS   Dirty Mode  Mapping\n`;
  const total = { kb: 0, rss: 0, dirty: 0 };
  for (const vma of task.mm.vmas) {
    const kb = pagesOf(vma) * KB;
    total.kb += kb;
    const name = mapping(machine, task, vma);
    if (!isExtended) {
      text += `${address(vma)} ${number(kb, 6)}K ${mode(vma)} ${name}\n`;
      continue;
    }
    const sizes = areaSizes(machine, task.mm, vma);
    const dirty = (sizes.sharedDirty + sizes.privateDirty) * KB;
    total.rss += sizes.rss * KB;
    total.dirty += dirty;
    text += `${address(vma)} ${number(kb)} ${number(sizes.rss * KB)} ${number(dirty)} ${mode(vma)} ${name}\n`;
  }
  if (!isExtended) return `${text} total ${number(total.kb, 8 + wide)}K\n`;
  const rule = `${'-'.repeat(digits)} ------- ------- ------- \n`;
  return `${text}${rule}total kB ${number(total.kb, 7 + wide)} ${number(total.rss)} ${number(total.dirty)}\n`;
}
