/** translate (spec §2; Intel SDM volume 3, chapter 4): every step from a logical to a physical address, or the fault and what becomes of it. */
import { describe, expect, test } from 'vitest';
import type { Step } from '#kernel/arch/steps.ts';
import { type Machine, type Refused, call, createMachine, hash } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, SHARED, bootFlat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { FLAT_ENTRY } from '../helpers/requests_mmu.ts';

const steps = (answer: object): Step[] => (answer as { steps: Step[] }).steps;
const names = (answer: object): string[] => steps(answer).map(({ step }) => step);

function process(config: Record<string, unknown> = {}): { machine: Machine; pid: number } {
  const machine = bootFlat(1024, config);
  return { machine, pid: spawn(machine) };
}

const ask = (addr: number | string, access = 'read', more: Record<string, unknown> = {}) => ({ call: 'translate', addr, access, ...more });

describe('i386: ten bits, ten bits, twelve', () => {
  test('a page that is there: segment, two entries, the frame', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 2);
    touch(machine, pid, 'write', addr, 1);
    const answer = granted(machine, pid, ask(addr + 5, 'write'));
    const { pgd } = machine.tasks.get(pid)!.mm;
    expect(names(answer).filter((step) => step !== 'tlb')).toEqual(['segment', 'entry', 'entry', 'page']);
    const [segment, pde, pte, page] = steps(answer).filter(({ step }) => step !== 'tlb');
    expect(segment).toMatchObject({ register: 'ds', selector: 0x7b, base: 0, limit: 0xffffffff, linear: addr + 5 });
    expect(pde).toMatchObject({ level: 'PGD', index: addr >>> 22, at: pgd * PAGE + (addr >>> 22) * 4, present: true, user: true });
    expect(pte).toMatchObject({
      level: 'PT',
      index: (addr >>> 12) & 0x3ff,
      at: (pde!.pfn as number) * PAGE + ((addr >>> 12) & 0x3ff) * 4,
      dirty: true,
    });
    expect(page).toMatchObject({ pfn: pte!.pfn, offset: 5, bytes: PAGE });
    expect(answer).toMatchObject({ linear: addr + 5, phys: (pte!.pfn as number) * PAGE + 5 });
  });

  test('what one table would have cost: 4 MiB, and the tree 8 KiB for a page (the notes: 4 MB, 8 KB)', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    expect(granted(machine, pid, ask(addr)).tables).toEqual({ oneLevelBytes: 4 << 20, treeBytes: 8192 });
  });

  const CODES: [string, string, number, (machine: Machine, pid: number) => number][] = [
    ['read of nothing', 'read', 4, (machine, pid) => mmap(machine, pid, 1)],
    ['write of nothing', 'write', 6, (machine, pid) => mmap(machine, pid, 1)],
    ['fetch of nothing: without NX a read like any other', 'exec', 4, (machine, pid) => mmap(machine, pid, 1)],
    [
      'write of the zero page',
      'write',
      7,
      (machine, pid) => {
        const addr = mmap(machine, pid, 1);
        touch(machine, pid, 'read', addr, 1);
        return addr;
      },
    ],
    ['read of the kernel’s direct map', 'read', 5, () => 0xc0100000],
    ['write of the kernel’s direct map', 'write', 7, () => 0xc0100000],
    ['read of the kernel’s empty addresses', 'read', 4, () => 0xf0000000],
  ];
  test.each(CODES)('%s: the error code (arch/x86/include/asm/trap_pf.h)', (_what, access, errorCode, place) => {
    const { machine, pid } = process();
    const addr = place(machine, pid);
    const answer = refused(machine, pid, ask(addr, access));
    expect(answer).toMatchObject({
      errno: 'EFAULT',
      why: { code: 'PAGE_FAULT', addr, errorCode },
      fault: { vector: '#PF', errorCode, cr2: addr },
    });
    expect(machine.tasks.has(pid)).toBe(true);
  });

  test('ring 0 has no user bit in its code, and CR0.WP makes a read-only page so for it too', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    expect(refused(machine, pid, ask(addr, 'write', { ring: 0 })).fault).toMatchObject({ errorCode: 2 });
    touch(machine, pid, 'read', addr, 1);
    expect(refused(machine, pid, ask(addr, 'write', { ring: 0 })).fault).toMatchObject({ errorCode: 3 });
  });

  test('the direct map lies in pages of 4 MiB: one level, offset of 22 bits', () => {
    const { machine } = process();
    const answer = granted(machine, KERNEL, ask(0xc0123456));
    expect(answer.phys).toBe(0x123456);
    expect(steps(answer).filter(({ step }) => step === 'entry')).toMatchObject([
      { level: 'PGD', index: 768, large: true, global: true, user: false },
    ]);
    expect(steps(answer).at(-1)).toMatchObject({ step: 'page', bytes: 4 << 20, offset: 0x123456 });
  });

  test('the end of the direct map that fills no large page is mapped by small ones', () => {
    const machine = bootFlat(1500);
    const answer = granted(machine, KERNEL, ask(0xc0000000 + 1200 * PAGE));
    expect(answer.phys).toBe(1200 * PAGE);
    expect(steps(answer).filter(({ step }) => step === 'entry')).toMatchObject([{ level: 'PGD' }, { level: 'PT', pfn: 1200 }]);
  });

  test('vmalloc, ioremap and kmap are seen by ring 0 where they are, devices without cache', () => {
    const machine = bootFlat(64, { frames: 4096, zones: { normal: 3072, highmem: 1024 } });
    const area = granted(machine, KERNEL, { call: 'vmalloc', size: 2 * PAGE }).addr as number;
    const { frames } = machine.vmap.areas[0]!;
    expect(granted(machine, KERNEL, ask(area + PAGE + 3, 'write')).phys).toBe(frames[1]! * PAGE + 3);
    expect(refused(machine, KERNEL, ask(area + 2 * PAGE)).fault).toMatchObject({ errorCode: 0 }); // the guard page
    const io = granted(machine, KERNEL, { call: 'ioremap', phys: 0xfed00010, size: 16 }).addr as number;
    const device = granted(machine, KERNEL, ask(io));
    expect(device.phys).toBe(0xfed00010);
    expect(steps(device).find(({ level }) => level === 'PT')).toMatchObject({ uncached: true });
    const pfn = granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_HIGHUSER' }).pfn!;
    const mapped = granted(machine, KERNEL, { call: 'kmap', pfn }).addr as number;
    expect(granted(machine, KERNEL, ask(mapped)).phys).toBe(pfn * PAGE);
  });

  test('segmentation comes first: base and limit, and the fault of the limit', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const { selector } = granted(machine, pid, { call: 'modify_ldt', ...FLAT_ENTRY, base: addr, limit: 15, granularity: 0 });
    granted(machine, pid, { call: 'load_segment', register: 'ds', selector });
    expect(granted(machine, pid, ask(15))).toMatchObject({ linear: addr + 15 });
    const answer = refused(machine, pid, ask(16));
    expect(answer).toMatchObject({ why: { code: 'SEGMENT_LIMIT' }, fault: { vector: '#GP', errorCode: 0 } });
    expect(names(answer)).toEqual(['segment', 'exception', 'force_sig']);
    granted(machine, pid, { call: 'load_segment', register: 'ss', selector });
    expect(refused(machine, pid, ask(16, 'read', { segment: 'ss' }))).toMatchObject({ fault: { vector: '#SS', errorCode: 0 } });
    expect(machine.tasks.has(pid)).toBe(true);
  });
});

describe('what the kernel would do about the fault', () => {
  const path = (answer: Refused): string[] => {
    const all = names(answer);
    return all.slice(all.indexOf('exception'));
  };

  test('first write: a page of zeros; first read: the shared zero page', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    const start = ['exception', 'find_vma', 'handle_mm_fault', 'pte_alloc', 'do_anonymous_page'];
    expect(path(refused(machine, pid, ask(addr, 'write')))).toEqual([...start, 'alloc_page', 'clear_page', 'set_pte', 'iret']);
    expect(path(refused(machine, pid, ask(addr)))).toEqual([...start, 'set_pte', 'iret']);
  });

  test('write after fork: copied while two have it, reused by the last', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(path(refused(machine, pid, ask(addr, 'write')))).toEqual([
      'exception',
      'find_vma',
      'handle_mm_fault',
      'do_wp_page',
      'alloc_page',
      'copy_page',
      'set_pte',
      'iret',
    ]);
    granted(machine, child, { call: 'exit' });
    expect(path(refused(machine, pid, ask(addr, 'write')))).toEqual([
      'exception',
      'find_vma',
      'handle_mm_fault',
      'do_wp_page',
      'set_pte',
      'iret',
    ]);
  });

  test('what it says is what an access does', () => {
    const { machine, pid } = process();
    const shared = mmap(machine, pid, 1, RW, SHARED);
    expect(path(refused(machine, pid, ask(shared)))).toContain('do_shared_fault');
    expect(touch(machine, pid, 'read', shared, 1).minor).toBe(1);
    expect(call(machine, pid, ask(shared, 'write'))).toMatchObject({ ok: true });
    expect(touch(machine, pid, 'write', shared, 1).minor).toBe(0);
  });

  test('a file: read from the disk, then from the cache with its neighbours; private writes copy, behind its end is SIGBUS', () => {
    const machine = bootFlat(1024, { disk: { files: [{ path: '/f', bytes: 2 * PAGE }] } });
    const pid = spawn(machine);
    const { fd } = granted(machine, pid, { call: 'open', path: '/f', flags: 'O_RDWR' });
    const map = (flags: string) => granted(machine, pid, { call: 'mmap', length: 4 * PAGE, prot: RW, flags, fd, offset: 0 }).addr as number;
    const own = map('MAP_PRIVATE');
    const start = ['exception', 'find_vma', 'handle_mm_fault'];
    expect(path(refused(machine, pid, ask(own)))).toEqual([...start, 'pte_alloc', 'do_read_fault', 'filemap_fault', 'set_pte', 'iret']);
    expect(touch(machine, pid, 'read', own, 1)).toMatchObject({ major: 1 });
    const shared = map('MAP_SHARED');
    expect(path(refused(machine, pid, ask(shared)))).toEqual([...start, 'do_read_fault', 'do_fault_around', 'set_pte', 'iret']);
    expect(path(refused(machine, pid, ask(shared, 'write')))).toEqual([...start, 'do_shared_fault', 'page_mkwrite', 'set_pte', 'iret']);
    expect(path(refused(machine, pid, ask(own, 'write')))).toEqual([...start, 'do_wp_page', 'alloc_page', 'copy_page', 'set_pte', 'iret']);
    expect(steps(refused(machine, pid, ask(own + 2 * PAGE))).at(-1)).toMatchObject({ step: 'force_sig_fault', signal: 'SIGBUS' });
    expect(steps(refused(machine, pid, ask(own + 2 * PAGE, 'read', { ring: 0 }))).at(-1)).toMatchObject({ step: 'fixup_exception' });
  });

  test('no area: SEGV_MAPERR; an area that forbids it: SEGV_ACCERR; for the kernel EFAULT by fixup, and an oops at its own addresses', () => {
    const { machine, pid } = process();
    const readOnly = mmap(machine, pid, 1, 'PROT_READ');
    expect(steps(refused(machine, pid, ask(4))).at(-1)).toMatchObject({ step: 'force_sig_fault', signal: 'SIGSEGV', code: 'SEGV_MAPERR' });
    expect(steps(refused(machine, pid, ask(readOnly, 'write'))).at(-1)).toMatchObject({ code: 'SEGV_ACCERR' });
    expect(steps(refused(machine, pid, ask(4, 'read', { ring: 0 }))).at(-1)).toEqual({ step: 'fixup_exception', errno: 'EFAULT' });
    expect(steps(refused(machine, pid, ask(0xf0000000, 'read', { ring: 0 }))).at(-1)).toEqual({ step: 'oops' });
    expect(steps(refused(machine, KERNEL, ask(4))).at(-1)).toEqual({ step: 'oops' });
  });

  test('below a stack: it would grow', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1, RW, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_GROWSDOWN');
    expect(path(refused(machine, pid, ask(addr - 8, 'write')))).toContain('expand_stack');
    expect(touch(machine, pid, 'write', addr - PAGE, 1).minor).toBe(1);
  });

  test('nothing of it happens: the machine is the same', () => {
    const { machine, pid } = process();
    const addr = mmap(machine, pid, 1, RW, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_GROWSDOWN');
    const before = hash(machine);
    for (const at of [addr, addr - 8, 0, 0xc0000000])
      for (const access of ['read', 'write', 'exec']) refused(machine, pid, ask(at, access));
    expect(hash(machine)).toBe(before);
  });
});

describe('x86_64: four times nine bits, and twelve', () => {
  const wide = () => process({ arch: 'x86_64' });

  test('four entries of 8 bytes; the rights are what all of them allow', () => {
    const { machine, pid } = wide();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const answer = granted(machine, pid, ask(addr + 7, 'write'));
    const entries = steps(answer).filter(({ step }) => step === 'entry');
    expect(entries.map(({ level }) => level)).toEqual(['PGD', 'PUD', 'PMD', 'PT']);
    expect(entries.map(({ index }) => index)).toEqual([39, 30, 21, 12].map((shift) => Number((BigInt(addr) >> BigInt(shift)) & 511n)));
    expect(entries.map(({ rights }) => rights)).toEqual(['rwxu', 'rwxu', 'rwxu', 'rw-u']);
    expect((entries[1]!.at as number) % PAGE).toBe((entries[1]!.index as number) * 8);
    expect(answer.tables).toEqual({ oneLevelBytes: 512 * 2 ** 30, treeBytes: 4 * PAGE });
  });

  test('a fetch from data is told by its own bit: 0x15, and 0x14 where nothing is', () => {
    const { machine, pid } = wide();
    const addr = mmap(machine, pid, 2);
    touch(machine, pid, 'write', addr, 1);
    expect(refused(machine, pid, ask(addr, 'exec')).fault).toMatchObject({ errorCode: 0x15 });
    expect(refused(machine, pid, ask(addr + PAGE, 'exec')).fault).toMatchObject({ errorCode: 0x14 });
  });

  test('an address that is not canonical is a #GP, never a #PF', () => {
    const { machine, pid } = wide();
    for (const addr of ['0x800000000000', '0xffff7fffffffffff'])
      expect(refused(machine, pid, ask(addr))).toMatchObject({ why: { code: 'NOT_CANONICAL' }, fault: { vector: '#GP', errorCode: 0 } });
    expect(refused(machine, pid, ask('0x7fffffffffff'))).toMatchObject({ why: { code: 'PAGE_FAULT', errorCode: 4 } });
    expect(refused(machine, pid, ask('0xffff800000000000'))).toMatchObject({ why: { code: 'PAGE_FAULT', addr: '0xffff800000000000' } });
  });

  test('the direct map in pages of 2 MiB; no fetch from it', () => {
    const { machine } = wide();
    const answer = granted(machine, KERNEL, ask('0xffff888000323456'));
    expect(answer).toMatchObject({ linear: '0xffff888000323456', phys: 0x323456 });
    expect(steps(answer).at(-1)).toMatchObject({ pfn: 512, bytes: 2 << 20, offset: 0x123456 });
    expect(refused(machine, KERNEL, ask('0xffff888000323456', 'exec')).fault).toMatchObject({ errorCode: 0x11 });
  });

  test('64-bit code knows neither base nor limit, but for the bases of FS and GS', () => {
    const { machine, pid } = wide();
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    const { selector } = granted(machine, pid, { call: 'modify_ldt', ...FLAT_ENTRY, base: 0x1000, limit: 0, granularity: 0 });
    for (const register of ['ds', 'fs']) granted(machine, pid, { call: 'load_segment', register, selector });
    expect(granted(machine, pid, ask(addr + 1)).linear).toBe(addr + 1);
    expect(granted(machine, pid, ask(addr - 0x1000, 'read', { segment: 'fs' })).linear).toBe(addr);
    granted(machine, pid, { call: 'read', addr, length: 1 });
  });
});

describe('tables of one’s own', () => {
  test('toy16, the machine of the notes: 0010 000000000100 is page 2, entry 110 1, and 110 000000000100', () => {
    const machine = createMachine({ frames: 64, arch: 'toy16' });
    const answer = granted(machine, KERNEL, ask(0b0010_0000_0000_0100));
    expect(answer).toMatchObject({ linear: 8196, phys: 24580, tables: { oneLevelBytes: 16, treeBytes: 16 } });
    expect(steps(answer)).toMatchObject([
      { step: 'entry', index: 2, entry: 0b1101, valid: true, pfn: 0b110 },
      { step: 'page', offset: 4 },
    ]);
  });

  test('toy16: sixteen pages on eight frames, each frame once; a page without one is a fault', () => {
    const machine = createMachine({ frames: 64, arch: 'toy16' });
    const pages = Array.from({ length: 16 }, (_, n) => call(machine, KERNEL, ask(n * PAGE)));
    const frames = pages.flatMap((answer) => (answer.ok ? [(answer.phys as number) / PAGE] : []));
    expect(frames.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(pages[4]).toMatchObject({ errno: 'EFAULT', why: { code: 'PAGE_FAULT', addr: 4 * PAGE } });
    expect(refused(machine, KERNEL, ask(65536))).toMatchObject({ errno: 'EINVAL' });
  });

  test('entries of 8 bytes, lowest first, the valid bit anywhere', () => {
    const memory = [0, 0, 0, 0, 0, 0, 0, 0x80, 5, 0, 0, 0, 0, 0, 0, 0x80];
    const config = { frames: 64, arch: { levels: [1], offsetBits: 4, pteBytes: 8, validBit: 63, memory } };
    expect(granted(createMachine(config), KERNEL, ask(0x1f))).toMatchObject({ phys: 0x5f });
    expect(granted(createMachine(config), KERNEL, ask(0x0f))).toMatchObject({ phys: 0x0f, value: 0x80 });
    const middle = { ...config.arch, pteBytes: 1, validBit: 2, memory: '0f0d' };
    const answer = granted(createMachine({ ...config, arch: middle }), KERNEL, ask(0x1f));
    expect(steps(answer)[0]).toMatchObject({ entry: 0x0d, pfn: 0b101 });
  });

  test('a table that names itself is counted once a level', () => {
    const arch = { levels: [1, 1, 1, 1], offsetBits: 1, pteBytes: 1, validBit: 7, memory: '8080' };
    expect(granted(createMachine({ frames: 64, arch }), KERNEL, ask(1))).toMatchObject({
      phys: 1,
      tables: { oneLevelBytes: 16, treeBytes: 8 },
    });
  });

  test.each([
    [{ levels: [], offsetBits: 4, pteBytes: 1, validBit: 7, memory: '' }, 'levels'],
    [{ levels: [21], offsetBits: 4, pteBytes: 1, validBit: 7, memory: '' }, 'levels'],
    [{ levels: [20, 20], offsetBits: 12, pteBytes: 1, validBit: 7, memory: '' }, '52 bits'],
    [{ levels: [4], offsetBits: 0, pteBytes: 1, validBit: 7, memory: '' }, 'offsetBits'],
    [{ levels: [4], offsetBits: 4, pteBytes: 3, validBit: 7, memory: '' }, 'pteBytes'],
    [{ levels: [4], offsetBits: 4, pteBytes: 1, validBit: 8, memory: '' }, 'validBit'],
    [{ levels: [4], offsetBits: 4, pteBytes: 1, validBit: 7, memory: '0' }, 'memory'],
    [{ levels: [4], offsetBits: 4, pteBytes: 1, validBit: 7, memory: [256] }, 'memory'],
    [{ levels: [4], offsetBits: 4, pteBytes: 1, validBit: 7 }, 'memory'],
    [{ levels: [4], offsetBits: 4, pteBytes: 1, validBit: 7, memory: '', root: -1 }, 'root'],
    [{ levels: [4], offsetBits: 4, pteBytes: 1, validBit: 7, memory: '', colour: 1 }, 'colour'],
    ['toy17', 'arch'],
  ])('an impossible one is refused by its key: %j', (arch, key) => {
    expect(() => createMachine({ frames: 64, arch })).toThrow(key);
  });
});
