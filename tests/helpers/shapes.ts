/** The machine shapes that random calls are played on (quality.md, R3): data only, for tests and for `npm run soak`. */
import type { Shape } from './fuzz.ts';

const DISK = {
  files: [
    { path: '/data', bytes: 60 * 4096 },
    { path: '/log', bytes: 100 },
    { path: '/empty', bytes: 0 },
    { path: '/big', bytes: 4096 * 4096 - 5 },
    { path: '/program', bytes: 9 * 4096, text: 20_000, data: 5000, bss: 9000, libs: ['/lib'] },
    { path: '/lib', bytes: 30_000, text: 16_384, data: 4096, bss: 100 },
  ],
};

export const SHAPES: readonly Shape[] = [
  {
    name: 'one small zone, no marks',
    processes: 4,
    config: { frames: 96, zones: { normal: 96 }, minFreeKbytes: 0, mobility: false, races: 'report' },
  },
  {
    name: 'three zones with reserves',
    processes: 5,
    config: {
      frames: 512,
      zones: { dma: 64, normal: 320, highmem: 128 },
      minFreeKbytes: 64,
      mobility: false,
      chargeKernel: true,
      maxFrames: 700,
    },
  },
  {
    name: 'an odd zone, few orders, reserved frames',
    processes: 4,
    config: { frames: 777, zones: { dma: 100, normal: 677 }, reserved: 55, maxOrder: 4, mobility: false, root: [3, 4], minFreeKbytes: 40 },
  },
  {
    name: 'plenty of memory, mode 2',
    processes: 6,
    config: { frames: 2048, overcommit: { mode: 2, ratio: 80 }, mobility: false, races: 'halt' },
  },
  {
    name: 'migratetypes, a contiguous area, reserves',
    processes: 5,
    config: { frames: 1024, zones: { dma: 64, normal: 832, highmem: 128 }, pageblockOrder: 4, cma: { frames: 128 }, minFreeKbytes: 120 },
  },
  {
    name: 'files and little memory',
    processes: 4,
    config: {
      frames: 384,
      zones: { dma: 64, normal: 192, highmem: 128 },
      mobility: false,
      minFreeKbytes: 48,
      disk: DISK,
      pageOffset: 0x80000000,
    },
  },
  {
    name: 'swap on a small machine',
    processes: 4,
    config: { frames: 160, zones: { normal: 160 }, mobility: false, minFreeKbytes: 32, swap: { slots: 300 }, swappiness: 100 },
  },
  {
    name: 'pages by the clock, few for each',
    processes: 4,
    config: {
      frames: 200,
      zones: { normal: 200 },
      mobility: false,
      minFreeKbytes: 32,
      disk: DISK,
      swap: { slots: 60 },
      replacement: { policy: 'clock', frames: 12 },
    },
  },
  {
    name: 'files, swap, zones and migratetypes',
    processes: 5,
    config: {
      frames: 512,
      zones: { dma: 32, normal: 352, highmem: 128 },
      pageblockOrder: 4,
      cma: { frames: 64 },
      minFreeKbytes: 64,
      disk: DISK,
      swap: { slots: 100, readahead: 4 },
      root: [2],
    },
  },
  { name: 'large, checked now and then', processes: 40, config: { frames: 16384, mobility: false } },
  {
    name: 'x86_64: huge pages, a contiguous area',
    processes: 3,
    config: {
      arch: 'x86_64',
      frames: 2048,
      zones: { normal: 2048 },
      pageblockOrder: 5,
      cma: { frames: 512 },
      minFreeKbytes: 0,
      thpEnabled: 0,
      swap: { slots: 700 },
    },
  },
  {
    name: 'x86_64: four levels of tables',
    processes: 4,
    config: {
      arch: 'x86_64',
      frames: 1024,
      zones: { dma: 64, dma32: 512, normal: 448 },
      pageblockOrder: 4,
      minFreeKbytes: 80,
      races: 'report',
    },
  },
];

/** Sixteen pages a process (tests/kernel/fuzz_toy16.test.ts). */
export const TOY16: Shape = {
  name: 'toy16: one level of tables, 64 KiB of addresses',
  processes: 6,
  config: {
    arch: 'toy16',
    frames: 80,
    zones: { normal: 80 },
    mobility: false,
    minFreeKbytes: 16,
    disk: DISK,
    swap: { slots: 60 },
    tlb: { entries: 6, asid: true },
    swappiness: 100,
  },
};

/** Beside them: other rules (tests/kernel/fuzz_rules.test.ts). */
export const OLD_RULES: Shape = {
  name: '2.6.32, migratetypes with a reserve',
  processes: 5,
  config: { frames: 1024, zones: { dma: 64, normal: 832, highmem: 128 }, pageblockOrder: 4, minFreeKbytes: 120, rules: '2.6.32' },
};

/** The same with files and swap: its reclaim is another. */
export const OLD_RECLAIM: Shape = {
  name: '2.6.32, files and swap',
  processes: 4,
  config: {
    frames: 384,
    zones: { dma: 32, normal: 256, highmem: 96 },
    pageblockOrder: 4,
    minFreeKbytes: 64,
    disk: DISK,
    swap: { slots: 150, readahead: 4 },
    rules: '2.6.32',
  },
};

/** After how many calls everything is checked: quality.md, R3. */
export const checkEvery = ({ config }: Shape): number => ((config.frames as number) <= 2048 ? 1 : 1000);
