/** The six signs of a card: drawn, so that they look the same everywhere; each has its words beside or behind it. */
import type { CardView } from '#game/types.ts';
import { t } from '../../text/t.ts';
import type { Numbers } from '../../text/t.ts';

/** Paths in a box of 16 × 16, stroked. */
const PATHS: Record<string, string> = {
  cpu: 'M4.5 4.5h7v7h-7zM6 4.5V2M10 4.5V2M6 14v-2.5M10 14v-2.5M4.5 6H2M4.5 10H2M14 6h-2.5M14 10h-2.5',
  device: 'M1.5 5h3l1.5-2h4l1.5 2h3v8h-13zM8 11.2a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8z',
  processes: 'M2 2h7v7H2zM7 7h7v7H7z',
  row: 'M1.5 5.5h13v5h-13zM4.75 5.5v5M8 5.5v5M11.25 5.5v5',
  anywhere: 'M1.5 2h4v4h-4zM10 4h4v4h-4zM5 10h4v4H5z',
  sleep: 'M3 3h5L3 8.5h5M9 8h4.5L9 13.5h4.5',
  awake: 'M9.5 1.5 3.5 9H8l-1.5 5.5L12.5 7H8z',
  fail: 'M4 4l8 8M12 4l-8 8',
  must: 'M3 8.5l3.5 3.5L13 4.5',
  time: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM8 4.5V8l2.5 2',
  all: 'M2 2h12v12H2zM2 6h12M2 10h12M6 2v12M10 2v12',
  sparse: 'M2 2h12v12H2zM4.5 4.5h2v2h-2zM9.5 9.5h2v2h-2z',
  written: 'M2.5 13.5l1-3.5 7.5-7.5 2.5 2.5L6 12.5zM9.5 4l2.5 2.5',
  execs: 'M3 2.5v11L13 8z',
};

export interface Sign {
  icon: string;
  key: string;
  numbers?: Numbers;
}

const TOUCHER: Record<CardView['toucher'], string> = { cpu: 'cpu', device: 'device', processes: 'processes' };
const PATTERN: Record<CardView['pattern'], string> = {
  all: 'all',
  sparse: 'sparse',
  written5: 'written',
  written50: 'written',
  written100: 'written',
  execs: 'execs',
};

/** Who touches it · in a row? · may it wait? · may it fail? · how long · how it is touched. */
export function signsOf(card: CardView): Sign[] {
  return [
    { icon: TOUCHER[card.toucher], key: `toucher.${card.toucher}` },
    { icon: card.contiguous ? 'row' : 'anywhere', key: card.contiguous ? 'row' : 'anywhere' },
    { icon: card.maySleep ? 'sleep' : 'awake', key: card.maySleep ? 'sleep' : 'awake' },
    { icon: card.mayFail ? 'fail' : 'must', key: card.mayFail ? 'fail' : 'must' },
    { icon: 'time', key: 'time', numbers: { n: card.holdSeconds } },
    { icon: PATTERN[card.pattern], key: `pattern.${card.pattern}` },
  ];
}

export function SignIcon({ icon }: { icon: string }) {
  return (
    <svg class="sign-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[icon] ?? ''} />
    </svg>
  );
}

/** A sign with its word. */
export function SignMark({ sign }: { sign: Sign }) {
  return (
    <li class="sign" title={t(`play.sign.long.${sign.key}`, sign.numbers)}>
      <SignIcon icon={sign.icon} />
      <span class="sign-word">{t(`play.sign.short.${sign.key}`, sign.numbers)}</span>
    </li>
  );
}
