/** Reads the texts of /proc back into numbers. Strict: what does not have the kernel's format is an error. */

/** `MemFree:   24161144 kB` → { MemFree: 24161144 } (kB). */
export function parseMeminfo(text: string): Record<string, number> {
  const fields: Record<string, number> = {};
  for (const line of linesOf(text)) {
    const found = /^([A-Za-z_()0-9]+):\s+(\d+)( kB)?$/.exec(line);
    if (found === null) throw new Error(`not a line of meminfo: ${JSON.stringify(line)}`);
    fields[found[1]!] = Number(found[2]);
  }
  return fields;
}

/** Zone name → free blocks by order. */
export function parseBuddyinfo(text: string): Record<string, number[]> {
  const zones: Record<string, number[]> = {};
  for (const line of linesOf(text)) {
    const found = /^Node 0, zone {1,8}(\S+) ((?: *\d+ )+)$/.exec(line);
    if (found === null) throw new Error(`not a line of buddyinfo: ${JSON.stringify(line)}`);
    zones[found[1]!] = found[2]!.trim().split(/ +/).map(Number);
  }
  return zones;
}

export interface MapsLine {
  start: number;
  end: number;
  perms: string;
  offset: number;
  name: string;
}

const MAPS_LINE = /^([0-9a-f]{8,})-([0-9a-f]{8,}) ([r-][w-][x-][ps]) ([0-9a-f]{8}) ([0-9a-f]{2,}):([0-9a-f]{2,}) (\d+) ( *)(.*)$/;

export function parseMapsLine(line: string): MapsLine {
  const found = MAPS_LINE.exec(line);
  if (found === null) throw new Error(`not a line of maps: ${JSON.stringify(line)}`);
  return {
    start: Number.parseInt(found[1]!, 16),
    end: Number.parseInt(found[2]!, 16),
    perms: found[3]!,
    offset: Number.parseInt(found[4]!, 16),
    name: found[9]!,
  };
}

export function parseMaps(text: string): MapsLine[] {
  return linesOf(text).map(parseMapsLine);
}

/** One area of smaps: its maps line and its fields in kB. */
export interface SmapsArea extends MapsLine {
  fields: Record<string, number>;
}

export function parseSmaps(text: string): SmapsArea[] {
  const areas: SmapsArea[] = [];
  for (const line of linesOf(text)) {
    const field = /^([A-Z][A-Za-z_]+): +(\d+)( kB)?$/.exec(line);
    if (field !== null) areas.at(-1)!.fields[field[1]!] = Number(field[2]);
    else if (!line.startsWith('VmFlags: ')) areas.push({ ...parseMapsLine(line), fields: {} });
  }
  return areas;
}

/** `VmRSS:\t    1640 kB` → { VmRSS: 1640 }; other lines as text. */
export function parseStatus(text: string): Record<string, number | string> {
  const fields: Record<string, number | string> = {};
  for (const line of linesOf(text)) {
    const found = /^([A-Za-z_]+):\t(.*)$/.exec(line);
    if (found === null) throw new Error(`not a line of status: ${JSON.stringify(line)}`);
    const size = /^ *(\d+) kB$/.exec(found[2]!);
    fields[found[1]!] = size === null ? found[2]! : Number(size[1]);
  }
  return fields;
}

export function parseVmstat(text: string): Record<string, number> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const found = /^([a-z0-9_]+) (\d+)$/.exec(line);
      if (found === null) throw new Error(`not a line of vmstat: ${JSON.stringify(line)}`);
      return [found[1]!, Number(found[2])];
    }),
  );
}

/** Lines of a text that ends with a newline, as every /proc file does. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error('a /proc file ends with a newline');
  return text.slice(0, -1).split('\n');
}
