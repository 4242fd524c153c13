import type { SeatView } from '#game/types.ts';
import { t } from '../../text/t.ts';
import { FreeDone, perSecond } from './HeldPanel.tsx';
import type { Play } from './play.ts';

/** On a phone: what is held in one line, since freeing must always be at the thumb. */
export function HeldLine({ play, mine }: { play: Play; mine: SeatView }) {
  const count = (state: string): number => mine.holdings.filter((holding) => holding.state === state).length;
  return (
    <div class="held-line">
      <span>
        {t('play.held.line', { running: count('running'), done: count('done'), unused: count('unused') })}
        {mine.totals.rentMilli > 0 && <span class="warn"> {t('play.held.rentAll', { rent: perSecond(mine.totals.rentMilli) })}</span>}
      </span>
      <FreeDone play={play} mine={mine} />
    </div>
  );
}
