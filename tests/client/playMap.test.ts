/** The frame map without a screen: where frames lie, what is under a point, what is painted and how much of it. */
import { firstFree, largestFreeOrder } from '#kernel/mm/buddy.ts';
import { describe, expect, test } from 'vitest';
import en from '../../assets/lang/en/play.json' with { type: 'json' };
import zh from '../../assets/lang/zh-CN/play.json' with { type: 'json' };
import { createFacts } from '#kernel/facts.ts';
import { call, createMachine } from '#kernel/machine.ts';
import type { Machine } from '#kernel/types.ts';
import { frameFacts, headOf } from '../../client/views/frameAt.ts';
import { bestLayout, blockHeight, blockRect, blockWidth, cellIndex, cellToPfn, layoutOf, pfnToCell } from '../../client/views/morton.ts';
import { KIND, KINDS, rgb, STYLE, swatchColour, type MapColours } from '../../client/views/palette.ts';
import { cellAt, fit, keepInside, panBy, pointOf, zoomAt } from '../../client/views/picking.ts';
import { clean, createTexels, EDGE, endFlashes, FLASH_STEPS, paintAll, paintFacts } from '../../client/views/texels.ts';
import type { LookOf } from '../../client/views/texels.ts';
import { zoneLines } from '../../client/views/zoneLines.ts';

describe('the layout', () => {
  test('a frame’s even bits are its x, its odd bits its y', () => {
    const layout = layoutOf(1024, 1);
    expect([0, 1, 2, 3, 4, 16, 1023].map((pfn) => pfnToCell(layout, pfn))).toEqual([
      { x: 0, y: 0 },
      { x: 1, y: 0 },
      { x: 0, y: 1 },
      { x: 1, y: 1 },
      { x: 2, y: 0 },
      { x: 4, y: 0 },
      { x: 31, y: 31 },
    ]);
  });

  test.each([1, 2, 3])('every frame has a cell of its own and is found there again, %i tiles in a row', (columns) => {
    const layout = layoutOf(2240, columns);
    const cells = new Set<number>();
    for (let pfn = 0; pfn < layout.count; pfn++) {
      const { x, y } = pfnToCell(layout, pfn);
      expect(cellToPfn(layout, x, y)).toBe(pfn);
      expect(cellIndex(layout, pfn)).toBe(y * layout.width + x);
      cells.add(y * layout.width + x);
    }
    expect(cells.size).toBe(2240);
  });

  test('a place without a frame is none', () => {
    const layout = layoutOf(1100, 2);
    expect(cellToPfn(layout, 50, 31)).toBe(-1);
    expect(cellToPfn(layout, -1, 0)).toBe(-1);
    expect(cellToPfn(layout, layout.width, 0)).toBe(-1);
  });

  test('every buddy block is a square or a 2:1 rectangle that holds exactly its frames', () => {
    const layout = layoutOf(2048, 2);
    for (let order = 0; order <= 10; order++) {
      expect(blockWidth(order) * blockHeight(order)).toBe(2 ** order);
      expect(blockWidth(order) / blockHeight(order)).toBe(order % 2 === 0 ? 1 : 2);
      for (let pfn = 0; pfn < 2048; pfn += 2 ** order) {
        const { x, y, width, height } = blockRect(layout, pfn, order);
        for (let n = 0; n < 2 ** order; n++) {
          const cell = pfnToCell(layout, pfn + n);
          expect(cell.x >= x && cell.x < x + width && cell.y >= y && cell.y < y + height).toBe(true);
        }
      }
    }
  });

  test('tiles stand as they come out largest', () => {
    expect(bestLayout(4096, 1600, 400).columns).toBe(4);
    expect(bestLayout(4096, 800, 800).columns).toBe(2);
    expect(bestLayout(4096, 300, 1200).columns).toBe(1);
    expect(bestLayout(448, 800, 400)).toMatchObject({ width: 32, height: 16 });
  });
});

describe('colours', () => {
  test('are read as the style sheet has them, and as a minifier shortens them', () => {
    expect(rgb('#0b1018')).toEqual([0x0b, 0x10, 0x18]);
    expect(rgb('#fff')).toEqual([255, 255, 255]);
    expect(rgb('#FA0')).toEqual([0xff, 0xaa, 0]);
  });
});

describe('picking', () => {
  const map = { width: 64, height: 32 };
  const canvas = { width: 803, height: 517 };

  test('at any zoom and place the cell under a cell’s middle is that cell', () => {
    let camera = fit(map, canvas, 10);
    for (let step = 0; step < 12; step++) {
      for (const [x, y] of [
        [0, 0],
        [17, 9],
        [63, 31],
      ] as const) {
        const corner = pointOf(camera, x, y);
        expect(cellAt(camera, corner.x + camera.zoom / 2, corner.y + camera.zoom / 2)).toEqual({ x, y });
      }
      camera = zoomAt(camera, 301, 77, 1.3, map, canvas, 10);
      camera = panBy(camera, step % 2 === 0 ? -33 : 21, 12, map, canvas, 10);
    }
  });

  test('zooming keeps the point under the pointer', () => {
    const camera = zoomAt(fit(map, canvas, 10), 400, 250, 3, map, canvas, 10);
    const before = camera.left + 400 / camera.zoom;
    const after = zoomAt(camera, 400, 250, 1.5, map, canvas, 10);
    expect(after.left + 400 / after.zoom).toBeCloseTo(before, 9);
  });

  test('the map cannot be lost: never smaller than all of it, never out of sight', () => {
    const all = fit(map, canvas, 10);
    expect(zoomAt(all, 0, 0, 0.01, map, canvas, 10).zoom).toBe(all.zoom);
    const far = panBy(zoomAt(all, 0, 0, 5, map, canvas, 10), -1e6, 1e6, map, canvas, 10);
    expect(keepInside(far, map, canvas, 10)).toEqual(far);
    expect(far.left).toBeLessThanOrEqual(map.width);
    expect(far.top).toBeGreaterThanOrEqual(-10 / far.zoom);
  });
});

const PROCESSES = 5;

/** A machine with facts and the processes 1 to 5, on which `seed` decides everything. */
function busy(seed: number) {
  const facts = createFacts(1 << 14);
  const machine = createMachine({ frames: 1536, reserved: 24, mobility: false, chargeKernel: true }, facts);
  const pids = Array.from({ length: PROCESSES }, () => (call(machine, 0, { call: 'spawn' }) as { pid: number }).pid);
  let state = seed;
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const held: { pid: number; request: { call: string; [argument: string]: unknown } }[] = [];
  const step = (): void => {
    const pid = pids[below(PROCESSES)]!;
    const what = below(10);
    if (what < 3 && held.length > 0) {
      const [gone] = held.splice(below(held.length), 1);
      call(machine, gone!.pid, gone!.request);
    } else if (what < 6) {
      const order = below(6);
      const answer = call(machine, pid, { call: 'alloc_pages', order, gfp: 'GFP_KERNEL' });
      if (answer.ok) held.push({ pid, request: { call: 'free_pages', pfn: answer.pfn!, order } });
    } else if (what < 9) {
      const length = (1 + below(30)) * 4096;
      const answer = call(machine, pid, { call: 'mmap', length, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' });
      if (!answer.ok) return;
      call(machine, pid, { call: 'write', addr: answer.addr!, length });
      held.push({ pid, request: { call: 'munmap', addr: answer.addr!, length } });
    } else if (below(4) === 0) call(machine, pid, { call: 'fork' });
  };
  return { machine, facts, step };
}

const lookOf: LookOf = (owner) => ({
  style: owner === 2 ? STYLE.mine : owner === 0 ? STYLE.kernel : STYLE.hue + (owner % 8),
  glyph: owner % 12,
  lit: owner === 3,
});

/** All but the flashes. */
function picture(data: Uint8Array): number[] {
  return [...data].map((byte, n) => (n % 4 === 3 ? 0 : byte));
}

function paintedAnew(machine: Machine): number[] {
  const texels = createTexels(layoutOf(machine.frames.count, 1));
  paintAll(texels, machine.frames, lookOf);
  return picture(texels.data);
}

describe('painting', () => {
  test.each([1, 2, 3, 4, 5, 6])('what the facts name is all that has changed (seed %i)', (seed) => {
    const { machine, facts, step } = busy(seed);
    const texels = createTexels(layoutOf(machine.frames.count, 1));
    paintAll(texels, machine.frames, lookOf);
    let mark = facts.written;
    for (let tick = 0; tick < 120; tick++) {
      for (let n = 0; n < 4; n++) step();
      mark = paintFacts(texels, machine.frames, lookOf, facts, mark, tick);
      expect(picture(texels.data)).toEqual(paintedAnew(machine));
    }
  });

  test('facts that the ring has lost do not leave the map wrong', () => {
    const { machine, step } = busy(9);
    const small = createFacts(16);
    const texels = createTexels(layoutOf(machine.frames.count, 1));
    paintAll(texels, machine.frames, lookOf);
    for (let n = 0; n < 200; n++) step();
    small.written = 5000;
    expect(paintFacts(texels, machine.frames, lookOf, small, 0, 1)).toBe(5000);
    expect(picture(texels.data)).toEqual(paintedAnew(machine));
  });

  test('a tick costs what changed: one page, one free block cut; nothing when nothing happened', () => {
    const { machine, facts, step } = busy(4);
    for (let n = 0; n < 100; n++) step();
    const texels = createTexels(layoutOf(machine.frames.count, 1));
    paintAll(texels, machine.frames, lookOf);
    clean(texels);
    const all = texels.painted;
    let mark = facts.written;
    mark = paintFacts(texels, machine.frames, lookOf, facts, mark, 1);
    expect(texels.painted).toBe(all);
    expect(texels.dirty).toBe(false);
    const answer = call(machine, 1, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' });
    expect(answer.ok).toBe(true);
    const block = machine.zones.reduce((most, zone) => Math.max(most, zone.end - zone.start), 0);
    paintFacts(texels, machine.frames, lookOf, facts, mark, 1);
    expect(texels.painted - all).toBeGreaterThan(0);
    expect(texels.painted - all).toBeLessThan(block / 2);
    expect(texels.dirtyRows.reduce((sum, row) => sum + row, 0)).toBeLessThan(texels.layout.height);
  });

  test('a change flashes, and the flash ends', () => {
    const { machine, facts } = busy(1);
    const texels = createTexels(layoutOf(machine.frames.count, 1));
    paintAll(texels, machine.frames, lookOf);
    expect(texels.flashing).toEqual([]);
    const mark = facts.written;
    const answer = call(machine, 1, { call: 'alloc_pages', order: 2, gfp: 'GFP_KERNEL' });
    if (!answer.ok) throw new Error('refused');
    paintFacts(texels, machine.frames, lookOf, facts, mark, 700);
    const at = cellIndex(texels.layout, answer.pfn!) * 4 + 3;
    expect(texels.data[at]).toBe(1 + (700 % 255));
    endFlashes(texels, 700 + FLASH_STEPS - 1);
    expect(texels.data[at]).not.toBe(0);
    endFlashes(texels, 700 + FLASH_STEPS);
    expect(texels.data[at]).toBe(0);
    expect(texels.flashing).toEqual([]);
  });

  test('one’s own region has one outline, and it is closed', () => {
    const { machine, facts, step } = busy(12);
    const texels = createTexels(layoutOf(machine.frames.count, 1));
    paintAll(texels, machine.frames, lookOf);
    let mark = facts.written;
    for (let n = 0; n < 200; n++) step();
    mark = paintFacts(texels, machine.frames, lookOf, facts, mark, 1);
    const { width, height } = texels.layout;
    const mine = (x: number, y: number): boolean =>
      x >= 0 && y >= 0 && x < width && y < height && (texels.data[(y * width + x) * 4]! & 15) === STYLE.mine;
    let own = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const edges = texels.data[(y * width + x) * 4 + 1]!;
        if (mine(x, y)) own += 1;
        expect((edges & EDGE.outlineLeft) !== 0).toBe(mine(x, y) && !mine(x - 1, y));
        expect((edges & EDGE.outlineTop) !== 0).toBe(mine(x, y) && !mine(x, y - 1));
        expect((edges & EDGE.outlineRight) !== 0).toBe(mine(x, y) && !mine(x + 1, y));
        expect((edges & EDGE.outlineBottom) !== 0).toBe(mine(x, y) && !mine(x, y + 1));
      }
    }
    expect(own).toBeGreaterThan(0);
  });
});

describe('what a frame is', () => {
  test('a frame inside a block belongs to the block’s owner', () => {
    const { machine } = busy(1);
    const answer = call(machine, 2, { call: 'alloc_pages', order: 3, gfp: 'GFP_KERNEL' });
    if (!answer.ok) throw new Error('refused');
    const pfn = answer.pfn! + 5;
    expect(headOf(machine.frames, pfn)).toBe(answer.pfn);
    expect(frameFacts(machine, pfn)).toEqual({ pfn, zone: 'Normal', use: 'block', head: answer.pfn, order: 3, owner: 2, mapcount: 0 });
  });

  test('the kernel’s image and free blocks are named as such; beyond the memory there is nothing', () => {
    const { machine } = busy(1);
    expect(frameFacts(machine, 3)).toMatchObject({ use: 'image', owner: 0, zone: 'DMA' });
    const free = firstFree(machine.zones.at(-1)!, largestFreeOrder([machine.zones.at(-1)!]), 0);
    expect(frameFacts(machine, free)).toMatchObject({ use: 'free', owner: -1, head: free });
    expect(frameFacts(machine, machine.frames.count)).toBeNull();
    expect(frameFacts(machine, -1)).toBeNull();
  });
});

describe('zone outlines', () => {
  test('run once around each zone, each on its own side of the border', () => {
    const layout = layoutOf(512, 1);
    const zones = [
      { start: 0, end: 64 },
      { start: 64, end: 512 },
    ];
    const lines = zoneLines(layout, zones);
    const length = (zone: number): number =>
      lines.filter((line) => line.zone === zone).reduce((sum, line) => sum + Math.abs(line.x2 - line.x1) + Math.abs(line.y2 - line.y1), 0);
    expect(length(0)).toBe(4 * 8);
    // 32 × 16 less the corner of 8 × 8: the notch adds nothing to the way around.
    expect(length(1)).toBe(2 * (32 + 16));
    for (const line of lines) expect(Math.abs(line.inX) + Math.abs(line.inY)).toBe(1);
  });
});

describe('what a frame is used for', () => {
  const PAGES = 4;

  /** A process with a page of its own, shared memory and a file that it read: the frame of each. */
  function uses() {
    const facts = createFacts();
    const machine = createMachine({ frames: 256, mobility: false, disk: { files: [{ path: '/a', bytes: PAGES * 4096 }] } }, facts);
    const { pid } = call(machine, 0, { call: 'spawn' }) as { pid: number };
    const ask = (request: Parameters<typeof call>[2]) => {
      const answer = call(machine, pid, request);
      if (!answer.ok) throw new Error(JSON.stringify(answer));
      return answer as unknown as Record<string, number>;
    };
    const area = (flags: string) => {
      const { addr } = ask({ call: 'mmap', length: 4096, prot: 'PROT_READ|PROT_WRITE', flags });
      ask({ call: 'write', addr, length: 1 });
      return ask({ call: 'translate', addr, access: 'read' }).phys! / 4096;
    };
    const anon = area('MAP_PRIVATE|MAP_ANONYMOUS');
    const shmem = area('MAP_SHARED|MAP_ANONYMOUS');
    const { fd } = ask({ call: 'open', path: '/a' });
    ask({ call: 'pread', fd, offset: 0, length: PAGES * 4096 });
    const file = [...machine.disk!.inodes.values()][0]!.pages.get(0)!;
    return { machine, facts, pid, ask, anon, shmem, file };
  }

  const kindAt = (texels: ReturnType<typeof createTexels>, pfn: number) => texels.data[cellIndex(texels.layout, pfn) * 4]! >> 4;

  test('a page of a file is no shared memory, though both have the same flag', () => {
    const { machine, anon, shmem, file } = uses();
    expect(machine.frames.flags[file]).toBe(machine.frames.flags[shmem]);
    expect([anon, shmem, file].map((pfn) => frameFacts(machine, pfn)!.use)).toEqual(['anon', 'shmem', 'file']);
  });

  test('it is painted as one, by the facts too, and as free when the cache gives it back', () => {
    const { machine, facts, anon, shmem, file } = uses();
    const layout = layoutOf(machine.frames.count, 1);
    for (const paint of ['all', 'facts']) {
      const texels = createTexels(layout);
      if (paint === 'all') paintAll(texels, machine.frames, lookOf);
      else paintFacts(texels, machine.frames, lookOf, facts, 0, 1);
      expect([anon, shmem, file].map((pfn) => kindAt(texels, pfn))).toEqual([KIND.page, KIND.shared, KIND.file]);
    }
    const texels = createTexels(layout);
    paintAll(texels, machine.frames, lookOf);
    const mark = facts.written;
    call(machine, 0, { call: 'sysctl', name: 'vm.drop_caches', value: 1 });
    paintFacts(texels, machine.frames, lookOf, facts, mark, 1);
    expect([kindAt(texels, file), frameFacts(machine, file)!.use]).toEqual([KIND.page, 'free']);
    expect(picture(texels.data)).toEqual(paintedAnew(machine));
  });

  test.each([en, zh])('every use and every pattern of the legend has its words', ({ map }) => {
    expect(Object.keys(map.use).toSorted()).toEqual(['anon', 'block', 'file', 'free', 'image', 'shmem', 'table']);
    expect(Object.keys(map.kind)).toEqual(['table', 'block', 'shared', 'file']);
  });

  test('each kind has a pattern of its own, whoever the frame belongs to', () => {
    const grey = (n: number) => [n, n, n] as const;
    const colours: MapColours = {
      page: grey(0),
      free: grey(20),
      kernel: grey(90),
      mine: grey(200),
      other: grey(120),
      line: grey(1),
      outline: grey(255),
      hues: [grey(150), grey(160), grey(170), grey(180)],
    };
    const pixels = Array.from({ length: 64 }, (_, n) => [n % 8, n >> 3] as const);
    const swatch = (style: number, kind: number) => JSON.stringify(pixels.map(([x, y]) => swatchColour(style, kind, x, y, colours)));
    for (const style of [STYLE.mine, STYLE.hue, STYLE.other])
      expect(new Set(Array.from({ length: KINDS }, (_, kind) => swatch(style, kind))).size).toBe(KINDS);
    // The page cache is nobody's.
    expect(swatch(STYLE.kernel, KIND.file)).not.toBe(swatch(STYLE.kernel, KIND.page));
  });
});
