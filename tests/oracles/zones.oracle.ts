/** Watermarks, reserves and free lists of real machines: a live Linux 6.18 and published dumps of 32-bit ones. */
import { describe, expect, test } from 'vitest';
import { createMachine } from '#kernel/machine.ts';
import { minFreeKbytes, setupZones } from '#kernel/mm/mmzone.ts';
import type { Zone } from '#kernel/types.ts';
import { cat } from '../helpers/boot.ts';
import { linesOf, parseBuddyinfo } from '../helpers/procText.ts';
import { oracle } from './files.ts';

/** Zones of these sizes with the kernel's own marks; as many frames as real machines have do not fit one of ours, so no frames. */
function zonesOf(managed: readonly [Zone['name'], number][], kbytes: number, rules = '6.x'): Zone[] {
  const { zones, config } = createMachine({
    frames: 64 * managed.length,
    zones: { dma: 64, normal: 64, ...(managed.length > 2 ? { highmem: 64 } : {}) },
    mobility: false,
    rules,
  });
  const sized = managed.map(([name, pages], n) => ({ ...zones[n]!, name, managed: pages }));
  setupZones({ zones: sized, config: { ...config, minFreeKbytes: kbytes } });
  return sized;
}

interface LiveZone {
  name: string;
  managed: number;
  free: number;
  marks: number[];
  protection: number[];
}

function liveZones(): LiveZone[] {
  return oracle('proc/zoneinfo.txt')
    .split(/^(?=Node 0, zone)/m)
    .filter((text) => text.startsWith('Node'))
    .map((text) => {
      const number = (label: string) => Number(new RegExp(`^ +${label} +(\\d+)$`, 'm').exec(text)![1]);
      return {
        name: /zone +(\S+)/.exec(text)![1]!,
        managed: number('managed'),
        free: number('pages free'),
        marks: ['min', 'low', 'high', 'promo'].map(number),
        protection: /protection: \((.*)\)/.exec(text)![1]!.split(', ').map(Number),
      };
    });
}

describe('a live machine: DMA, DMA32, Normal with 3840, 772917, 688128 pages, min_free_kbytes 67584', () => {
  const ours = () => {
    const live = liveZones().filter((zone) => zone.managed > 0);
    const kbytes = Number(/^min_free_kbytes = (\d+)/m.exec(oracle('proc/sys_vm.txt'))![1]);
    return {
      live,
      zones: zonesOf(
        live.map(({ name, managed }) => [name as Zone['name'], managed]),
        kbytes,
      ),
    };
  };

  test('min, low and high of each zone, and promo one step above', () => {
    const { live, zones } = ours();
    expect(live).toHaveLength(3);
    for (const [n, zone] of zones.entries()) {
      const { min, low, high } = zone.watermark;
      expect([zone.name, min, low, high, high + (high - low)]).toEqual([live[n]!.name, ...live[n]!.marks]);
    }
  });

  test('protection', () => {
    const { live, zones } = ours();
    for (const [n, zone] of zones.entries()) expect(zone.lowmemReserve).toEqual(live[n]!.protection.slice(0, 3));
  });

  test('without huge pages min_free_kbytes would be 4·√(lowmem kB)', () => {
    const { zones } = ours();
    const lowmemKb = zones.reduce((sum, zone) => sum + zone.managed * 4, 0);
    expect(minFreeKbytes(zones)).toBe(Math.floor(Math.sqrt(lowmemKb * 16)));
  });

  test('our zoneinfo has the lines of the real one, in its order, where it has them at all', () => {
    const shape = (text: string) => linesOf(text).map((line) => line.replace(/\([\d, ]+\)/, '(9)').replace(/\d+$/, '9'));
    const theirs = shape(oracle('proc/zoneinfo.txt').split(/^(?=Node 0, zone)/m)[0]!);
    const machine = createMachine({ frames: 1024, mobility: false });
    const own = shape(cat(machine, '/proc/zoneinfo').split(/^(?=Node 0, zone)/m)[0]!);
    expect(own).toEqual(theirs.filter((line) => own.includes(line)));
  });
});

describe('published dumps of 32-bit machines', () => {
  const text = () => oracle('published/x86_32_highmem_zone_dumps.txt');

  test('D3 (4.x, min_free_kbytes 43204): min, low, high and lowmem_reserve, within a thousandth (a page)', () => {
    const part = text().slice(text().indexOf('[D3]'), text().indexOf('[D4]'));
    const rows = [...part.matchAll(/^(\w+) +min (\d+) +low (\d+) +high (\d+) +managed (\d+) +lowmem_reserve ([\d ]+)$/gm)];
    expect(rows).toHaveLength(3);
    const zones = zonesOf(
      rows.map((row) => [row[1] as Zone['name'], Number(row[5]) / 4]),
      43204,
    );
    for (const [n, row] of rows.entries()) {
      const { min, low, high } = zones[n]!.watermark;
      const theirs = [row[2], row[3], row[4]].map((kb) => Number(kb) / 4);
      // The marks were computed at boot and `managed` printed later, when some pages had moved: a thousandth of difference is allowed.
      for (const [k, mine] of [min, low, high].entries())
        expect(Math.abs(mine - theirs[k]!), `${row[1]} ${k}`).toBeLessThanOrEqual(theirs[k]! / 1000);
      for (const [k, pages] of zones[n]!.lowmemReserve.entries())
        expect(Math.abs(pages - Number(row[6]!.split(' ')[k])), `${row[1]} reserve ${k}`).toBeLessThanOrEqual(1);
    }
  });

  test('D1 (2.6.2x): min, low, high and lowmem_reserve, exactly, by the rules of 2.6.32', () => {
    const part = text().slice(text().indexOf('[D1]'), text().indexOf('# buddy lines'));
    const rows = [...part.matchAll(/^(\w+) +min (\d+) +low (\d+) +high (\d+) +present (\d+) +lowmem_reserve ([\d ]+)$/gm)];
    expect(rows).toHaveLength(3);
    const zones = zonesOf(
      rows.map((row) => [row[1] as Zone['name'], Number(row[5]) / 4]),
      3816,
      '2.6.32',
    );
    for (const [n, row] of rows.entries()) {
      const { min, low, high } = zones[n]!.watermark;
      expect([min, low, high].map((pages) => pages * 4)).toEqual(row.slice(2, 5).map(Number));
      expect(zones[n]!.lowmemReserve).toEqual(row[6]!.split(' ').map(Number).slice(0, 3));
    }
    expect(minFreeKbytes(zones)).toBe(3816);
  });

  test('D1: a line of free lists sums up to what it says, as our report’s do', () => {
    const lines = [...text().matchAll(/^(\w+): ((?:\d+\*\d+kB ?)+)= (\d+)kB$/gm)];
    expect(lines).toHaveLength(3);
    for (const [, , parts, total] of lines) {
      const sum = [...parts!.matchAll(/(\d+)\*(\d+)kB/g)].reduce((kb, [, blocks, size]) => kb + Number(blocks) * Number(size), 0);
      expect(sum).toBe(Number(total));
    }
  });
});

describe('proc/buddyinfo.txt', () => {
  test('our reader reads the real file, and its blocks are zoneinfo’s free pages (two of three zones: the third moved between the reads)', () => {
    const zones = parseBuddyinfo(oracle('proc/buddyinfo.txt'));
    const free = Object.fromEntries(liveZones().map((zone) => [zone.name, zone.free]));
    const sums = Object.fromEntries(
      Object.entries(zones).map(([name, blocks]) => [name, blocks.reduce((sum, count, order) => sum + count * 2 ** order, 0)]),
    );
    expect(sums.DMA).toBe(free.DMA);
    expect(sums.DMA32).toBe(free.DMA32);
    expect(sums.Normal).toBe(557404);
  });

  test('a line of ours has the length and columns of a line of theirs', () => {
    const theirs = linesOf(oracle('proc/buddyinfo.txt'))[0]!;
    const own = linesOf(cat(createMachine({ frames: 1024, mobility: false }), '/proc/buddyinfo'))[0]!;
    expect(own.replaceAll(/\d/g, '9').replace(/zone +\w+/, 'zone')).toHaveLength(
      theirs.replaceAll(/\d/g, '9').replace(/zone +\w+/, 'zone').length,
    );
    expect(own.slice(0, 22)).toBe(theirs.slice(0, 22));
  });
});
