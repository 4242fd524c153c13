import type { Machine } from '#kernel/types.ts';
import { t } from '../../text/t.ts';
import type { Play } from './play.ts';
import { ZoneDash } from './ZoneDash.tsx';

/** Uses that have a pattern; shared memory and files only on a machine that has any. */
function kindsOf({ disk, shm }: Machine): ('table' | 'block' | 'shared' | 'file')[] {
  return ['table', 'block', ...(shm.size > 0 ? (['shared'] as const) : []), ...(disk === null ? [] : (['file'] as const))];
}

/** Zones by their dashes, uses by their patterns. */
export function MapLegend({ play }: { play: Play }) {
  const seen = play.seen.value;
  const zones = seen?.all.machine.zones ?? [];
  const kinds = seen === null ? [] : kindsOf(seen.round.machine);
  return (
    <ul class="legend">
      {zones.map((zone) => (
        <li key={zone.name}>
          <ZoneDash name={zone.name} /> <strong>{zone.name}</strong>
        </li>
      ))}
      {play.seat >= 0 && (
        <li>
          <span class="legend-swatch mine" /> {t('play.map.mine')}
        </li>
      )}
      <li>
        <span class="legend-swatch free" /> {t('play.map.free')}
      </li>
      <li>
        <span class="legend-swatch kernel" /> {t('play.map.kernel')}
      </li>
      {kinds.map((kind) => (
        <li key={kind}>
          <span class={`legend-swatch kind-${kind}`} /> {t(`play.map.kind.${kind}`)}
        </li>
      ))}
    </ul>
  );
}
