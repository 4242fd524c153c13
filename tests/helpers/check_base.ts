/** What the checkers share: how they fail, and what they count on their walks. */
export class Broken extends Error {
  override name = 'Broken';
}

export function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

export function equal(actual: number, expected: number, what: () => string): void {
  if (actual !== expected) throw new Broken(`${what()}: is ${actual}, counted ${expected}`);
}

/** What became of a frame in our own walk. */
export const SEEN = { nothing: 0, reserved: 1, free: 2, allocated: 3 };

export interface Count {
  seen: Uint8Array;
  /** Page-table entries that map each frame. */
  maps: Int32Array;
  /** Page tables and directories found by walking, by frame. */
  tableOf: Map<number, number>;
  shmUsers: Map<number, number>;
  anonPages: number;
  shmemPages: number;
  shmemMapped: number;
  fileMapped: number;
  /** Swap entries of each slot. */
  slots: Map<number, number>;
  tables: number;
  kernelPages: Map<number, number>;
  pins: Map<number, number>;
  /** Entries that map a huge page as a whole, by its first frame. */
  huge: Map<number, number>;
}

export const PAGE = 4096;
