/** Debugging of SLUB (mm/slub.c, slab_debug=FZP) and of SLAB (CONFIG_DEBUG_SLAB): what a driver's bugs look like in the kernel's log. */
import { describe, expect, test } from 'vitest';
import { type Machine, call, hash, restore, snapshot } from '#kernel/machine.ts';
import { byteAt, setWord, wordAt, writeBytes } from '#kernel/mm/slab_bytes.ts';
import { validateSlabCache } from '#kernel/mm/slub_debug.ts';
import { KERNEL, PAGE, bootFlat, cat, freeIn, granted, refused, spawn } from '../helpers/boot.ts';
import { checkSlab } from '../helpers/check_slab.ts';
import { behind, cacheAlloc, cacheFree, cacheNamed, createCache, kfree, kmalloc, lineOf, many, slabAt } from '../helpers/slabs.ts';

const phys = (addr: number): number => addr - 0xc0000000;
const poke = (machine: Machine, addr: number, ...bytes: number[]): void => {
  expect(writeBytes(machine, phys(addr), bytes)).toBe(true);
};
const peek = (machine: Machine, addr: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => byteAt(machine, phys(addr) + n));
const log = (machine: Machine): string => cat(machine, '/proc/kmsg');

/** The cases of the kernel's own test (lib/slub_kunit.c), with the errors that it expects of validate_slab_cache. */
describe('lib/slub_kunit.c', () => {
  const fresh = (name: string, size: number, flags: string): { machine: Machine; cache: number; validate: () => number } => {
    const machine = bootFlat(256);
    const cache = createCache(machine, name, size, { flags });
    return { machine, cache, validate: () => validateSlabCache(machine, behind(machine, cache)) };
  };

  test('a red zone overwritten while the object is in use: two errors, of which one is the repair', () => {
    const { machine, cache, validate } = fresh('TestSlub_RZ_alloc', 64, 'SLAB_RED_ZONE');
    const addr = cacheAlloc(machine, cache);
    poke(machine, addr + 64, 0x12);
    expect(validate()).toBe(2);
    cacheFree(machine, cache, addr);
    expect(validate()).toBe(0);
    checkSlab(machine);
  });

  test('the pointer of a free object overwritten: three errors; put back: two; then none', () => {
    const { machine, cache, validate } = fresh('TestSlub_next_ptr_free', 64, 'SLAB_POISON');
    const addr = cacheAlloc(machine, cache);
    cacheFree(machine, cache, addr);
    const at = phys(addr) + behind(machine, cache).slub!.freePointer;
    const pointer = wordAt(machine, at);
    writeBytes(machine, at, [~byteAt(machine, at) & 0xff]);
    expect(validate()).toBe(3);
    expect(log(machine)).toContain('Freechain corrupt');
    setWord(machine, at, pointer);
    expect(validate()).toBe(2);
    expect(validate()).toBe(0);
    checkSlab(machine);
  });

  test.each([
    ['the first word', 0, 0x78],
    ['the 50th byte', 50, 0x9a],
  ])('%s of a free object overwritten: two errors', (_what, offset, byte) => {
    const { machine, cache, validate } = fresh('TestSlub_free', 64, 'SLAB_POISON');
    const addr = cacheAlloc(machine, cache);
    cacheFree(machine, cache, addr);
    poke(machine, addr + offset, byte);
    expect(validate()).toBe(2);
    expect(validate()).toBe(0);
    checkSlab(machine);
  });

  test('the red zone of a free object overwritten: two errors', () => {
    const { machine, cache, validate } = fresh('TestSlub_RZ_free', 64, 'SLAB_RED_ZONE');
    const addr = cacheAlloc(machine, cache);
    cacheFree(machine, cache, addr);
    poke(machine, addr + 64, 0xab);
    expect(validate()).toBe(2);
    expect(validate()).toBe(0);
    checkSlab(machine);
  });

  test('18 bytes asked of a class of 32, two more written: two errors', () => {
    const machine = bootFlat(256, { slab: { debug: true } });
    const addr = kmalloc(machine, 18);
    poke(machine, addr + 18, 0xab, 0xab);
    expect(validateSlabCache(machine, cacheNamed(machine, 'kmalloc-32'))).toBe(2);
    expect(log(machine)).toContain('kmalloc Redzone overwritten');
    kfree(machine, addr);
    checkSlab(machine);
  });

  test('a cache destroyed with an object in use: two errors', () => {
    const { machine, cache } = fresh('TestSlub_kmalloc_leak', 64, 'SLAB_NO_MERGE');
    cacheAlloc(machine, cache);
    refused(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    expect(machine.slab.errors).toBe(2);
  });
});

describe('SLUB', () => {
  const boot = (): Machine => bootFlat(256, { slab: { debug: true } });

  test('the bytes of an object: 6b and a5 at the end, cc around one in use, bb around a free one', () => {
    const machine = boot();
    const addr = kmalloc(machine, 30);
    expect(peek(machine, addr, 34)).toEqual([...Array.from({ length: 29 }, () => 0x6b), 0xa5, 0xcc, 0xcc, 0xcc, 0xcc]);
    expect(new Set(peek(machine, addr - 32, 32))).toEqual(new Set([0xcc]));
    kfree(machine, addr);
    expect(peek(machine, addr, 36)).toEqual([...Array.from({ length: 31 }, () => 0x6b), 0xa5, 0xbb, 0xbb, 0xbb, 0xbb]);
    expect(new Set(peek(machine, addr - 32, 32))).toEqual(new Set([0xbb]));
  });

  test('a double free: EINVAL, and the kernel’s report', () => {
    const machine = boot();
    const addr = kmalloc(machine, 64);
    kfree(machine, addr);
    expect(refused(machine, KERNEL, { call: 'kfree', addr })).toMatchObject({ errno: 'EINVAL', why: { code: 'DOUBLE_FREE', addr } });
    const at = `0x${addr.toString(16)}`;
    expect(log(machine)).toContain('BUG kmalloc-64 (Not tainted): Object already free');
    expect(log(machine)).toContain(`FIX kmalloc-64: Object at ${at} not freed`);
    refused(machine, KERNEL, { call: 'kfree', addr });
    expect(log(machine)).toContain('BUG kmalloc-64 (Tainted: [B]=BAD_PAGE): Object already free');
    checkSlab(machine);
  });

  test('an address in an object’s midst: Invalid object pointer', () => {
    const machine = boot();
    const addr = kmalloc(machine, 64);
    expect(refused(machine, KERNEL, { call: 'kfree', addr: addr + 8 })).toMatchObject({ errno: 'EINVAL', why: { code: 'NOT_AN_OBJECT' } });
    expect(log(machine)).toContain(`BUG kmalloc-64 (Not tainted): Invalid object pointer 0x${(addr + 8).toString(16)}`);
  });

  test('a write beyond the end: found when the object is freed, which it then is not; the second time it is', () => {
    const machine = boot();
    const addr = kmalloc(machine, 64);
    poke(machine, addr + 64, 1, 2, 3);
    expect(refused(machine, KERNEL, { call: 'kfree', addr })).toMatchObject({ errno: 'EFAULT', why: { code: 'OBJECT_OVERWRITTEN', addr } });
    const from = (addr + 64).toString(16);
    const to = (addr + 66).toString(16);
    expect(log(machine)).toContain('BUG kmalloc-64 (Not tainted): Right Redzone overwritten');
    expect(log(machine)).toContain(`0x${from}-0x${to} @offset=${(addr + 64) % PAGE}. First byte 0x1 instead of 0xcc`);
    expect(log(machine)).toContain(`FIX kmalloc-64: Restoring Right Redzone 0x${from}-0x${to}=0xcc`);
    kfree(machine, addr);
    checkSlab(machine);
  });

  test('a write before the start', () => {
    const machine = boot();
    const addr = kmalloc(machine, 64);
    poke(machine, addr - 1, 0);
    refused(machine, KERNEL, { call: 'kfree', addr });
    expect(log(machine)).toContain('Left Redzone overwritten');
  });

  test('a write after free: found when the object is given out next; the slab is set aside, and the request served from another', () => {
    const machine = boot();
    const addr = kmalloc(machine, 64);
    kfree(machine, addr);
    poke(machine, addr + 10, 0xee);
    const next = kmalloc(machine, 64);
    expect(slabAt(machine, next)).not.toBe(slabAt(machine, addr));
    expect(log(machine)).toContain('BUG kmalloc-64 (Not tainted): Poison overwritten');
    expect(log(machine)).toContain(`First byte 0xee instead of 0x6b`);
    expect(log(machine)).toContain('FIX kmalloc-64: Marking all objects used');
    checkSlab(machine);
  });

  test('a slab that was set aside never empties, but goes with its cache', () => {
    const machine = bootFlat(256);
    const cache = createCache(machine, 'things', 500, { flags: 'SLAB_POISON' });
    const [first, second] = many(machine, cache, 2);
    cacheFree(machine, cache, second!);
    poke(machine, second!, 0);
    cacheAlloc(machine, cache);
    expect(behind(machine, cache).slabs).toBe(2);
    cacheFree(machine, cache, first!);
    checkSlab(machine);
    refused(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    const [other] = [...machine.slab.slabs.values()].filter((slab) => slab.holder.includes(0));
    kfree(machine, 0xc0000000 + other!.pfn * PAGE);
    expect(freeIn(machine)).toBe(256);
    checkSlab(machine);
  });

  test('the death of a process frees its damaged objects too', () => {
    const machine = boot();
    const pid = spawn(machine);
    const objects = Array.from({ length: 5 }, () => kmalloc(machine, 64, 'GFP_KERNEL', pid));
    for (const addr of objects) poke(machine, addr + 64, 0x41);
    granted(machine, pid, { call: 'exit' });
    expect(cacheNamed(machine, 'kmalloc-64').live).toBe(0);
    checkSlab(machine);
  });

  test('with debugging objects need more room, and none waits on the CPU', () => {
    const machine = boot();
    createCache(machine, 'things', 64);
    expect(lineOf(machine, 'things')!.size).toBe(64 + 4 + 4 + 4 + 4);
    const addr = kmalloc(machine, 64);
    expect(granted(machine, KERNEL, { call: 'ksize', addr }).size).toBe(64);
    expect(cacheNamed(machine, 'kmalloc-64').slub).toMatchObject({ cpuSlab: -1, cpuPartial: -1 });
    expect(lineOf(machine, 'kmalloc-64')).toMatchObject({ active: 1 });
  });

  test('contents of 16 MiB are the limit: then slabs that must be filled are refused', () => {
    const machine = bootFlat(8192, { slab: { debug: true } });
    const cache = createCache(machine, 'things', 4000);
    for (let n = 0; n < 5000; n++) {
      const before = freeIn(machine);
      const answer = call(machine, KERNEL, { call: 'kmem_cache_alloc', cache });
      if (answer.ok) continue;
      expect(answer).toMatchObject({ errno: 'ENOMEM', why: { code: 'CONTENTS_FULL' } });
      expect([freeIn(machine), machine.contents.size]).toEqual([before, 4096]);
      checkSlab(machine);
      return;
    }
    throw new Error('never refused');
  });
});

describe('SLAB', () => {
  const boot = (): Machine => bootFlat(256, { slab: { allocator: 'slab', debug: true } });

  test('eight bytes of red zone on each side, poison 5a in use and 6b when free', () => {
    const machine = boot();
    const addr = kmalloc(machine, 32);
    expect(peek(machine, addr - 8, 8)).toEqual([0xc0, 0x88, 0x56, 0x63, 0xc5, 0x56, 0x41, 0xd8]);
    expect(peek(machine, addr, 32)).toEqual([...Array.from({ length: 31 }, () => 0x5a), 0xa5]);
    expect(peek(machine, addr + 32, 8)).toEqual([0xc0, 0x88, 0x56, 0x63, 0xc5, 0x56, 0x41, 0xd8]);
    kfree(machine, addr);
    expect(peek(machine, addr - 8, 9)).toEqual([0x5b, 0xe3, 0x74, 0x9d, 0x02, 0x11, 0xf9, 0x09, 0x6b]);
    checkSlab(machine);
  });

  test('a double free', () => {
    const machine = boot();
    const addr = kmalloc(machine, 32);
    kfree(machine, addr);
    expect(refused(machine, KERNEL, { call: 'kfree', addr })).toMatchObject({ errno: 'EINVAL', why: { code: 'DOUBLE_FREE' } });
    expect(log(machine)).toContain("slab error in verify_redzone_free(): cache `size-32': double free detected");
    expect(log(machine)).toContain('redzone 1:0x9f911029d74e35b, redzone 2:0x9f911029d74e35b');
  });

  test('a write beyond the end: told when the object is freed, which it is', () => {
    const machine = boot();
    const addr = kmalloc(machine, 32);
    poke(machine, addr + 32, 0x41);
    kfree(machine, addr);
    expect(log(machine)).toContain("cache `size-32': memory outside object was overwritten");
    expect(log(machine)).toContain('redzone 1:0xd84156c5635688c0, redzone 2:0xd84156c563568841');
    expect(kmalloc(machine, 32)).toBe(addr);
    checkSlab(machine);
  });

  test('a write after free: told when the object is given out next', () => {
    const machine = boot();
    const addr = kmalloc(machine, 32);
    kfree(machine, addr);
    poke(machine, addr + 17, 0x41);
    expect(kmalloc(machine, 32)).toBe(addr);
    expect(log(machine)).toContain(`Slab corruption: size-32 start=${addr.toString(16)}, len=32`);
    expect(log(machine)).toContain('010: 6b 41 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5');
  });

  test('a red zone overwritten while free', () => {
    const machine = boot();
    const addr = kmalloc(machine, 32);
    kfree(machine, addr);
    poke(machine, addr - 1, 0);
    kmalloc(machine, 32);
    expect(log(machine)).toContain('double free, or memory outside object was overwritten');
  });

  test('with poison a constructor runs each time an object is given out', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 40, { ctor: true });
    const addr = cacheAlloc(machine, cache);
    poke(machine, addr, 1, 2, 3);
    cacheFree(machine, cache, addr);
    expect(peek(machine, addr, 3)).toEqual([0x6b, 0x6b, 0x6b]);
    expect(cacheAlloc(machine, cache)).toBe(addr);
    expect(peek(machine, addr, 3)).toEqual([0xc5, 0xc5, 0xc5]);
  });
});

describe.each(['slub', 'slab'])('constructors under %s', (allocator) => {
  test('run once for each object, when its slab is made; what they wrote is still there for the next holder', () => {
    const machine = bootFlat(256, { slab: { allocator } });
    const cache = createCache(machine, 'things', 200, { ctor: true });
    expect(machine.contents.size).toBe(0);
    const addr = cacheAlloc(machine, cache);
    expect(new Set(peek(machine, addr, 200))).toEqual(new Set([0xc5]));
    const { objects } = slabAt(machine, addr)!;
    const size = lineOf(machine, 'things')!.size!;
    const first = slabAt(machine, addr)!.pfn * PAGE + slabAt(machine, addr)!.start + 0xc0000000;
    for (let n = 0; n < objects; n++) expect(peek(machine, first + n * size, 1)).toEqual([0xc5]);
    poke(machine, addr + 5, 0x77);
    cacheFree(machine, cache, addr);
    expect(cacheAlloc(machine, cache)).toBe(addr);
    expect(peek(machine, addr + 5, 1)).toEqual([0x77]);
  });

  test('leave nothing behind: a freed slab’s frames are zero again', () => {
    const machine = bootFlat(256, { slab: { allocator } });
    const cache = createCache(machine, 'things', 200, { ctor: true });
    const addr = cacheAlloc(machine, cache);
    cacheFree(machine, cache, addr);
    granted(machine, KERNEL, { call: 'kmem_cache_shrink', cache });
    expect(machine.contents.size).toBe(0);
  });

  test('what they wrote is in the hash and survives saving', () => {
    const machine = bootFlat(256, { slab: { allocator } });
    const plain = restore(snapshot(machine));
    cacheAlloc(machine, createCache(machine, 'things', 200, { ctor: true }));
    cacheAlloc(plain, createCache(plain, 'things', 200));
    expect(hash(machine)).not.toBe(hash(plain));
    const again = restore(snapshot(machine));
    expect([...again.contents.keys()]).toEqual([...machine.contents.keys()]);
    expect(hash(again)).toBe(hash(machine));
  });
});
