/** How large the machine of a round is: it grows with the seats, so that a class of any size feels the same pressure. */
import { isqrt } from '#kernel/mm/mmzone.ts';
import type { Scenario } from './types.ts';

/** Frames of a room at most (quality.md), late joiners included. */
export const FRAMES_MAX = 65536;
export const SEATS_MAX = 100;
/** Page directory and tables of a process, and of a child now and then. */
const TABLES_PER_SEAT = 6;
/** The kernel's image at the bottom of memory. */
const IMAGE = 32;
const ROUND_TO = 64;

const roundUp = (frames: number): number => Math.ceil(frames / ROUND_TO) * ROUND_TO;

/** Frames that one more seat brings along. */
export function framesOfSeats(scenario: Scenario, seats: number): number {
  return seats * (scenario.machine.framesPerSeat + scenario.machine.homeFrames + TABLES_PER_SEAT);
}

/** Pages below the low watermarks of a machine of about so many frames (the kernel's formula, spec §4): nobody may count on them. */
function keptBack(frames: number): number {
  const pagesMin = Math.max(128, isqrt(frames * 4 * 16)) >> 2;
  return pagesMin + (pagesMin >> 2);
}

export function machineFrames(scenario: Scenario, seats: number): number {
  const wanted = framesOfSeats(scenario, Math.max(1, seats)) + IMAGE;
  return roundUp(wanted + keptBack(wanted));
}

/** Frames that a seat beyond the planned ones adds to the running machine. */
export function lateFrames(scenario: Scenario): number {
  return roundUp(framesOfSeats(scenario, 1));
}

/** What `createMachine` is given. */
export function machineConfig(scenario: Scenario, seats: number, seed: number): Record<string, unknown> {
  const frames = machineFrames(scenario, seats);
  const dma = Math.max(ROUND_TO, roundUp(frames >> 4));
  const late = lateFrames(scenario) * Math.max(0, SEATS_MAX - seats);
  return {
    zones: { dma, normal: frames - dma },
    ...scenario.machine.kernel,
    frames,
    maxFrames: Math.min(FRAMES_MAX, frames + late),
    reserved: IMAGE,
    mobility: false,
    chargeKernel: true,
    root: [],
    seed: seed >>> 0,
  };
}
