/** The program of `x86_segment_experiment.txt`, on our descriptors: what LSL, LAR, VERR and VERW say in ring 3, and probes through FS. */
import { decode, effectiveLimit, encode, isCode, isConforming, isReadable, isWritable, rplOf, type Descriptor } from '#kernel/arch/desc.ts';
import { GDT_X86_64 } from '#kernel/arch/gdt.ts';
import { descriptorOf, flatSegments, segmentAccess, type Segments } from '#kernel/arch/segment.ts';

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** As the program asked for it: `useable` set, accessed by Linux. */
function descriptor(fields: Partial<Descriptor>): Descriptor {
  const plain = { base: 0, limit: 0xfff, type: 3, isSegment: true, dpl: 3, present: true, available: true };
  return { ...plain, long: false, big: true, granularity: false, ...fields };
}

const LDT: readonly [string, Partial<Descriptor>][] = [
  ['data rw byte limit 0xfff', {}],
  ['data rw G=1 limit 3 -> 0x3fff', { limit: 3, granularity: true }],
  ['flat G=1 limit 0xfffff', { limit: 0xfffff, granularity: true }],
  ['data read-only', { type: 1 }],
  ['data expand-down', { type: 7 }],
  ['code exec/read', { type: 11 }],
  ['code exec-only', { type: 9 }],
  ['not present', { present: false }],
];

const SELECTORS: readonly [string, number][] = [
  ['null selector', 0],
  ['kernel CS (DPL0)', 0x10],
  ['user32 CS', 0x23],
  ['user DS', 0x2b],
  ['user64 CS', 0x33],
  ['beyond GDT limit', 0xfffb],
  ...LDT.map(([name], n): [string, number] => [`LDT${n} ${name}`, n * 8 + 7]),
  ['LDT8 never installed', 0x47],
];

/** The instructions look at type and privilege, and not at the present bit (Intel SDM volume 2). */
function selectorLine(segments: Segments, name: string, selector: number): string {
  const words = selector <= 3 ? null : descriptorOf(segments, GDT_X86_64, selector);
  const found = words === null ? null : decode(words);
  const seen = found !== null && found.isSegment && (isConforming(found) || Math.max(3, rplOf(selector)) <= found.dpl) ? found : null;
  const limit = seen === null ? 0 : effectiveLimit(seen);
  const rights = seen === null ? 0 : words!.high & 0x00ffff00;
  const verr = seen !== null && isReadable(seen) ? 1 : 0;
  const verw = seen !== null && isWritable(seen) && !isCode(seen) ? 1 : 0;
  const says = seen === null ? 'fail' : 'ok';
  return `${name} sel=${hex(selector, 4)} LSL:${says} limit=${hex(limit, 8)} LAR:${says} ${hex(rights, 6)} verr=${verr} verw=${verw}`;
}

const PROBES: readonly [string, Partial<Descriptor>, number, number, 'read' | 'write'][] = [
  ['rw', { limit: 0xff }, 0xff, 1, 'read'],
  ['rw', { limit: 0xff }, 0x100, 1, 'read'],
  ['rw', { limit: 0xff }, 0xfc, 4, 'read'],
  ['rw', { limit: 0xff }, 0xfd, 4, 'read'],
  ['rw', { limit: 0xff }, 0, 4, 'write'],
  ['ro', { limit: 0xff, type: 1 }, 0x10, 4, 'read'],
  ['ro', { limit: 0xff, type: 1 }, 0x10, 4, 'write'],
  ['G=1', { limit: 0, granularity: true }, 0xfff, 1, 'read'],
  ['G=1', { limit: 0, granularity: true }, 0x1000, 1, 'read'],
  ['G=1', { limit: 1, granularity: true }, 0x1fff, 1, 'read'],
  ['G=1', { limit: 1, granularity: true }, 0x1ffd, 4, 'read'],
  ['expand-down', { limit: 0xff, type: 7 }, 0xff, 1, 'read'],
  ['expand-down', { limit: 0xff, type: 7 }, 0x100, 1, 'read'],
  ['expand-down', { limit: 0xff, type: 7 }, 0, 1, 'read'],
];

/** Its lines, without runs of blanks and without what only takes the selector apart. */
export function segmentExperiment(): string[] {
  const segments = flatSegments(GDT_X86_64);
  LDT.forEach(([, fields], entry) => segments.ldt.set(entry, encode(descriptor(fields))));
  segments.ldtEntries = LDT.length;
  const lines = SELECTORS.map(([name, selector]) => selectorLine(segments, name, selector));
  // The probes are made by 32-bit code: 64-bit code knows no limits.
  segments.registers.cs = { selector: 0x23, cache: descriptorOf(segments, GDT_X86_64, 0x23) };
  for (const [kind, fields, offset, size, access] of PROBES) {
    const probed = descriptor(fields);
    segments.registers.fs = { selector: 0x67, cache: encode(probed) };
    const { fault } = segmentAccess(segments, 'fs', offset, size, access);
    const outcome = fault === null ? 'OK' : `SIGSEGV(${fault.vector})`;
    lines.push(`${kind} limit=${hex(probed.limit, 8)} off=${hex(offset, 8)} size=${size} ${access} -> ${outcome}`);
  }
  return lines;
}
