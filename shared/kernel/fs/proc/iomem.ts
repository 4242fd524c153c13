/** /proc/iomem (kernel/resource.c, r_show): who has which physical addresses; what lies within another stands two columns further right. */
import { ramRegions } from '../../kernel/resource.ts';
import { PAGE_SIZE, type Machine } from '../../types.ts';
import { askerName } from './vmallocinfo.ts';

const hex = (value: number): string => value.toString(16).padStart(8, '0');
const line = (depth: number, start: number, end: number, name: string): string =>
  `${'  '.repeat(depth)}${hex(start)}-${hex(end)} : ${name}\n`;

/** The kernel's image at the bottom, and what boot holds above it, are inside of the RAM. */
function children(machine: Machine): string {
  const { reserved } = machine.config;
  const { bootPages } = machine;
  const image = reserved > 0 ? line(1, 0, reserved * PAGE_SIZE - 1, 'Kernel code') : '';
  return bootPages > reserved ? `${image}${line(1, reserved * PAGE_SIZE, bootPages * PAGE_SIZE - 1, 'Reserved')}` : image;
}

export function iomem(machine: Machine): string {
  const lines = ramRegions(machine).map(({ start, end }) => ({
    start,
    text: line(0, start, end, 'System RAM') + (start === 0 ? children(machine) : ''),
  }));
  for (const { start, end, pid } of machine.iomem.regions) lines.push({ start, text: line(0, start, end, askerName(machine, pid)) });
  lines.sort((a, b) => a.start - b.start);
  return lines.map(({ text }) => text).join('');
}
