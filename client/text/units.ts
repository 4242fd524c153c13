/** Numbers as the interface writes them. Units of memory are always "frames (KiB)". */
import { t } from './t.ts';

const KIB_PER_FRAME = 4;
const TICKS_PER_SECOND = 10;

/** "32 frames (128 KiB)". */
export function frames(n: number): string {
  return t('common.frames', { n, kib: n * KIB_PER_FRAME });
}

/** "32 fr (128 KiB)", for narrow places. */
export function framesShort(n: number): string {
  return t('common.framesShort', { n, kib: n * KIB_PER_FRAME });
}

/** Minutes and seconds of a number of ticks, rounded up so that 0:00 means over: "4:05". */
export function clock(ticks: number): string {
  const seconds = Math.max(0, Math.ceil(ticks / TICKS_PER_SECOND));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** A share in thousandths as whole percent: 614 is "61 %". */
export function percent(milli: number): string {
  return t('common.percent', { n: Math.round(milli / 10) });
}
