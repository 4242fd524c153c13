/**
 * `checkReclaim(m)`: what must be true of the LRU lists and the page cache between two calls: every user page on exactly
 * one list, each file's pages where their frames say, dirty pages listed. It counts anew and trusts no total.
 */
import type { Machine } from '#kernel/machine.ts';
import { zoneCounts } from '#kernel/fs/proc/zoneinfo26.ts';
import { LRU_LISTS, PGS, listOf } from '#kernel/mm/swap.ts';
import { VM } from '#kernel/mm/vma.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { PG } from '#kernel/types.ts';
import { Broken } from './check.ts';

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

function equal(actual: unknown, expected: unknown, what: () => string): void {
  if (actual !== expected) throw new Broken(`${what()}: is ${String(actual)}, counted ${String(expected)}`);
}

export function checkReclaim(machine: Machine): void {
  const { kswapdWoken, kswapdOrder, kswapdTop } = machine.lru;
  must(kswapdOrder >= 0 && kswapdOrder <= machine.config.maxOrder, () => `kswapd looks for order ${kswapdOrder}`);
  must(kswapdWoken || (kswapdOrder === 0 && kswapdTop === -1), () => 'kswapd sleeps and has something to do');
  const listed = checkLists(machine);
  checkStates(machine, listed);
  checkPageCache(machine);
  checkDcache(machine);
  if (machine.config.rules === '2.6.32') checkZoneCounts(machine);
}

/** What 2.6.32 shows by zone adds up to what is counted for the machine. */
function checkZoneCounts(machine: Machine): void {
  const zones = zoneCounts(machine);
  const names = [
    'nr_anon_pages',
    'nr_mapped',
    'nr_shmem',
    'nr_dirty',
    'nr_page_table_pages',
    'nr_slab_reclaimable',
    'nr_slab_unreclaimable',
  ] as const;
  for (const name of names)
    equal(
      zones.reduce((sum, zone) => sum + zone[name], 0),
      machine.vmstat[VMSTAT[name]],
      () => `${name} of all zones`,
    );
}

/** The lists in both directions; the pages on them. */
function checkLists(machine: Machine): Uint8Array {
  const { frames, lru, zones } = machine;
  const listed = new Uint8Array(frames.count);
  const pages = new Int32Array(lru.pages.length);
  for (let at = 0; at < lru.head.length; at++) {
    const list = at % LRU_LISTS;
    let before = -1;
    for (let pfn = lru.head[at]!; pfn !== -1; before = pfn, pfn = frames.links[2 * pfn]!) {
      if (listed[pfn] !== 0) throw new Broken(`page ${pfn} is on two lists, or list ${list} is a circle`);
      listed[pfn] = 1;
      equal(frames.links[2 * pfn + 1], before, () => `list ${list}, page ${pfn}: link back`);
      equal(listOf(frames.state[pfn]!), list, () => `page ${pfn}: the list of its state`);
      must((frames.state[pfn]! & PGS.lru) !== 0, () => `page ${pfn} is on list ${list} and does not know`);
      const zone = zones.findIndex((each) => pfn < each.end);
      if (machine.config.rules === '2.6.32') equal(Math.floor(at / LRU_LISTS), zone, () => `page ${pfn}: the zone of its list`);
      pages[zone * LRU_LISTS + list]! += 1 << frames.order[pfn]!;
    }
    equal(lru.tail[at], before, () => `list ${at}: its end`);
  }
  pages.forEach((count, at) => equal(lru.pages[at], count, () => `zone ${Math.floor(at / LRU_LISTS)}, list ${at % LRU_LISTS}: pages`));
  return listed;
}

/** Spec §19.5: every user page on one list, nothing else on any. */
function checkStates(machine: Machine, listed: Uint8Array): void {
  const { frames } = machine;
  for (let pfn = 0; pfn < frames.count; pfn++) {
    const flags = frames.flags[pfn]!;
    const isUser = (flags & PG.head) !== 0 && (flags & (PG.anon | PG.shmem)) !== 0;
    if (isUser !== (listed[pfn] === 1)) throw new Broken(`page ${pfn} (flags ${flags}) is ${isUser ? 'on no list' : 'on a list'}`);
    if (isUser && isLocked(machine, pfn) !== ((frames.state[pfn]! & PGS.unevictable) !== 0))
      throw new Broken(`page ${pfn} is ${isLocked(machine, pfn) ? 'under a locked area and evictable' : 'unevictable for nothing'}`);
    if (!isUser && frames.state[pfn] !== 0) throw new Broken(`frame ${pfn} (flags ${flags}) has state ${frames.state[pfn]}`);
  }
}

/** Does an area that is locked map the page? */
function isLocked(machine: Machine, pfn: number): boolean {
  const { rmap, frames } = machine;
  for (let node = frames.rmap[pfn]!; node >= 0; node = rmap.next[node]!) {
    const { vmas } = machine.tasks.get(rmap.pid[node]!)!.mm;
    const addr = rmap.vpn[node]! * 4096;
    if (vmas.some((vma) => vma.start <= addr && addr < vma.end && (vma.flags & VM.locked) !== 0)) return true;
  }
  return false;
}

function checkPageCache(machine: Machine): void {
  const { frames, disk, vmstat } = machine;
  const seen = new Set<number>();
  let [dirty, stored] = [0, 0];
  for (const [ino, inode] of disk?.inodes ?? []) {
    for (const [index, pfn] of inode.pages) {
      const at = () => `${inode.path}, page ${index}, frame ${pfn}`;
      must(!seen.has(pfn), () => `${at()}: in two places`);
      seen.add(pfn);
      equal(frames.flags[pfn], PG.head | PG.shmem, () => `${at()}: flags`);
      equal(frames.mapping[pfn], ino, () => `${at()}: inode of the frame`);
      equal(frames.index[pfn], index, () => `${at()}: page of the frame`);
      must((frames.state[pfn]! & PGS.file) !== 0, () => `${at()}: not marked as a file's`);
      must(index * 4096 < inode.bytes, () => `${at()}: behind the end of the file`);
      equal((frames.state[pfn]! & PGS.dirty) !== 0, inode.dirty.has(index), () => `${at()}: dirty`);
    }
    for (const index of inode.dirty.keys()) must(inode.pages.has(index), () => `${inode.path}, page ${index}: dirty and not there`);
    dirty += inode.dirty.size;
    stored += inode.stored.size;
  }
  let files = 0;
  for (let pfn = 0; pfn < frames.count; pfn++) if ((frames.state[pfn]! & PGS.file) !== 0 && !seen.has(pfn)) files += 1;
  equal(files, 0, () => 'pages of files that no file has');
  equal(vmstat[VMSTAT.nr_file_pages], seen.size, () => 'nr_file_pages');
  equal(vmstat[VMSTAT.nr_dirty], dirty, () => 'nr_dirty');
  equal(disk?.storedPages ?? 0, stored, () => 'pages with contents on the disk');
}

/** Who has a file, counted anew; its dentry and inode are in memory while somebody does, and on a list to go from when nobody does. */
function checkDcache(machine: Machine): void {
  const { disk } = machine;
  if (disk === null) return;
  const users = new Map<number, number>();
  const use = (ino: number): unknown => users.set(ino, (users.get(ino) ?? 0) + 1);
  for (const { files, mm } of machine.tasks.values()) {
    for (const { ino } of files.values()) use(ino);
    for (const { file } of mm.vmas) if (file !== 0) use(file);
  }
  const { unusedDentries, unusedInodes, dentries, inodes } = disk.dcache;
  const live = [0, 0];
  for (const [ino, inode] of disk.inodes) {
    const at = () => `${inode.path} (dentry ${inode.dentry}, inode ${inode.object}, ${inode.pages.size} pages)`;
    equal(inode.users, users.get(ino) ?? 0, () => `${at()}: users`);
    must(inode.users === 0 || inode.dentry >= 0, () => `${at()}: in use without a dentry`);
    must(inode.dentry < 0 || inode.object >= 0, () => `${at()}: a dentry without an inode`);
    equal(unusedDentries.has(ino), inode.users === 0 && inode.dentry >= 0, () => `${at()}: its dentry may go`);
    const mayGo = inode.users === 0 && inode.dentry < 0 && inode.object >= 0 && inode.pages.size === 0;
    equal(unusedInodes.has(ino), mayGo, () => `${at()}: its inode may go`);
    if (inode.dentry >= 0) live[0]! += 1;
    if (inode.object >= 0) live[1]! += 1;
  }
  equal(machine.slab.caches.get(dentries)!.live, live[0], () => 'dentries');
  equal(machine.slab.caches.get(inodes)!.live, live[1], () => 'inodes');
}
