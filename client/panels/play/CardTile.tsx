import type { CardView } from '#game/types.ts';
import { framesShort, percent } from '../../text/units.ts';
import { t } from '../../text/t.ts';
import { signsOf, SignMark } from './icons.tsx';
import { numbersOf } from './logLines.ts';
import type { Play } from './play.ts';

interface CardTileProps {
  play: Play;
  card: CardView;
  /** 1 to 3, the key that selects it. */
  place: number;
  selected: boolean;
  /** Pulses: the one thing to look at. */
  pulsing: boolean;
  onWhy(): void;
}

/** A card that is offered: what is needed, never how. */
export function CardTile({ play, card, place, selected, pulsing, onWhy }: CardTileProps) {
  const waits = play.sent.value?.card === card.id;
  const urgent = card.patienceLeftTicks * 3 < card.patienceTicks;
  const states = [
    selected && 'selected',
    waits && 'sent',
    urgent && 'urgent',
    pulsing && 'pulsing',
    card.why !== null && 'failed',
    card.reusable.length > 0 && 'reusable',
  ];
  return (
    <li class={['tile', ...states].filter(Boolean).join(' ')}>
      <button type="button" class="tile-face" aria-pressed={selected} onClick={() => play.select(card.id)} onMouseDown={keepFocus}>
        <span class="tile-top">
          <kbd class="keycap">{place}</kbd>
          <Ask card={card} />
          <Pay card={card} />
        </span>
        <span class="tile-text">{t(card.text.key, card.text.numbers)}</span>
      </button>
      <Signs card={card} />
      <div class="tile-foot">
        {card.why !== null && <WhyLine card={card} onWhy={onWhy} />}
        <Reuse play={play} card={card} selected={selected} />
      </div>
      <Discard play={play} card={card} />
      <Patience card={card} />
    </li>
  );
}

function Signs({ card }: { card: CardView }) {
  return (
    <ul class="signs">
      {signsOf(card).map((sign) => (
        <SignMark key={sign.key} sign={sign} />
      ))}
    </ul>
  );
}

/** On a phone the tiles are small: the selected card's words stand below them. */
export function CardWords({ play, card, onWhy }: { play: Play; card: CardView; onWhy(): void }) {
  return (
    <div class="card-words">
      <p>{t(card.text.key, card.text.numbers)}</p>
      <Signs card={card} />
      <div class="tile-foot">
        {card.why !== null && <WhyLine card={card} onWhy={onWhy} />}
        <Reuse play={play} card={card} selected={false} />
      </div>
      <Discard play={play} card={card} />
    </div>
  );
}

/** A click on a key or a card leaves the keyboard where it is, so that Space stays "free done". */
export function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}

function Ask({ card }: { card: CardView }) {
  const size = card.count > 1 ? t('play.card.many', { n: card.count, size: bytes(card.each) }) : null;
  return (
    <span class="tile-ask">
      <strong>{size ?? t('play.card.frames', { n: card.frames })}</strong>
      <small>{size === null ? bytes(card.bytes) : framesShort(card.frames)}</small>
    </span>
  );
}

/** Bytes as KiB where they are whole, else as bytes. */
export function bytes(n: number): string {
  return n % 1024 === 0 ? t('play.kib', { n: n / 1024 }) : t('play.bytes', { n });
}

function Pay({ card }: { card: CardView }) {
  return (
    <span class="tile-pay" title={t('play.card.payLong', { n: card.payNow, full: card.pay })}>
      <strong class="mono">+{card.payNow}</strong>
      {card.misfits > 0 && <small class="warn">{t('play.card.misfits', { n: card.misfits })}</small>}
    </span>
  );
}

function WhyLine({ card, onWhy }: { card: CardView; onWhy(): void }) {
  const why = card.why!;
  return (
    <button type="button" class="tile-why" onClick={onWhy} onMouseDown={keepFocus}>
      <span>{t(`why.${why.code}`, numbersOf(why))}</span>
      <kbd class="keycap">?</kbd>
    </button>
  );
}

/** Serves the card with memory that is held already: full pay, no new allocation. */
function Reuse({ play, card, selected }: { play: Play; card: CardView; selected: boolean }) {
  const holding = card.reusable[0];
  const held = play.seen.value?.mine?.holdings.find((one) => one.id === holding);
  if (held === undefined) return null;
  const says = t('play.card.reuseLong', { frames: framesShort(held.frames) });
  const point = (on: boolean): void => void (play.spot.value = on ? { holding: held.id, stays: false } : null);
  return (
    <button
      type="button"
      class="tile-reuse"
      title={says}
      aria-label={says}
      onPointerEnter={(event) => event.pointerType === 'mouse' && point(true)}
      onPointerLeave={() => point(false)}
      onMouseDown={keepFocus}
      onClick={() => {
        point(false);
        play.act({ do: 'reuse', card: card.id, holding: held.id }, { tool: 'other', card: card.id });
      }}
    >
      {selected && <kbd class="keycap">G</kbd>}
      {t('play.card.reuse', { bonus: percent(play.seen.value!.round.scenario.economy.reuseBonusMilli) })}
    </button>
  );
}

function Discard({ play, card }: { play: Play; card: CardView }) {
  return (
    <button
      type="button"
      class="tile-discard"
      aria-label={t('play.card.discard')}
      title={t('play.card.discard')}
      onMouseDown={keepFocus}
      onClick={() => play.act({ do: 'discard', card: card.id }, { tool: 'other', card: card.id })}
    >
      ×
    </button>
  );
}

function Patience({ card }: { card: CardView }) {
  const seconds = Math.ceil(card.patienceLeftTicks / 10);
  return (
    <div class="patience" role="img" aria-label={t('play.card.patience', { n: seconds })} title={t('play.card.patience', { n: seconds })}>
      <span style={{ transform: `scaleX(${card.patienceLeftTicks / card.patienceTicks})` }} />
    </div>
  );
}

/** The card that comes next: known, not yet offered. */
export function NextCard({ card, ticks }: { card: CardView | null; ticks: number }) {
  const seconds = Math.ceil(ticks / 10);
  return (
    <li class="tile next" aria-label={t('play.card.next')}>
      <span class="label">{t('play.card.next')}</span>
      {card !== null && (
        <>
          <strong>
            {card.count > 1 ? t('play.card.many', { n: card.count, size: bytes(card.each) }) : t('play.card.frames', { n: card.frames })}
          </strong>
          <small class="dim">{bytes(card.bytes)}</small>
          <ul class="signs few">
            {signsOf(card)
              .slice(0, 2)
              .map((sign) => (
                <SignMark key={sign.key} sign={sign} />
              ))}
          </ul>
        </>
      )}
      {ticks > 0 && <small class="dim">{t('play.card.inSeconds', { n: seconds })}</small>}
    </li>
  );
}
