/** DMA (kernel/dma/direct.c, asm/dma.h, the 8237; fidelity spec §8, §16): buffers that devices reach, and the handshake that fills them. */
import { describe, expect, test } from 'vitest';
import { transferSteps, type DmaStep } from '#kernel/arch/i8237.ts';
import { hash, type Machine } from '#kernel/machine.ts';
import { KERNEL, KiB, MiB, PAGE, allocPages, boot, bootFlat, freeIn, granted, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkVirtual } from '../helpers/check_virtual.ts';

const ISA = 0xffffff;
/** 16 MiB in ZONE_DMA, 16 MiB in ZONE_NORMAL. */
const bootZones = (config: Record<string, unknown> = {}): Machine => boot({ frames: 8192, zones: { dma: 4096, normal: 4096 }, ...config });

interface Buffer {
  addr: number;
  dma_addr: number;
}
const alloc = (machine: Machine, size: number, mask?: number, pid = KERNEL): Buffer =>
  granted(machine, pid, { call: 'dma_alloc_coherent', size, ...(mask === undefined ? {} : { mask }) }) as unknown as Buffer;
const free = (machine: Machine, addr: number, size: number, pid = KERNEL) =>
  granted(machine, pid, { call: 'dma_free_coherent', addr, size });
const check = (machine: Machine) => {
  checkMachine(machine);
  checkVirtual(machine);
};

describe('dma_alloc_coherent', () => {
  test('gives the address that the kernel uses and the one that the device uses: the direct map’s and the physical one', () => {
    const machine = bootZones();
    const { addr, dma_addr } = alloc(machine, 100);
    expect(addr).toBe(0xc0000000 + dma_addr);
    expect(dma_addr % PAGE).toBe(0);
    check(machine);
  });

  test('the mask decides the zone: 24 bits mean ZONE_DMA, the default of 32 bits ZONE_NORMAL', () => {
    const machine = bootZones();
    expect(alloc(machine, PAGE).dma_addr).toBeGreaterThan(ISA);
    expect(alloc(machine, PAGE, ISA).dma_addr).toBeLessThanOrEqual(ISA);
    expect(machine.zones.map((zone) => zone.free)).toEqual([4095, 4095]);
  });

  test('a mask between: ZONE_NORMAL first, and ZONE_DMA when its frame lies too high (dma_coherent_ok)', () => {
    const machine = bootZones();
    const mask = 20 * MiB - 1;
    expect(alloc(machine, PAGE, mask).dma_addr).toBe(16 * MiB);
    // The lowest 4 MiB of ZONE_NORMAL are gone: what is left there lies above the mask.
    for (let n = 0; n < 1023; n++) allocPages(machine, KERNEL, 0);
    expect(alloc(machine, PAGE, mask).dma_addr).toBe(0);
    check(machine);
  });

  test('no frame below the mask is free: refused, and the buddy is as before', () => {
    const machine = bootFlat(1024);
    allocPages(machine, KERNEL, 4);
    expect(refused(machine, KERNEL, { call: 'dma_alloc_coherent', size: PAGE, mask: 0xffff })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'DMA_MASK', mask: 0xffff, pfn: 16 },
    });
    expect(freeIn(machine)).toBe(1008);
    expect(alloc(machine, PAGE, 0x10fff).dma_addr).toBe(0x10000);
    check(machine);
  });

  test('it is a block of the buddy: 5 pages take 8, the limit is 4 MiB, and a buffer up to 64 KiB never crosses a 64 KiB boundary', () => {
    const machine = bootZones();
    const { addr } = alloc(machine, 5 * PAGE);
    expect(freeIn(machine)).toBe(8192 - 8);
    free(machine, addr, 5 * PAGE);
    expect(freeIn(machine)).toBe(8192);
    alloc(machine, 4 * MiB);
    expect(refused(machine, KERNEL, { call: 'dma_alloc_coherent', size: 4 * MiB + 1 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'ORDER_TOO_LARGE', order: 11, maxOrder: 10 },
    });
    for (const size of [1, 3, 5, 16].map((pages) => pages * PAGE)) {
      const { dma_addr } = alloc(machine, size, ISA);
      expect(Math.floor(dma_addr / (64 * KiB))).toBe(Math.floor((dma_addr + size - 1) / (64 * KiB)));
    }
    check(machine);
  });

  test('is zeroed: nothing of its frames’ past is left', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const page = granted(machine, pid, { call: 'mmap', length: PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' })
      .addr as number;
    granted(machine, pid, { call: 'write', addr: page, length: PAGE, value: 0xaa });
    expect(machine.contents.size).toBe(1);
    granted(machine, pid, { call: 'exit' });
    alloc(machine, MiB);
    expect(machine.contents.size).toBe(0);
  });

  test('dma_free_coherent wants the same address and size; free_pages does not take it', () => {
    const machine = bootZones();
    const { addr, dma_addr } = alloc(machine, 3 * PAGE);
    const before = hash(machine);
    for (const wrong of [addr + PAGE, addr + 8, dma_addr, 0, 0xf8000000]) {
      expect(refused(machine, KERNEL, { call: 'dma_free_coherent', addr: wrong, size: 3 * PAGE })).toMatchObject({
        errno: 'EINVAL',
        why: { code: 'NO_SUCH_AREA', addr: wrong },
      });
    }
    expect(refused(machine, KERNEL, { call: 'dma_free_coherent', addr, size: 4 * PAGE })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'DMA_SIZE', needed: 4, pages: 3 },
    });
    expect(refused(machine, KERNEL, { call: 'free_pages', pfn: dma_addr / PAGE, order: 2 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'BAD_PAGE' },
    });
    expect(hash(machine)).toBe(before);
    free(machine, addr, 2 * PAGE + 1);
    expect(refused(machine, KERNEL, { call: 'dma_free_coherent', addr, size: 3 * PAGE })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'NO_SUCH_AREA' },
    });
    const block = allocPages(machine, KERNEL, 0);
    expect(refused(machine, KERNEL, { call: 'dma_free_coherent', addr: 0xc0000000 + block * PAGE, size: PAGE })).toMatchObject({
      why: { code: 'NO_SUCH_AREA' },
    });
  });

  test('belongs to the process that asked: others may not free it, and it goes with its owner', () => {
    const machine = bootZones();
    const [owner, other] = [spawn(machine), spawn(machine)];
    const before = freeIn(machine);
    const { addr } = alloc(machine, 3 * PAGE, ISA, owner);
    expect(machine.tasks.get(owner)!.kernelPages).toBe(4);
    expect(refused(machine, other, { call: 'dma_free_coherent', addr, size: 3 * PAGE })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_OWNER', owner },
    });
    check(machine);
    granted(machine, owner, { call: 'exit' });
    expect(freeIn(machine)).toBe(before + 1);
    check(machine);
  });

  test('with a contiguous memory area, buffers of more than a page come from it, 4 MiB no limit', () => {
    const machine = boot({ frames: 8192, zones: { normal: 8192 }, mobility: true, cma: { frames: 2048 } });
    const { addr, dma_addr } = alloc(machine, 6 * MiB);
    expect(machine.cma!.runs.get(dma_addr / PAGE)).toMatchObject({ pages: 1536 });
    expect(refused(machine, KERNEL, { call: 'cma_release', pfn: dma_addr / PAGE, count: 1536 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'BAD_PAGE' },
    });
    expect(alloc(machine, PAGE).dma_addr / PAGE).toBeLessThan(machine.cma!.base);
    free(machine, addr, 6 * MiB);
    expect(machine.cma!.runs.size).toBe(0);
    checkVirtual(machine);
  });
});

/** Signals in order, with what they do: `DREQ+` rises. */
const signals = (steps: DmaStep[]): string => steps.map(({ signal, level }) => `${signal}${level === 1 ? '+' : '-'}`).join(' ');

describe('the 8237 handshake', () => {
  const transfer = (machine: Machine, channel: number, addr: number, count: number, mode: string): DmaStep[] =>
    granted(machine, KERNEL, { call: 'dma_transfer', channel, addr, count, mode }).steps as DmaStep[];

  test('block: DREQ, HRQ, HLDA, DACK; all transfers; terminal count; HRQ, HLDA, DACK fall; interrupt', () => {
    const steps = transfer(bootZones(), 2, 0x10000, 512, 'block');
    expect(signals(steps)).toBe('DREQ+ HRQ+ HLDA+ DACK+ DREQ- TRANSFER+ TC+ HRQ- HLDA- DACK- INTERRUPT+');
    expect(steps.find(({ signal }) => signal === 'TRANSFER')).toMatchObject({ addr: 0x10000, times: 512, left: 0xffff });
  });

  test('the bus is the CPU’s until HLDA rises and again when it falls', () => {
    const steps = transfer(bootZones(), 2, 0x10000, 4, 'single');
    let hlda = 0;
    for (const step of steps) {
      if (step.signal === 'HLDA') hlda = step.level;
      expect(step.bus, JSON.stringify(step)).toBe(hlda === 1 ? 'dmac' : 'cpu');
    }
  });

  test('single: the bus goes back after every byte, address + 1, count − 1', () => {
    const steps = transfer(bootZones(), 1, 0x2000, 3, 'single');
    const one = 'DREQ+ HRQ+ HLDA+ DACK+ DREQ- TRANSFER+ HRQ- HLDA- DACK-';
    expect(signals(steps)).toBe(`${one} ${one} ${one.replace('TRANSFER+', 'TRANSFER+ TC+')} INTERRUPT+`);
    expect(steps.filter(({ signal }) => signal === 'TRANSFER')).toMatchObject([
      { addr: 0x2000, times: 1, left: 1 },
      { addr: 0x2001, times: 1, left: 0 },
      { addr: 0x2002, times: 1, left: 0xffff },
    ]);
  });

  test('demand: as long as the device holds DREQ; what its FIFO of 16 holds at a time', () => {
    const steps = transfer(bootZones(), 3, 0x3000, 40, 'demand');
    const burst = 'DREQ+ HRQ+ HLDA+ DACK+ TRANSFER+ DREQ- HRQ- HLDA- DACK-';
    expect(signals(steps)).toBe(`${burst} ${burst} ${burst.replace('TRANSFER+', 'TRANSFER+ TC+')} INTERRUPT+`);
    expect(steps.filter(({ signal }) => signal === 'TRANSFER').map(({ times }) => times)).toEqual([16, 16, 8]);
  });

  test('cascade: the controller only arbitrates; the device is the master of the bus and counts by itself', () => {
    const steps = transfer(bootZones(), 6, 0x3001, 100, 'cascade');
    expect(signals(steps)).toBe('DREQ+ HRQ+ HLDA+ DACK+ TRANSFER+ DREQ- HRQ- HLDA- DACK- INTERRUPT+');
    expect(steps[4]).toEqual({ signal: 'TRANSFER', level: 1, bus: 'device', addr: 0x3001, times: 100 });
  });

  test('16-bit channels move words: address + 2, half as many transfers', () => {
    const steps = transfer(bootZones(), 5, 0x20000, 128 * KiB, 'block');
    expect(steps.find(({ signal }) => signal === 'TRANSFER')).toMatchObject({ addr: 0x20000, times: 65536, left: 0xffff });
    expect(
      transfer(bootZones(), 5, 0x100, 4, 'single')
        .filter(({ signal }) => signal === 'TRANSFER')
        .map(({ addr }) => addr),
    ).toEqual([0x100, 0x102]);
  });

  test('a long transfer is told by its first and last tenure of the bus and how many lie between', () => {
    const steps = transfer(bootZones(), 0, 0, 65536, 'single');
    expect(steps).toHaveLength(9 + 1 + 10 + 1);
    expect(steps[9]).toMatchObject({ signal: 'REPEAT', times: 65534 });
    expect(steps.at(-6)).toMatchObject({ signal: 'TRANSFER', addr: 65535, left: 0xffff });
  });

  test('any number of bytes: transfers told and repeated add up to it (every mode)', () => {
    for (const mode of ['single', 'block', 'demand', 'cascade'] as const) {
      for (let bytes = 1; bytes <= 200; bytes++) {
        const steps = transferSteps(1, 0, bytes, mode);
        const moved = steps.filter(({ signal }) => signal === 'TRANSFER');
        const repeat = steps.find(({ signal }) => signal === 'REPEAT');
        expect(moved.reduce((sum, { times }) => sum + times!, 0) + (repeat ? repeat.times! * moved[0]!.times! : 0)).toBe(bytes);
        const last = moved.at(-1)!;
        expect(last.addr! + last.times!).toBe(bytes);
      }
    }
  });
});

describe('what the controller cannot do', () => {
  const why = (channel: number, addr: number, count: number, mode = 'block') => {
    const machine = bootZones();
    const before = hash(machine);
    const answer = refused(machine, KERNEL, { call: 'dma_transfer', channel, addr, count, mode });
    expect(hash(machine)).toBe(before);
    return { errno: answer.errno, ...answer.why };
  };

  test('24 address lines: nothing at or above 16 MiB', () => {
    expect(why(2, 16 * MiB - 512, 513)).toEqual({
      errno: 'EINVAL',
      code: 'DMA_OUT_OF_REACH',
      addr: 16 * MiB - 512,
      count: 513,
      limit: 16 * MiB,
    });
    expect(why(7, 16 * MiB, 2)).toMatchObject({ code: 'DMA_OUT_OF_REACH' });
    expect(why(2, 0xc0001000, 16)).toMatchObject({ code: 'DMA_OUT_OF_REACH', addr: 0xc0001000 });
  });

  test('channels 0 to 3 do not cross 64 KiB, 5 to 7 not 128 KiB', () => {
    expect(why(2, 0xffff, 2)).toEqual({ errno: 'EINVAL', code: 'DMA_BOUNDARY', addr: 0xffff, count: 2, boundary: 64 * KiB });
    expect(why(0, 0, 64 * KiB + 1)).toMatchObject({ code: 'DMA_BOUNDARY' });
    expect(why(5, 0x1fffe, 4)).toEqual({ errno: 'EINVAL', code: 'DMA_BOUNDARY', addr: 0x1fffe, count: 4, boundary: 128 * KiB });
    granted(bootZones(), KERNEL, { call: 'dma_transfer', channel: 5, addr: 0xfffe, count: 4, mode: 'block' });
  });

  test('16-bit channels move whole words at even addresses', () => {
    expect(why(6, 0x1001, 2)).toMatchObject({ code: 'DMA_ALIGNMENT', align: 2 });
    expect(why(6, 0x1000, 3)).toMatchObject({ code: 'DMA_ALIGNMENT', align: 2 });
  });

  test('channel 4 joins the two controllers and carries no device', () => {
    expect(why(4, 0x1000, 16, 'single')).toEqual({ errno: 'EINVAL', code: 'DMA_CHANNEL', channel: 4 });
    granted(bootZones(), KERNEL, { call: 'dma_transfer', channel: 4, addr: 0x1000, count: 16, mode: 'cascade' });
  });

  test('where no RAM is, none answers', () => {
    const machine = bootFlat(1000);
    const end = 1000 * PAGE;
    expect(refused(machine, KERNEL, { call: 'dma_transfer', channel: 1, addr: end - 16, count: 17, mode: 'single' })).toMatchObject({
      errno: 'EFAULT',
      why: { code: 'NO_MEMORY_THERE', phys: end, memory: end },
    });
  });

  test('it knows physical addresses and no owners: no MMU asks whose memory it is', () => {
    const machine = bootZones();
    const [owner, other] = [spawn(machine), spawn(machine)];
    const { dma_addr } = alloc(machine, PAGE, ISA, owner);
    granted(machine, other, { call: 'dma_transfer', channel: 2, addr: dma_addr, count: 512, mode: 'single' });
  });
});
