/** Segmentation (Intel SDM volume 3, chapters 3 and 5; arch/x86/kernel/ldt.c; spec §1): descriptors, registers, and what each access checks. */
import { describe, expect, test } from 'vitest';
import { bytesWithin, decode, effectiveLimit, encode, type Descriptor } from '#kernel/arch/desc.ts';
import { GDT_I386, GDT_X86_64 } from '#kernel/arch/gdt.ts';
import { descriptorOf, flatSegments, loadFault, segmentAccess, type Segments } from '#kernel/arch/segment.ts';
import { type Machine, call, hash, restore, snapshot } from '#kernel/machine.ts';
import { PAGE, bootFlat, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { FLAT_ENTRY } from '../helpers/requests_mmu.ts';
import { segmentExperiment } from '../helpers/segments.ts';

const DATA: Descriptor = {
  base: 0,
  limit: 0xff,
  type: 2,
  isSegment: true,
  dpl: 3,
  present: true,
  available: false,
  long: false,
  big: true,
  granularity: false,
};

function process(): { machine: Machine; pid: number } {
  const machine = bootFlat(256);
  return { machine, pid: spawn(machine) };
}

function entry(machine: Machine, pid: number, fields: Record<string, unknown>): number {
  return granted(machine, pid, { call: 'modify_ldt', ...FLAT_ENTRY, ...fields }).selector as number;
}

const load = (machine: Machine, pid: number, register: string, selector: number) =>
  call(machine, pid, { call: 'load_segment', register, selector });

describe('descriptors', () => {
  test('the flat user data segment is 00cff2000000ffff, as Linux writes it; ours is accessed already', () => {
    expect(encode({ ...DATA, limit: 0xfffff, granularity: true })).toEqual({ low: 0x0000ffff, high: 0x00cff200 });
    expect(GDT_X86_64.entries.get(6)).toEqual({ low: 0x0000ffff, high: 0x00affb00 });
  });

  test.each([
    { ...DATA, base: 0x12345678, limit: 0xabcde, type: 15, dpl: 2 },
    { ...DATA, base: 0xffffffff, limit: 0, type: 0, dpl: 0, present: false, isSegment: false, available: true, long: true, big: false },
  ])('8 bytes and back: $base', (descriptor) => {
    expect(decode(encode(descriptor))).toEqual(descriptor);
  });

  test('base 0x12345678 lies in bytes 2, 3, 4 and 7; limit 0xabcde in 0, 1 and the low half of 6', () => {
    const { machine, pid } = process();
    const { descriptor } = granted(machine, pid, {
      call: 'modify_ldt',
      ...FLAT_ENTRY,
      base: 0x12345678,
      limit: 0xabcde,
      granularity: false,
    });
    expect(descriptor).toEqual([0xde, 0xbc, 0x78, 0x56, 0x34, 0xf3, 0x4a, 0x12]);
  });

  test('G counts the limit in pages and fills the last twelve bits', () => {
    expect(effectiveLimit({ ...DATA, limit: 3, granularity: true })).toBe(0x3fff);
    expect(effectiveLimit({ ...DATA, limit: 0xfffff, granularity: true })).toBe(0xffffffff);
  });

  test('an expand-down segment ends at 4 GiB, or at 64 KiB with B clear', () => {
    const down = { ...DATA, type: 6 };
    expect(bytesWithin(down, 0xff, 1)).toBe(0);
    expect(bytesWithin(down, 0x100, 1)).toBe(1);
    expect(bytesWithin(down, 0xfffffffe, 4)).toBe(2);
    expect(bytesWithin({ ...down, big: false }, 0xfffe, 4)).toBe(2);
    expect(bytesWithin({ ...down, big: false }, 0x10000, 1)).toBe(0);
  });
});

test('the probes of a real CPU: LSL, LAR, VERR, VERW of 15 selectors and 14 accesses through FS', () => {
  expect(segmentExperiment()).toEqual(
    `
null selector sel=0x0000 LSL:fail limit=0x00000000 LAR:fail 0x000000 verr=0 verw=0
kernel CS (DPL0) sel=0x0010 LSL:fail limit=0x00000000 LAR:fail 0x000000 verr=0 verw=0
user32 CS sel=0x0023 LSL:ok limit=0xffffffff LAR:ok 0xcffb00 verr=1 verw=0
user DS sel=0x002b LSL:ok limit=0xffffffff LAR:ok 0xcff300 verr=1 verw=1
user64 CS sel=0x0033 LSL:ok limit=0xffffffff LAR:ok 0xaffb00 verr=1 verw=0
beyond GDT limit sel=0xfffb LSL:fail limit=0x00000000 LAR:fail 0x000000 verr=0 verw=0
LDT0 data rw byte limit 0xfff sel=0x0007 LSL:ok limit=0x00000fff LAR:ok 0x50f300 verr=1 verw=1
LDT1 data rw G=1 limit 3 -> 0x3fff sel=0x000f LSL:ok limit=0x00003fff LAR:ok 0xd0f300 verr=1 verw=1
LDT2 flat G=1 limit 0xfffff sel=0x0017 LSL:ok limit=0xffffffff LAR:ok 0xdff300 verr=1 verw=1
LDT3 data read-only sel=0x001f LSL:ok limit=0x00000fff LAR:ok 0x50f100 verr=1 verw=0
LDT4 data expand-down sel=0x0027 LSL:ok limit=0x00000fff LAR:ok 0x50f700 verr=1 verw=1
LDT5 code exec/read sel=0x002f LSL:ok limit=0x00000fff LAR:ok 0x50fb00 verr=1 verw=0
LDT6 code exec-only sel=0x0037 LSL:ok limit=0x00000fff LAR:ok 0x50f900 verr=0 verw=0
LDT7 not present sel=0x003f LSL:ok limit=0x00000fff LAR:ok 0x507300 verr=1 verw=1
LDT8 never installed sel=0x0047 LSL:fail limit=0x00000000 LAR:fail 0x000000 verr=0 verw=0
rw limit=0x000000ff off=0x000000ff size=1 read -> OK
rw limit=0x000000ff off=0x00000100 size=1 read -> SIGSEGV(#GP)
rw limit=0x000000ff off=0x000000fc size=4 read -> OK
rw limit=0x000000ff off=0x000000fd size=4 read -> SIGSEGV(#GP)
rw limit=0x000000ff off=0x00000000 size=4 write -> OK
ro limit=0x000000ff off=0x00000010 size=4 read -> OK
ro limit=0x000000ff off=0x00000010 size=4 write -> SIGSEGV(#GP)
G=1 limit=0x00000000 off=0x00000fff size=1 read -> OK
G=1 limit=0x00000000 off=0x00001000 size=1 read -> SIGSEGV(#GP)
G=1 limit=0x00000001 off=0x00001fff size=1 read -> OK
G=1 limit=0x00000001 off=0x00001ffd size=4 read -> SIGSEGV(#GP)
expand-down limit=0x000000ff off=0x000000ff size=1 read -> SIGSEGV(#GP)
expand-down limit=0x000000ff off=0x00000100 size=1 read -> OK
expand-down limit=0x000000ff off=0x00000000 size=1 read -> SIGSEGV(#GP)`
      .trim()
      .split('\n'),
  );
});

const NOT_PRESENT = { code: 'SEGMENT_NOT_PRESENT', selector: 7, errorCode: 4 };

describe('what loading a register checks', () => {
  const KILLED: [string, string, number, Record<string, unknown> | null, object][] = [
    ['CS is never null', 'cs', 0, null, { signal: 'SIGSEGV', fault: { vector: '#GP', errorCode: 0 }, why: { code: 'SEGMENT_NULL' } }],
    ['nor is SS in ring 3', 'ss', 3, null, { signal: 'SIGSEGV', fault: { vector: '#GP', errorCode: 0 }, why: { code: 'SEGMENT_NULL' } }],
    ['beyond the GDT', 'ds', 0xfffb, null, { signal: 'SIGSEGV', fault: { vector: '#GP', errorCode: 0xfff8 }, why: { limit: 255 } }],
    ['an LDT that is not there', 'ds', 7, null, { fault: { vector: '#GP', errorCode: 4 }, why: { code: 'SELECTOR_BEYOND_TABLE' } }],
    ['an entry of the GDT that is empty', 'ds', 0x23, null, { fault: { vector: '#GP', errorCode: 0x20 }, why: { code: 'SEGMENT_TYPE' } }],
    ['the kernel’s data', 'ds', 0x68, null, { fault: { errorCode: 0x68 }, why: { code: 'SEGMENT_PRIVILEGE', cpl: 3, rpl: 0, dpl: 0 } }],
    ['data in CS', 'cs', 0x7b, null, { why: { code: 'SEGMENT_TYPE', register: 'cs', access: 'exec' } }],
    ['code in SS', 'ss', 0x73, null, { why: { code: 'SEGMENT_TYPE', register: 'ss', access: 'write' } }],
    ['SS with another RPL than the ring', 'ss', 0x78, null, { why: { code: 'SEGMENT_PRIVILEGE', rpl: 0 } }],
    ['code that may only be executed, for data', 'ds', 7, { type: 'execute-only' }, { why: { code: 'SEGMENT_TYPE', access: 'read' } }],
    ['read-only data in SS', 'ss', 7, { type: 'read-only' }, { why: { code: 'SEGMENT_TYPE', access: 'write' } }],
    ['data of ring 2', 'ds', 7, { dpl: 2 }, { why: { code: 'SEGMENT_PRIVILEGE', dpl: 2 } }],
    ['code of ring 2 in CS', 'cs', 7, { type: 'execute/read', dpl: 2 }, { why: { code: 'SEGMENT_PRIVILEGE' } }],
    ['absent, in DS: #NP', 'ds', 7, { present: 0 }, { signal: 'SIGBUS', why: NOT_PRESENT, fault: { vector: '#NP', errorCode: 4 } }],
    ['absent, in SS: #SS', 'ss', 7, { present: 0 }, { signal: 'SIGBUS', why: NOT_PRESENT, fault: { vector: '#SS', errorCode: 4 } }],
  ];

  test.each(KILLED)('%s', (_what, register, selector, fields, expected) => {
    const { machine, pid } = process();
    if (fields !== null) entry(machine, pid, fields);
    expect(load(machine, pid, register, selector)).toMatchObject({ ok: false, ...expected });
    expect(machine.tasks.has(pid)).toBe(false);
  });

  test('the type is looked at before the privilege, both before presence', () => {
    const { machine, pid } = process();
    entry(machine, pid, { type: 'execute-only', dpl: 0, present: 0 });
    expect(load(machine, pid, 'ds', 7)).toMatchObject({ why: { code: 'SEGMENT_TYPE' } });
    const other = spawn(machine);
    entry(machine, other, { dpl: 0, present: 0 });
    expect(load(machine, other, 'ds', 7)).toMatchObject({ why: { code: 'SEGMENT_PRIVILEGE' } });
  });

  test('conforming code may be read by every ring, and executed by outer ones', () => {
    const { machine, pid } = process();
    entry(machine, pid, { type: 'execute/read, conforming', dpl: 0 });
    expect(load(machine, pid, 'ds', 7)).toMatchObject({ ok: true, dpl: 0 });
    expect(load(machine, pid, 'cs', 7)).toMatchObject({ ok: true, selector: 7 });
  });

  test('null in DS is legal; using it is not', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    expect(load(machine, pid, 'ds', 0)).toMatchObject({ ok: true, selector: 0 });
    expect(refused(machine, pid, { call: 'read', addr, length: 1 })).toMatchObject({
      signal: 'SIGSEGV',
      why: { code: 'SEGMENT_NULL', register: 'ds' },
    });
  });

  test('the user’s own selectors of the GDT load everywhere that they fit', () => {
    const { machine, pid } = process();
    for (const register of ['ds', 'es', 'fs', 'gs', 'ss'])
      expect(load(machine, pid, register, 0x7b)).toMatchObject({ ok: true, base: 0, limit: 0xffffffff, table: 'GDT', index: 15 });
    expect(load(machine, pid, 'cs', 0x73)).toMatchObject({ ok: true, type: 'execute/read' });
  });
});

describe('accesses', () => {
  test('an address is an offset: base is added, modulo 2^32', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 2);
    granted(machine, pid, { call: 'poke', addr: addr + PAGE - 2, bytes: [1, 2, 3, 4] });
    load(machine, pid, 'ds', entry(machine, pid, { base: addr }));
    expect(granted(machine, pid, { call: 'peek', addr: PAGE - 2, length: 4 }).bytes).toEqual([1, 2, 3, 4]);
    granted(machine, pid, { call: 'poke', addr: PAGE - 1, bytes: [7, 8] });
    load(machine, pid, 'ds', entry(machine, pid, { base: addr + 0x1000 - 0x100000000 + 0xfffff000 }));
    expect(granted(machine, pid, { call: 'peek', addr: PAGE - 2, length: 4 }).bytes).toEqual([1, 7, 8, 4]);
  });

  test('what the limit allows is touched, the first byte that it does not is a #GP', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 3);
    load(machine, pid, 'ds', entry(machine, pid, { base: addr, limit: PAGE + 9, granularity: 0 }));
    expect(refused(machine, pid, { call: 'write', addr: 0, length: 3 * PAGE })).toMatchObject({
      signal: 'SIGSEGV',
      faults: { minor: 2 },
      why: { code: 'SEGMENT_LIMIT', register: 'ds', addr: PAGE + 10, limit: PAGE + 9, errorCode: 0 },
    });
  });

  test('a read-only segment refuses a write that paging would allow', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    load(machine, pid, 'ds', entry(machine, pid, { type: 'read-only' }));
    granted(machine, pid, { call: 'read', addr, length: 1 });
    expect(refused(machine, pid, { call: 'write', addr, length: 1 })).toMatchObject({
      signal: 'SIGSEGV',
      why: { code: 'SEGMENT_TYPE', access: 'write' },
    });
  });

  test('an access through SS beyond the limit is a #SS, of the wrong type a #GP', () => {
    const segments = flatSegments(GDT_I386);
    segments.registers.ss.cache = encode({ ...DATA, type: 3 });
    expect(segmentAccess(segments, 'ss', 0x100, 1, 'read').fault).toMatchObject({ vector: '#SS', errorCode: 0 });
    segments.registers.ss.cache = encode({ ...DATA, type: 1 });
    expect(segmentAccess(segments, 'ss', 0, 1, 'write').fault).toMatchObject({ vector: '#GP', errorCode: 0 });
  });

  test('instructions come through CS', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1, 'PROT_READ|PROT_EXEC');
    entry(machine, pid, { type: 'execute/read', base: addr, limit: 7, granularity: 0 });
    load(machine, pid, 'cs', 7);
    granted(machine, pid, { call: 'exec', addr: 7 });
    expect(refused(machine, pid, { call: 'exec', addr: 8 })).toMatchObject({ why: { code: 'SEGMENT_LIMIT', register: 'cs' } });
  });

  test('a register keeps what it was loaded with: writing the table anew changes nothing until it is loaded again', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    const selector = entry(machine, pid, {});
    load(machine, pid, 'ds', selector);
    entry(machine, pid, { limit: 0, granularity: 0 });
    granted(machine, pid, { call: 'read', addr, length: 1 });
    load(machine, pid, 'ds', selector);
    expect(refused(machine, pid, { call: 'read', addr, length: 1 })).toMatchObject({ why: { code: 'SEGMENT_LIMIT' } });
  });
});

describe('processes', () => {
  test('a process has flat segments until it changes them, and they are no state', () => {
    const { machine, pid } = process();
    expect(machine.tasks.get(pid)!.segments).toBeNull();
    granted(machine, pid, { call: 'read', addr: mmap(machine, pid, 1), length: 1 });
    expect(machine.tasks.get(pid)!.segments).toBeNull();
  });

  test('fork copies registers and table; afterwards they are two', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    load(machine, pid, 'ds', entry(machine, pid, { base: addr }));
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, child, { call: 'read', addr: 0, length: 1 });
    entry(machine, child, { entry: 0, base: 0 });
    load(machine, child, 'ds', 7);
    granted(machine, pid, { call: 'read', addr: 0, length: 1 });
    load(machine, pid, 'ds', 7);
    granted(machine, pid, { call: 'read', addr: 0, length: 1 });
    expect(refused(machine, child, { call: 'read', addr: 0, length: 1 })).toMatchObject({ why: { code: 'NOT_MAPPED' } });
  });

  test('segments are saved and hashed', () => {
    const { machine, pid } = process();
    const before = hash(machine);
    load(machine, pid, 'fs', entry(machine, pid, { limit: 5 }));
    expect(hash(machine)).not.toBe(before);
    const copy = restore(snapshot(machine));
    expect(copy.tasks.get(pid)!.segments).toEqual(machine.tasks.get(pid)!.segments);
    expect(hash(copy)).toBe(hash(machine));
  });

  test('an entry within the table that was never written is no segment', () => {
    const { machine, pid } = process();
    entry(machine, pid, { entry: 5 });
    const { segments } = machine.tasks.get(pid)! as { segments: Segments };
    expect(descriptorOf(segments, GDT_X86_64, 3 * 8 + 7)).toEqual({ low: 0, high: 0 });
    expect(loadFault(segments, GDT_X86_64, 'ds', 3 * 8 + 7)).toMatchObject({ vector: '#GP', errorCode: 3 * 8 + 4 });
    expect(descriptorOf(segments, GDT_X86_64, 6 * 8 + 7)).toBeNull();
  });
});
