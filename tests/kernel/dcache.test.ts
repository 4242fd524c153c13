/** Dentries and inodes in memory (fs/dcache.c, fs/inode.c, fs/drop_caches.c; spec §14): slabs that can be shrunk. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, boot, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';
import { checkSlab } from '../helpers/check_slab.ts';
import { parseMeminfo, parseVmstat } from '../helpers/procText.ts';

const meminfo = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo'));
const files = (count: number) => Array.from({ length: count }, (_, n) => ({ path: `/f${n}`, bytes: 4 * PAGE }));

/** Dentries and inodes that slabinfo counts as active. */
function active(machine: Machine): [number, number] {
  const of = (name: string) => {
    const { caches } = machine.slab;
    return [...caches.values()].find((cache) => cache.name === name)!.live;
  };
  return [of('dentry'), of('ext4_inode_cache')];
}

function sound(machine: Machine): void {
  checkMachine(machine);
  checkReclaim(machine);
  checkSlab(machine);
}

function withFiles(count: number, config: Record<string, unknown> = {}) {
  const machine = bootFlat(512, { minFreeKbytes: 64, disk: { files: files(count) }, ...config });
  return { machine, pid: spawn(machine) };
}

const open = (machine: Machine, pid: number, n: number) => granted(machine, pid, { call: 'open', path: `/f${n}` }).fd as number;
const close = (machine: Machine, pid: number, fd: number) => granted(machine, pid, { call: 'close', fd });
const drop = (machine: Machine, value: number) => granted(machine, KERNEL, { call: 'sysctl', name: 'vm.drop_caches', value });

describe('a file that is opened', () => {
  test('has a dentry and an inode, in slabs that count as reclaimable; before the first one there is no slab', () => {
    const { machine, pid } = withFiles(3);
    expect(meminfo(machine)).toMatchObject({ SReclaimable: 0 });
    expect(cat(machine, '/proc/slabinfo')).toMatch(/^dentry +0 +0 /m);
    open(machine, pid, 0);
    expect(active(machine)).toEqual([1, 1]);
    expect(meminfo(machine).SReclaimable).toBeGreaterThan(0);
    open(machine, pid, 0);
    expect(active(machine)).toEqual([1, 1]);
    open(machine, pid, 1);
    expect(active(machine)).toEqual([2, 2]);
    sound(machine);
  });

  test('keeps them when it is closed: the next open reads no inode', () => {
    const { machine, pid } = withFiles(2);
    const first = granted(machine, pid, { call: 'open', path: '/f0' });
    close(machine, pid, first.fd as number);
    drop(machine, 1);
    expect(meminfo(machine).Buffers).toBe(0);
    const again = granted(machine, pid, { call: 'open', path: '/f0' });
    expect(again.cost).toBeLessThan(first.cost);
    expect(meminfo(machine).Buffers).toBe(0);
    sound(machine);
  });

  test('x86_64: as in the recorded slabinfo, 21 dentries of 192 bytes a page, 14 inodes of 1128 bytes in four', () => {
    const machine = boot({ arch: 'x86_64', frames: 4096, zones: { normal: 4096 }, slab: { cpus: 1 }, disk: { files: files(1) } });
    const rows = cat(machine, '/proc/slabinfo');
    expect(rows).toMatch(/^dentry +0 +0 +192 +21 +1 :/m);
    expect(rows).toMatch(/^ext4_inode_cache +0 +0 +1128 +14 +4 :/m);
  });

  test('a machine without a disk has no such caches', () => {
    const machine = bootFlat(256);
    expect(cat(machine, '/proc/slabinfo')).not.toMatch(/dentry|ext4/);
  });

  test('is refused when there is no memory for them, and leaves nothing behind', () => {
    const { machine, pid } = withFiles(2);
    granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: -1000 });
    while (machine.zones[0]!.free > machine.zones[0]!.watermark.min) {
      const request = { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' };
      if (machine.zones[0]!.free <= machine.zones[0]!.watermark.min + 1) break;
      granted(machine, KERNEL, request);
    }
    expect(refused(machine, pid, { call: 'open', path: '/f0' })).toMatchObject({ errno: 'ENOMEM' });
    expect(active(machine)[1]).toBe(0);
    sound(machine);
  });

  test('kfree does not take what is the kernel’s own', () => {
    const { machine, pid } = withFiles(1);
    open(machine, pid, 0);
    const addr = machine.config.layout.pageOffset + machine.disk!.inodes.get(11)!.dentry;
    expect(refused(machine, KERNEL, { call: 'kfree', addr })).toMatchObject({ why: { code: 'NOT_AN_OBJECT' } });
    sound(machine);
  });
});

describe('what nobody uses goes', () => {
  test('drop_caches 2 frees dentries, and inodes without cached pages; 3 the others, too', () => {
    const { machine, pid } = withFiles(6);
    for (let n = 0; n < 6; n++) {
      const fd = open(machine, pid, n);
      if (n < 2) granted(machine, pid, { call: 'pread', fd, offset: 0, length: PAGE });
      if (n !== 5) close(machine, pid, fd);
    }
    expect(active(machine)).toEqual([6, 6]);
    drop(machine, 2);
    // One is open; two that were read have pages, which hold their inodes.
    expect(active(machine)).toEqual([1, 3]);
    expect(parseVmstat(cat(machine, '/proc/vmstat')).slabs_scanned).toBeGreaterThan(0);
    sound(machine);
    drop(machine, 3);
    expect(active(machine)).toEqual([1, 1]);
    sound(machine);
  });

  test('a mapping is a user: of exec, after close, in a child, in its parts', () => {
    const { machine, pid } = withFiles(2);
    const fd = open(machine, pid, 0);
    const request = { call: 'mmap', length: 4 * PAGE, prot: 'PROT_READ', flags: 'MAP_PRIVATE', fd, offset: 0 };
    const addr = granted(machine, pid, request).addr as number;
    close(machine, pid, fd);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, pid, { call: 'exit' });
    granted(machine, child, { call: 'munmap', addr: addr + PAGE, length: PAGE });
    drop(machine, 3);
    expect(active(machine)).toEqual([1, 1]);
    sound(machine);
    granted(machine, child, { call: 'munmap', addr, length: 4 * PAGE });
    drop(machine, 3);
    expect(active(machine)).toEqual([0, 0]);
    expect(meminfo(machine).SReclaimable).toBe(0);
    sound(machine);
  });

  test('a descriptor that a child inherits is a user of its own', () => {
    const { machine, pid } = withFiles(1);
    const fd = open(machine, pid, 0);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    close(machine, pid, fd);
    drop(machine, 2);
    expect(active(machine)).toEqual([1, 1]);
    granted(machine, child, { call: 'exit' });
    drop(machine, 2);
    expect(active(machine)).toEqual([0, 0]);
    sound(machine);
  });

  test('reclaim shrinks them with everything else (do_shrink_slab)', () => {
    const { machine, pid } = withFiles(300, { swap: { slots: 512 } });
    for (let n = 0; n < 300; n++) close(machine, pid, open(machine, pid, n));
    expect(active(machine)).toEqual([300, 300]);
    const before = meminfo(machine).SReclaimable!;
    const much = mmap(machine, pid, 700);
    touch(machine, pid, 'write', much, 700);
    expect(active(machine)[0]).toBeLessThan(100);
    expect(meminfo(machine).SReclaimable).toBeLessThan(before / 2);
    sound(machine);
  });

  test('survives snapshot and restore, and SLAB does it as SLUB does', () => {
    const { machine, pid } = withFiles(40, { slab: { allocator: 'slab' } });
    for (let n = 0; n < 40; n++) close(machine, pid, open(machine, pid, n));
    const twin = restore(snapshot(machine));
    expect(hash(twin)).toBe(hash(machine));
    drop(twin, 2);
    expect(active(twin)).toEqual([0, 0]);
    expect(meminfo(twin).SReclaimable).toBe(0);
    sound(twin);
  });
});
