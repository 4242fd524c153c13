import { ZONE_DASH } from '../../views/zoneLines.ts';

/** The line that stands around a zone on the map. */
export function ZoneDash({ name }: { name: string }) {
  return (
    <svg class="zone-dash" viewBox="0 0 18 6" width="18" height="6" aria-hidden="true">
      <path d="M0 3H18" stroke-dasharray={(ZONE_DASH[name] ?? []).join(' ')} />
    </svg>
  );
}
