import type { ComponentChildren } from 'preact';
import type { Scenario, SeatView } from '#game/types.ts';
import { clock } from '../../text/units.ts';
import { lang, t } from '../../text/t.ts';
import { Switches } from '../TopBar.tsx';
import { Mark } from './Mark.tsx';
import type { Play } from './play.ts';
import type { Seen } from './watchRound.ts';
import { ordinal } from './YouPanel.tsx';

interface HeaderProps {
  play: Play;
  seen: Seen;
  /** Off where another clock tells where one is in the round. */
  clocked?: boolean;
  children?: ComponentChildren;
}

/** Who one is, how long there is, how one stands. */
export function PlayHeader({ play, seen, clocked = true, children }: HeaderProps) {
  const { mine, all, round } = seen;
  return (
    <header class="play-head">
      <div class="head-who">
        {mine !== null && (
          <>
            <Mark play={play} seat={mine.seat} />
            <span class={mine.alive ? 'head-pid mono' : 'head-pid danger'}>{mine.alive ? `PID ${mine.pid}` : t('play.head.killed')}</span>
            <span class="head-name">{play.nameOf(mine.seat)}</span>
          </>
        )}
        <span class="head-scenario dim">{round.scenario.title[lang.value] ?? round.scenario.title.en}</span>
      </div>
      <div class="head-clock">
        {clocked && (
          <span class={`clock${all.phase === 'last' ? ' warn' : ''}`} role="timer" aria-label={t('play.head.clock')}>
            {clock(all.endsAt - all.now)}
          </span>
        )}
        {clocked && (
          <span class="head-left dim" aria-hidden="true">
            {t('play.head.left')}
          </span>
        )}
        <span class={`head-phase ${all.phase}`}>{t(`play.phase.${all.phase}`)}</span>
      </div>
      <div class="head-right">
        {mine !== null && (
          <>
            <Rank seen={seen} />
            <span class="head-points" aria-label={t('play.head.points', { n: mine.points })}>
              <strong class="mono head-number" key={mine.points}>
                {t('play.number', { n: mine.points })}
              </strong>{' '}
              <small>{t('play.head.pts')}</small>
            </span>
          </>
        )}
        <span class="head-switches">
          <Switches />
        </span>
        {children}
      </div>
    </header>
  );
}

/** Places that are told as a number where ranks are thirds. */
const TOLD = 3;

/** How one stands, without a word that shames: nobody is told to be last, but what it takes to climb. */
export function rankOf(mine: SeatView, ranks: Scenario['ranks']): 'place' | 'first' | 'second' | 'climb' | null {
  if (ranks === 'none' || (mine.points === 0 && mine.rank === 1)) return null;
  if (ranks === 'full') return 'place';
  if (mine.third === 3) return mine.climb === null ? null : 'climb';
  if (mine.rank <= TOLD) return 'place';
  return mine.third === 1 ? 'first' : 'second';
}

function Rank({ seen }: { seen: Seen }) {
  const mine = seen.mine!;
  const shown = rankOf(mine, seen.round.scenario.ranks);
  if (shown === null) return null;
  if (shown === 'climb') return <span class="head-rank climb">{t('play.head.climb', { n: mine.climb! })}</span>;
  if (shown !== 'place') return <span class="head-rank">{t(`play.head.third.${shown}`)}</span>;
  return <span class="head-rank">{t('play.head.rank', { rank: ordinal(mine.rank), of: mine.of })}</span>;
}
