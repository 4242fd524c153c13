import type { MachineView } from '#game/types.ts';
import { framesShort } from '../../text/units.ts';
import { t } from '../../text/t.ts';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';
import { ZoneDash } from './ZoneDash.tsx';

type ZoneRow = MachineView['zones'][number];

/** Free memory of each zone against its watermarks. */
export function MemoryPanel({ play, machine }: { play: Play; machine: MachineView }) {
  return (
    <Panel play={play} name="memory" title={t('play.memory.title')} aside={<strong class="mono">{framesShort(machine.free)}</strong>}>
      <ul class="zones">
        {machine.zones.map((zone) => (
          <Zone key={zone.name} zone={zone} />
        ))}
      </ul>
    </Panel>
  );
}

const MARKS = ['min', 'low', 'high'] as const;

function stateOf(zone: ZoneRow): 'min' | 'low' | 'high' | 'plenty' {
  if (zone.free <= zone.min) return 'min';
  if (zone.free <= zone.low) return 'low';
  return zone.free <= zone.high ? 'high' : 'plenty';
}

function Zone({ zone }: { zone: ZoneRow }) {
  const state = stateOf(zone);
  const share = (n: number): string => `${zone.managed === 0 ? 0 : Math.min(100, (n / zone.managed) * 100)}%`;
  return (
    <li class={`zone at-${state}`}>
      <span class="zone-name">
        <ZoneDash name={zone.name} /> {zone.name}
      </span>
      <span class="zone-free mono">{t('play.memory.of', { free: zone.free, managed: zone.managed })}</span>
      <span class="zone-bar" aria-hidden="true">
        <span class="zone-fill" style={{ width: share(zone.free) }} />
        {MARKS.map((mark) => (
          <span key={mark} class={`zone-mark ${mark}`} style={{ left: share(zone[mark]) }} />
        ))}
      </span>
      <span class="zone-marks">
        {MARKS.map((mark) => (
          <span key={mark} class={`zone-mark-name ${mark}`}>
            {mark} <span class="mono">{zone[mark]}</span>
          </span>
        ))}
        <span class="zone-state">{t(`play.memory.state.${state}`)}</span>
      </span>
    </li>
  );
}
