/**
 * Who has which physical addresses (kernel/resource.c): RAM, and the regions that drivers asked for before they touched
 * their devices. /proc/iomem is this list. A region that overlaps another is refused, so two drivers never share a device.
 */
// Simplified: no bus lies between the root of the tree and its regions, so the tree is a list sorted by address.
import type { Iomem, Region } from '../mm/vmap_types.ts';
import { PAGE_SIZE, type Machine, type Pid } from '../types.ts';

export function createIomem(): Iomem {
  return { regions: [], owned: new Map() };
}

/** RAM that the kernel was given: what boot found, up to `mem=`, and what memory hot-plug added. */
export function ramRegions(machine: Machine): Region[] {
  const { frames, config } = machine;
  const ram = (from: number, to: number): Region => ({ start: from * PAGE_SIZE, end: to * PAGE_SIZE - 1, pid: 0 });
  if (config.mem === config.frames) return [ram(0, frames.count)];
  return frames.count > config.frames ? [ram(0, config.mem), ram(config.frames, frames.count)] : [ram(0, config.mem)];
}

/** Place in the list of the first region that ends at `start` or above. */
function lowerBound(regions: readonly Region[], start: number): number {
  let low = 0;
  let high = regions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (regions[middle]!.end < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first region that somebody claimed within [start, end], RAM aside; null if none did. */
export function claimedWithin(machine: Machine, start: number, end: number): Region | null {
  const { regions } = machine.iomem;
  const region = regions[lowerBound(regions, start)];
  return region !== undefined && region.start <= end ? region : null;
}

/** Claims [start, end] for a process; the region in the way, RAM or another's, where there is one (__request_region). */
export function requestRegion(machine: Machine, pid: Pid, start: number, end: number): Region | null {
  const { regions, owned } = machine.iomem;
  for (const ram of ramRegions(machine)) if (ram.start <= end && start <= ram.end) return ram;
  const taken = claimedWithin(machine, start, end);
  if (taken) return taken;
  regions.splice(lowerBound(regions, start), 0, { start, end, pid });
  owned.set(pid, (owned.get(pid) ?? 0) + 1);
  return null;
}

/** All regions of a process that ends. */
export function releaseRegionsOf(machine: Machine, pid: Pid): void {
  const { regions, owned } = machine.iomem;
  if (!owned.delete(pid)) return;
  let kept = 0;
  for (const region of regions) if (region.pid !== pid) regions[kept++] = region;
  regions.length = kept;
}
