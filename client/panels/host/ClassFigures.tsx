import type { ClassView } from '#game/types.ts';
import { grouped, t } from '../../text/t.ts';
import { percent } from '../../text/units.ts';

/** The class as a whole: what a teacher talks about. Blame is aggregate here ("5 processes hold 61 %"). */
export function ClassFigures({ view }: { view: ClassView }) {
  const { topHolders } = view;
  return (
    <div class="figures">
      <dl>
        <Figure name={t('host.figure.class')} value={grouped(view.figure)} main />
        <Figure name={t('host.figure.settled')} value={grouped(view.settled)} of={t('host.figure.ofDealt', { n: view.dealt })} />
        <Figure name={t('host.figure.kills')} value={grouped(view.kills)} alarm={view.kills > 0} />
        <Figure name={t('host.figure.failures')} value={grouped(view.failures)} />
      </dl>
      <p class="figures-holders">
        {topHolders.count > 0 && t('host.figure.holders', { n: topHolders.count, share: percent(topHolders.shareMilli) })}
        <span class="dim figures-phase">{t(`host.pulse.${view.phase}`)}</span>
      </p>
    </div>
  );
}

interface FigureProps {
  name: string;
  value: string;
  of?: string;
  main?: boolean;
  alarm?: boolean;
}

function Figure({ name, value, of, main = false, alarm = false }: FigureProps) {
  return (
    <div class={`figure ${main ? 'main' : ''}`}>
      <dt class="label">{name}</dt>
      <dd class={`mono ${alarm ? 'danger' : ''}`}>
        {value}
        {of !== undefined && <span class="label"> {of}</span>}
      </dd>
    </div>
  );
}
