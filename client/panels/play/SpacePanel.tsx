import type { AreaView, SeatView } from '#game/types.ts';
import { t } from '../../text/t.ts';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';

/** One's own address space, low addresses left: each area as wide as it is long, filled as far as it is resident. */
export function SpacePanel({ play, mine }: { play: Play; mine: SeatView }) {
  return (
    <Panel
      play={play}
      name="space"
      title={t('play.space.title')}
      aside={<span class="dim">{t('play.space.sums', { vss: mine.memory.vss, rss: mine.memory.rss })}</span>}
    >
      {mine.areas.length === 0 ? (
        <p class="hint">{t('play.space.none')}</p>
      ) : (
        <ol class="areas">
          {mine.areas.map((area) => (
            <Area key={area.start} area={area} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Area({ area }: { area: AreaView }) {
  const words = t('play.space.area', {
    kind: t(`play.space.kind.${area.kind}`),
    pages: area.pages,
    resident: area.resident,
    start: hex(area.start),
  });
  return (
    <li class={`area ${area.kind}`} style={{ flexGrow: area.pages }} title={words}>
      <span class="area-fill" style={{ transform: `scaleX(${area.pages === 0 ? 0 : area.resident / area.pages})` }} />
      <span class="area-name" aria-hidden="true">
        {t(`play.space.kind.${area.kind}`)}
      </span>
      <span class="area-count mono" aria-hidden="true">
        {area.resident}/{area.pages}
      </span>
      <span class="unseen">{words}</span>
    </li>
  );
}

export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
