import { t } from '../../text/t.ts';
import type { Play } from './play.ts';
import { ZoneDash } from './ZoneDash.tsx';

const KINDS = ['page', 'table', 'block'] as const;

/** Zones by their dashes, uses by their patterns. */
export function MapLegend({ play }: { play: Play }) {
  const zones = play.seen.value?.all.machine.zones ?? [];
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
      {KINDS.slice(1).map((kind) => (
        <li key={kind}>
          <span class={`legend-swatch kind-${kind}`} /> {t(`play.map.kind.${kind}`)}
        </li>
      ))}
    </ul>
  );
}
