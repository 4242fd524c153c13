/** Objects a slab and pages a slab of every cache of a real kernel (6.18, x86-64, 2 CPUs) and of a published SLAB machine (2.6.1x, x86-32). */
import { describe, expect, test } from 'vitest';
import {
  arrayLimits,
  calculateAlignment,
  calculateOrder,
  calculateOrder26,
  slabLayout,
  slubLayout,
  slubLimits,
} from '#kernel/mm/slab_geometry.ts';
import { SLAB } from '#kernel/mm/slab_types.ts';
import { boot, granted, KERNEL } from '../helpers/boot.ts';
import { oracle } from './files.ts';

const CPUS = 2;
const MAX_ORDER = 10;
const PAGE = 4096;
/** Of x86-64, where the live data come from. */
const WORD = 8;

const lines = (name: string): string[] =>
  oracle(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('slabinfo'));

interface Sysfs {
  name: string;
  objectSize: number;
  size: number;
  align: number;
  objects: number;
  order: number;
  minPartial: number;
  cpuPartial: number;
  hwcacheAlign: boolean;
  freedByRcu: boolean;
}

const CACHES: Sysfs[] = lines('slab/sysfs_slab_caches.txt').map((line) => {
  const [name, ...cells] = line.trim().split(/\s+/);
  const [objectSize, size, align, objects, order, minPartial, cpuPartial, , , , , hwcacheAlign, , freedByRcu] = cells.map(Number);
  const bools = { hwcacheAlign: hwcacheAlign === 1, freedByRcu: freedByRcu === 1 };
  return {
    name: name!,
    objectSize: objectSize!,
    size: size!,
    align: align!,
    objects: objects!,
    order: order!,
    minPartial: minPartial!,
    cpuPartial: cpuPartial!,
    ...bools,
  };
});
const CONSTRUCTED = new Set(
  lines('slab/ctor_caches.txt')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length > 1)
    .map(([name]) => name!),
);

describe('SLUB on a machine with 2 CPUs', () => {
  test('order and objects of all 235 lines of /proc/slabinfo', () => {
    const rows = lines('proc/slabinfo.txt').map((line) => line.split(/\s+/));
    for (const [name, , , size, objects, pages] of rows) {
      const order = calculateOrder(Number(size), CPUS, MAX_ORDER);
      expect({ name, objects: Math.floor((PAGE << order) / Number(size)), pages: 1 << order }).toEqual({
        name,
        objects: Number(objects),
        pages: Number(pages),
      });
    }
    expect(rows).toHaveLength(235);
  });

  test('the rule of 2.6.32 gives the same for all of them', () => {
    const orders = CACHES.map(({ size }) => calculateOrder26(size, CPUS, MAX_ORDER));
    expect(orders).toEqual(CACHES.map(({ order }) => order));
  });

  test('with 1 or 4 CPUs it would give other orders: 188 and 209 lines agree', () => {
    const agreeing = (cpus: number) => CACHES.filter(({ size, order }) => calculateOrder(size, cpus, MAX_ORDER) === order).length;
    expect([1, 2, 4, 8].map(agreeing)).toEqual([188, 235, 209, 155]);
  });

  test('size with the pointer of free objects: outside where a constructor or RCU needs the object whole (234 of 235)', () => {
    const wrong = CACHES.filter(({ name, objectSize, size, align, freedByRcu }) => {
      const ctor = CONSTRUCTED.has(name) || freedByRcu;
      return slubLayout({ objectSize, align, flags: 0, ctor, word: WORD }).size !== size;
    });
    // It says itself where the pointer may lie (kmem_cache_args.freeptr_offset).
    expect(wrong.map(({ name }) => name)).toEqual(['vm_area_struct']);
    expect(CONSTRUCTED.size).toBe(21);
  });

  test('min_partial and cpu_partial of all 235', () => {
    const limits = CACHES.map(({ size }) => slubLimits(size));
    expect(limits).toEqual(CACHES.map(({ minPartial, cpuPartial }) => ({ minPartial, cpuPartial })));
  });

  test('a cache that is aligned to cache lines has the alignment of its size', () => {
    const aligned = CACHES.filter(({ hwcacheAlign }) => hwcacheAlign);
    for (const { name, objectSize, align } of aligned) {
      expect({ name, fits: align >= calculateAlignment(SLAB.hwcacheAlign, 0, objectSize, 64, WORD) }).toEqual({ name, fits: true });
    }
    expect(aligned).toHaveLength(58);
  });

  test('kmalloc has the names, sizes and order of /proc/slabinfo, without those of control groups', () => {
    const machine = boot({ frames: 65536, slab: { cpus: CPUS } });
    const columns = (line: string) => line.split(/\s+/).filter((_, at) => [0, 3, 4, 5].includes(at));
    const real = lines('proc/slabinfo.txt')
      .filter((line) => /^(dma-)?kmalloc-(?!cg)/.test(line))
      .map(columns);
    const { text } = granted(machine, KERNEL, { call: 'cat', path: '/proc/slabinfo' });
    expect(text!.split('\n').slice(2, -1).map(columns)).toEqual(real);
    expect(text!.split('\n').slice(0, 2)).toEqual(oracle('proc/slabinfo.txt').split('\n').slice(0, 2));
  });

  test('a line is printed as the kernel prints it', () => {
    const real = lines('proc/slabinfo.txt').find((line) => line.startsWith('dma-kmalloc-8k '));
    const machine = boot({ frames: 65536, slab: { cpus: CPUS } });
    const { text } = granted(machine, KERNEL, { call: 'cat', path: '/proc/slabinfo' });
    expect(text!.split('\n')).toContain(real);
  });

  test('caches that a real kernel merged are merged, and others are not: one for each of its tags', () => {
    const machine = boot({ frames: 65536, slab: { cpus: CPUS } });
    const aliases = lines('slab/aliases.txt').map((line) => line.split(' '));
    // Of the letters in a tag, A (accounted to a control group) is none of ours.
    const tags = new Map<string, number>();
    for (const [name, tag] of aliases) {
      if (/A-/.test(tag!)) continue;
      const row = CACHES.find((cache) => cache.name === tag)!;
      const flags = tag!.startsWith(':a') ? { flags: 'SLAB_RECLAIM_ACCOUNT' } : {};
      granted(machine, KERNEL, { call: 'kmem_cache_create', name, size: row.size, ...flags });
      tags.set(tag!, (tags.get(tag!) ?? 0) + 1);
    }
    const made = [...machine.slab.caches.values()].filter(({ id }) => [...machine.slab.handles.values()].some(({ cache }) => cache === id));
    expect(made.map(({ refcount }) => refcount).toSorted()).toEqual([...tags.values()].toSorted());
    expect(made.length).toBe(tags.size);
    expect(tags.size).toBeGreaterThan(60);
  });
});

describe('SLAB of a published x86-32 machine with SMP', () => {
  const ROWS = lines('published/slabinfo_x86_32_slab_2.6.1x.tsv').map((line) => {
    const [size, objects, pages, limit, batchcount, name] = line.split('\t');
    return {
      size: Number(size),
      objects: Number(objects),
      pages: Number(pages),
      limit: Number(limit),
      batchcount: Number(batchcount),
      name: name!,
    };
  });
  const wish = { align: 0, flags: 0, ctor: false, word: 4, cacheLine: 64, breakOrder: 1, maxOrder: MAX_ORDER };

  test('order and objects of 61 caches', () => {
    const plain = ROWS.filter(({ name }) => !name.includes('<512'));
    for (const { name, size, objects, pages } of plain) {
      const layout = slabLayout({ ...wish, objectSize: size })!;
      expect({ name, size: layout.size, objects: layout.objects, pages: 1 << layout.order }).toEqual({ name, size, objects, pages });
    }
    expect(plain).toHaveLength(61);
  });

  test('512 bytes that were fewer before aligning keep the descriptor inside: 7 objects, not 8', () => {
    const row = ROWS.find(({ name }) => name.includes('<512'))!;
    const layout = slabLayout({ ...wish, objectSize: 480, flags: SLAB.hwcacheAlign })!;
    expect([layout.size, layout.objects, 1 << layout.order]).toEqual([row.size, row.objects, row.pages]);
    expect(slabLayout({ ...wish, objectSize: 512 })!.objects).toBe(8);
  });

  test('limit and batchcount of all 62', () => {
    const limits = ROWS.map(({ size }) => arrayLimits(size, 4)).map(({ limit, batchcount }) => ({ limit, batchcount }));
    expect(limits).toEqual(ROWS.map(({ limit, batchcount }) => ({ limit, batchcount })));
    expect(ROWS).toHaveLength(62);
  });
});
