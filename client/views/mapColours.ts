/** The roles of theme/tokens.css as the map's colours. */
import { color } from '../theme/theme.ts';
import { rgb } from './palette.ts';
import type { MapColours } from './palette.ts';

/** Read again after a change of theme. */
export function mapColours(): MapColours {
  return {
    page: rgb(color('--page')),
    free: rgb(color('--own-free')),
    kernel: rgb(color('--own-kernel')),
    mine: rgb(color('--own-mine')),
    other: rgb(color('--own-other')),
    hues: [rgb(color('--own-1')), rgb(color('--own-2')), rgb(color('--own-3')), rgb(color('--own-4'))],
    line: rgb(color('--own-line')),
    outline: rgb(color('--own-outline')),
  };
}
