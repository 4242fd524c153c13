/** How many page-table entries map a frame, and what that means for its owner and its life (mm/rmap.c). */
import { PG, type Machine, type Mm, type Pfn } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { count, VMSTAT } from './vmstat.ts';

/** One more entry of `mm` maps a user page. */
export function pageAddRmap(machine: Machine, mm: Mm, pfn: Pfn): void {
  const { frames } = machine;
  const before = frames.mapcount[pfn]!;
  frames.mapcount[pfn] = before + 1;
  if (frames.flags[pfn]! & PG.anon) {
    mm.rssAnon += 1;
    if (before === 0) count(machine, VMSTAT.nr_anon_pages, 1);
    else frames.refcount[pfn]! += 1;
  } else {
    mm.rssShmem += 1;
    frames.refcount[pfn]! += 1;
    if (before === 0) count(machine, VMSTAT.nr_mapped, 1);
  }
  const rss = mm.rssAnon + mm.rssShmem + mm.rssFile;
  if (rss > mm.hiwaterRss) mm.hiwaterRss = rss;
}

/** One entry of `mm` less; an anonymous page that nobody maps is freed. Returns true when it was. */
export function pageRemoveRmap(machine: Machine, mm: Mm, pfn: Pfn): boolean {
  const { frames } = machine;
  frames.mapcount[pfn]! -= 1;
  const last = frames.mapcount[pfn] === 0;
  if ((frames.flags[pfn]! & PG.anon) === 0) {
    mm.rssShmem -= 1;
    frames.refcount[pfn]! -= 1;
    if (last) count(machine, VMSTAT.nr_mapped, -1);
    return false;
  }
  mm.rssAnon -= 1;
  frames.refcount[pfn]! -= 1;
  if (!last) return false;
  count(machine, VMSTAT.nr_anon_pages, -1);
  freePagesBlock(machine, pfn, 0);
  return true;
}
