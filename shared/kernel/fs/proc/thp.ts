/** /sys/kernel/mm/transparent_hugepage/enabled: who gets huge pages. */
import { THP_ENABLED } from '../../mm/huge_memory.ts';
import type { Machine } from '../../types.ts';

/** The choice stands in brackets; a kernel without huge pages has no such file. */
export function thpEnabled(machine: Machine): string | null {
  if (machine.config.arch !== 'x86_64' || machine.config.rules === '2.6.32') return null;
  return `${THP_ENABLED.map((word, place) => (place === machine.config.thpEnabled ? `[${word}]` : word)).join(' ')}\n`;
}
