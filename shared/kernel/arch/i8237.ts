/**
 * The DMA controllers of a PC: two 8237, the first (channels 0 to 3, a byte at a time) behind channel 4 of the second
 * (5 to 7, a word at a time) (spec §16; asm/dma.h). A transfer is a handshake over the bus:
 *
 *     DREQ  the device asks            HRQ   the controller asks the CPU for the bus
 *     HLDA  the CPU lets go of it      DACK  the controller tells the device that it is its turn
 *
 * While HLDA is up the CPU cannot use the bus. The controller holds physical addresses: no MMU stands between it and
 * memory, and it asks nobody whose memory that is.
 */
import type { Why } from '../types.ts';

export const DMA_MODES = ['single', 'block', 'demand', 'cascade'] as const;
export type DmaMode = (typeof DMA_MODES)[number];

/** The page register adds 8 address bits to the controller's 16. */
const REACH = 1 << 24;
/** The channel that the first controller hangs on. */
const CASCADE_CHANNEL = 4;
/** What a device's FIFO holds, in transfers: so long a demand transfer keeps the bus at a time. */
const FIFO = 16;

export interface DmaStep {
  /** TRANSFER moves bytes, TC is the terminal count, REPEAT stands for cycles just like those shown. */
  signal: 'DREQ' | 'HRQ' | 'HLDA' | 'DACK' | 'TRANSFER' | 'TC' | 'REPEAT' | 'INTERRUPT';
  /** 1 rises, 0 falls. */
  level: 0 | 1;
  /** Who has the bus after this step. */
  bus: 'cpu' | 'dmac' | 'device';
  /** TRANSFER: the first byte's physical address, how many transfers, and what the count register holds after them. */
  addr?: number;
  times?: number;
  left?: number;
}

/** Bytes of one transfer on a channel. */
export const transferBytes = (channel: number): number => (channel < CASCADE_CHANNEL ? 1 : 2);

/** Why the controller cannot move these bytes; null when it can. */
export function transferWhy(channel: number, addr: number, bytes: number, mode: DmaMode): Why | null {
  if (channel === CASCADE_CHANNEL && mode !== 'cascade') return { code: 'DMA_CHANNEL', channel };
  if (addr + bytes > REACH) return { code: 'DMA_OUT_OF_REACH', addr, count: bytes, limit: REACH };
  if (mode === 'cascade') return null;
  const size = transferBytes(channel);
  if (addr % size !== 0 || bytes % size !== 0) return { code: 'DMA_ALIGNMENT', addr, count: bytes, align: size };
  const boundary = size << 16;
  const isAcross = Math.floor(addr / boundary) !== Math.floor((addr + bytes - 1) / boundary);
  return isAcross ? { code: 'DMA_BOUNDARY', addr, count: bytes, boundary } : null;
}

const up = (signal: DmaStep['signal'], bus: DmaStep['bus']): DmaStep => ({ signal, level: 1, bus });
const down = (signal: DmaStep['signal'], bus: DmaStep['bus']): DmaStep => ({ signal, level: 0, bus });

/**
 * One tenure of the bus: the device asks, gets it, moves `times` of the `total` transfers from the one numbered `done`, and
 * lets go. Single and block need DREQ only until DACK; in demand mode its fall is what ends the tenure.
 */
function tenure(mode: DmaMode, addr: number, size: number, total: number, done: number, times: number): DmaStep[] {
  const isLast = done + times === total;
  const master = mode === 'cascade' ? 'device' : 'dmac';
  // The register holds one less than what is left, so that after the last transfer it stands at FFFF: terminal count.
  const left = (total - done - times - 1) & 0xffff;
  const transfer: DmaStep = { ...up('TRANSFER', master), addr: addr + done * size, times, ...(mode === 'cascade' ? {} : { left }) };
  const release = down('DREQ', master);
  return [
    up('DREQ', 'cpu'),
    up('HRQ', 'cpu'),
    up('HLDA', 'dmac'),
    up('DACK', master),
    ...(mode === 'single' || mode === 'block' ? [release, transfer] : [transfer]),
    ...(isLast && mode !== 'cascade' ? [up('TC', master)] : []),
    ...(mode === 'demand' || mode === 'cascade' ? [release] : []),
    down('HRQ', 'dmac'),
    down('HLDA', 'cpu'),
    down('DACK', 'cpu'),
  ];
}

/** Transfers that one tenure of the bus moves at most. */
function tenureLength(mode: DmaMode, total: number): number {
  if (mode === 'single') return 1;
  return mode === 'demand' ? FIFO : total;
}

/** All steps of a transfer. Of more than three tenures only the first and the last are spelt out. */
export function transferSteps(channel: number, addr: number, bytes: number, mode: DmaMode): DmaStep[] {
  const size = mode === 'cascade' ? 1 : transferBytes(channel);
  const total = bytes / size;
  const length = tenureLength(mode, total);
  const tenures = Math.ceil(total / length);
  const steps: DmaStep[] = [];
  for (let n = 0; n < tenures; n++) {
    if (n === 1 && tenures > 3) {
      steps.push({ ...up('REPEAT', 'cpu'), times: tenures - 2 });
      n = tenures - 1;
    }
    const done = n * length;
    steps.push(...tenure(mode, addr, size, total, done, Math.min(length, total - done)));
  }
  steps.push(up('INTERRUPT', 'cpu'));
  return steps;
}
