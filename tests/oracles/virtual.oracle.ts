/** The kernel's virtual space against the numbers of the lecture notes and a layout that a real 32-bit kernel printed. */
import { expect, test } from 'vitest';
import { maxmem, vmallocEnd, VMALLOC_OFFSET } from '#kernel/arch/layout.ts';
import { createMachine } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, granted, refused } from './machine.ts';
import { oracle } from './files.ts';

interface Vectors {
  android_vmalloc_fail: { vmalloc_top: string; used_to: string; hole: number; request: number };
  highmem_example: { phys: [string, string]; virt: [string, string]; bytes: number };
  vmalloc_start_160M: string;
}
const vectors = (): Vectors => JSON.parse(oracle('seed_vectors.json')) as Vectors;

test('vmalloc of the virtual machine with 160 MB starts where the notes say', () => {
  const machine = createMachine({ frames: 160 * 256 });
  expect(machine.config.layout.vmallocStart).toBe(Number(vectors().vmalloc_start_160M));
  expect(granted(machine, KERNEL, { call: 'vmalloc', size: PAGE }).addr).toBe(Number(vectors().vmalloc_start_160M));
});

test('the window of the notes: a megabyte of physical memory at 2 GiB seen through a megabyte of kernel addresses', () => {
  const { phys, virt, bytes } = vectors().highmem_example;
  const [start, end] = virt.map(Number) as [number, number];
  expect(Number(phys[1]) - Number(phys[0])).toBe(bytes);
  const machine = createMachine({ frames: 262144, vmalloc: { start, end: end + PAGE } });
  const addr = granted(machine, KERNEL, { call: 'ioremap', phys: Number(phys[0]), size: bytes }).addr as number;
  expect([addr, addr + bytes]).toEqual([start, end]);
});

test('the Android phone: the hole below the end of vmalloc is shorter than the request, so it fails', () => {
  const { vmalloc_top, used_to, hole, request } = vectors().android_vmalloc_fail;
  const [top, used] = [Number(vmalloc_top), Number(used_to)];
  expect(top - used).toBe(hole);
  const machine = bootFlat(65536, { vmalloc: { start: used - 16 * PAGE, end: top } });
  granted(machine, KERNEL, { call: 'vmalloc', size: 15 * PAGE });
  expect(refused(machine, KERNEL, { call: 'vmalloc', size: request })).toMatchObject({
    errno: 'ENOMEM',
    why: { needed: request / PAGE + 1, largestHole: hole / PAGE },
  });
  expect(granted(machine, KERNEL, { call: 'vmalloc', size: hole - PAGE }).addr).toBe(used);
});

test('a kernel of 2.6.32 with 2 GB: what it printed fits together by our rules', () => {
  const line = /fixmap 0x(\w+)-0x(\w+).*pkmap 0x(\w+)-0x(\w+).*vmalloc 0x(\w+)-0x(\w+).*lowmem 0x(\w+)-0x(\w+)/.exec(
    oracle('published/x86_32_highmem_zone_dumps.txt'),
  )!;
  const [, fixaddrTop, pkmap, pkmapEnd, start, end, pageOffset, highMemory] = line.slice(1).map((hex) => Number.parseInt(hex, 16)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  expect(fixaddrTop).toBe(0xfffff000);
  expect((pkmapEnd - pkmap) / PAGE).toBe(512);
  expect(vmallocEnd(pkmap)).toBe(end);
  expect(highMemory + VMALLOC_OFFSET).toBe(start);
  expect(maxmem(end, pageOffset)).toBe(highMemory - pageOffset);
});

test('/proc/meminfo of a live machine has the three lines of vmalloc in our order', () => {
  const labels = oracle('proc/meminfo.txt')
    .split('\n')
    .map((line) => line.split(':')[0]!)
    .filter((label) => label.startsWith('Vmalloc'));
  const ours = (granted(createMachine({ frames: 64 }), KERNEL, { call: 'cat', path: '/proc/meminfo' }).text as string)
    .split('\n')
    .map((line) => line.split(':')[0]!);
  expect(ours.filter((label) => label.startsWith('Vmalloc'))).toEqual(labels);
});
