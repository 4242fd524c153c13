/** Machines that are played beside the C twin (tests/bench/twin_types.c), and its last hash for each seed with the requests refused. */
export interface TwinShape {
  name: string;
  config: Record<string, unknown>;
  /** Blocks held at once at most. */
  liveMax: number;
  /** By seed. */
  hashes: Record<number, string>;
}

export const GOLDEN: readonly TwinShape[] = [
  {
    name: 'one zone, pageblocks of 16, no marks',
    config: { frames: 1024, zones: { normal: 1024 }, pageblockOrder: 4, minFreeKbytes: 0 },
    liveMax: 700,
    hashes: { 1: '9bf30b1f 6892', 2: '4cc669d0 7330', 3: 'b0fb060b 7021' },
  },
  {
    name: 'three zones with reserves and a contiguous area',
    config: { frames: 1024, zones: { dma: 64, normal: 832, highmem: 128 }, pageblockOrder: 4, cma: { frames: 128 }, minFreeKbytes: 120 },
    liveMax: 700,
    hashes: { 4: 'ae7bf14d 7450', 5: '3b491c16 7324', 6: 'f74202d7 7320' },
  },
  {
    name: '16,384 frames by formula, kept pageblocks',
    config: { frames: 16384, zones: { dma: 4096, normal: 12288 }, pageblockOrder: 5 },
    liveMax: 9000,
    hashes: { 7: '40ede878 2999', 8: 'fa95e1b6 2959', 9: '26a3ca65 3137' },
  },
  {
    name: 'zones that end within a pageblock, few orders',
    config: { frames: 3001, zones: { dma: 1003, normal: 1998 }, pageblockOrder: 3, maxOrder: 6, minFreeKbytes: 200 },
    liveMax: 2000,
    hashes: { 10: '3e580842 6272', 11: '329441af 6315', 12: '66f86806 6036' },
  },
  {
    name: '2.6.32: one zone without marks, so no reserve',
    config: { frames: 1024, zones: { normal: 1024 }, pageblockOrder: 4, minFreeKbytes: 0, rules: '2.6.32' },
    liveMax: 700,
    hashes: { 13: '36e769a9 6948', 14: '3a7eb915 6951', 15: '9f37dd5f 7011' },
  },
  {
    name: '2.6.32: three zones by formula',
    config: { frames: 16384, zones: { dma: 1024, normal: 11264, highmem: 4096 }, pageblockOrder: 5, rules: '2.6.32' },
    liveMax: 9000,
    hashes: { 16: '21c09943 2565', 17: 'ee47bca9 2593', 18: '8a038589 1909' },
  },
  {
    name: '2.6.32: zones that end within a pageblock, few orders',
    config: { frames: 3001, zones: { dma: 1003, normal: 1998 }, pageblockOrder: 3, maxOrder: 6, minFreeKbytes: 200, rules: '2.6.32' },
    liveMax: 2000,
    hashes: { 19: 'aafad8a2 6091', 20: '99851278 6199', 21: 'ab45fb94 5877' },
  },
];
