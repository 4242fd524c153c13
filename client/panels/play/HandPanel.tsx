import { t } from '../../text/t.ts';
import { CardTile, CardWords, NextCard } from './CardTile.tsx';
import type { Play } from './play.ts';

/** Three cards and the next one, face up. */
export function HandPanel({ play, pulsing, onWhy }: { play: Play; pulsing: boolean; onWhy(): void }) {
  const mine = play.seen.value?.mine;
  if (mine === undefined || mine === null) return null;
  const places = Math.max(mine.hand.length, play.seen.value!.round.scenario.hand);
  const selected = play.card.value?.id;
  return (
    <section class="hand" aria-label={t('play.hand')}>
      <ol class="cards">
        {Array.from({ length: places }, (_, place) => {
          const card = mine.hand[place];
          if (card === undefined) {
            return (
              <li key={place} class="tile empty">
                <span class="label">{t('play.card.none')}</span>
              </li>
            );
          }
          return (
            <CardTile
              key={place}
              play={play}
              card={card}
              place={place + 1}
              selected={card.id === selected}
              pulsing={pulsing && card.id === selected}
              onWhy={() => {
                play.select(card.id);
                onWhy();
              }}
            />
          );
        })}
        <NextCard card={mine.next} ticks={mine.nextDealTicks} />
      </ol>
      {play.card.value !== null && <CardWords play={play} card={play.card.value} onWhy={onWhy} />}
    </section>
  );
}
