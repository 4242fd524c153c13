/** From a file to its dentry and inode in memory (fs/namei.c, lookup; fs/ext4/inode.c, ext4_iget): made when they are not there, the inode read from the disk. */
import { GFP_KERNEL } from '../gfp.ts';
import { readInodeBlock } from '../mm/filemap.ts';
import { allocObject } from '../mm/slab_common.ts';
import { objectIndex, slabAt } from '../mm/slab_objects.ts';
import { HOLDER } from '../mm/slab_types.ts';
import { ASKER_KILLED } from '../mm/slowpath.ts';
import type { Machine, Pid } from '../types.ts';
import { evictInode, killDentry } from './dcache.ts';
import { fget, fput, type Inode } from './inode.ts';

/** An object of one of the two caches, the kernel's own; or why there is none. */
// Simplified: ext4 asks with GFP_NOFS, and tries for ever.
function allocOwn(machine: Machine, id: number, pid: Pid): number {
  const cache = machine.slab.caches.get(id)!;
  const phys = allocObject(machine, cache, GFP_KERNEL, 0, cache.objectSize);
  if (phys < 0) return machine.tasks.has(pid) ? phys : ASKER_KILLED;
  const slab = slabAt(machine, phys)!;
  slab.holder[objectIndex(cache, slab, phys)] = HOLDER.allocator;
  return phys;
}

/** What is missing of the two; 0, or a negative outcome. */
function fill(machine: Machine, inode: Inode, pid: Pid): number {
  const { dentries, inodes } = machine.disk!.dcache;
  if (inode.dentry < 0) {
    inode.dentry = allocOwn(machine, dentries, pid);
    if (inode.dentry < 0) return inode.dentry;
  }
  if (inode.object < 0) {
    inode.object = allocOwn(machine, inodes, pid);
    if (inode.object < 0) return inode.object;
    const outcome = readInodeBlock(machine, inode, pid);
    if (outcome < 0) return outcome;
  }
  return machine.tasks.has(pid) ? 0 : ASKER_KILLED;
}

/** One user more of a file, whose dentry and inode are in memory from now on; 0, or a negative outcome and no user more. */
export function lookupOpen(machine: Machine, inode: Inode, pid: Pid): number {
  const [hadDentry, hadInode] = [inode.dentry >= 0, inode.object >= 0];
  fget(machine, inode.ino);
  const outcome = fill(machine, inode, pid);
  if (outcome === 0) return 0;
  fput(machine, inode.ino);
  if (!hadDentry && inode.dentry >= 0) killDentry(machine, inode);
  if (!hadInode && inode.object >= 0) evictInode(machine, inode);
  inode.dentry = Math.max(inode.dentry, -1);
  inode.object = Math.max(inode.object, -1);
  return outcome;
}
