/** Slabs in the machine's hash: there may be many thousands, so their words go in directly, without an encoding between. */
import { encode } from '../codec.ts';
import { hashArray, hashWord, type Hasher } from '../hash.ts';
import type { SlabState } from './slab_types.ts';

export function hashSlabs(state: SlabState, hasher: Hasher): void {
  const { slabs, ...rest } = state;
  hashArray(hasher, encode(rest));
  for (const slab of slabs.values()) {
    hashWord(hasher, slab.pfn);
    hashWord(hasher, slab.order);
    hashWord(hasher, slab.cache);
    hashWord(hasher, slab.objects);
    hashWord(hasher, slab.start);
    hashWord(hasher, slab.inuse);
    hashWord(hasher, slab.free);
    hashWord(hasher, slab.on);
    hashWord(hasher, slab.next);
    hashWord(hasher, slab.prev);
    hashWord(hasher, slab.behind);
    hashWord(hasher, slab.descriptor);
    hashArray(hasher, new Uint8Array(slab.link.buffer, slab.link.byteOffset, slab.link.byteLength));
    hashArray(hasher, slab.holder);
    if (slab.asked.length > 0) hashArray(hasher, slab.asked);
  }
}
