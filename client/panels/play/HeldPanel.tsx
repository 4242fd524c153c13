import type { HoldingView, SeatView } from '#game/types.ts';
import { framesShort } from '../../text/units.ts';
import { t } from '../../text/t.ts';
import { keepFocus } from './CardTile.tsx';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';

/** What is held: work that runs, work that is done and waits to be freed, and what serves nothing. */
export function HeldPanel({ play, mine }: { play: Play; mine: SeatView }) {
  return (
    <Panel play={play} name="held" title={t('play.held.title')} aside={<FreeDone play={play} mine={mine} />}>
      {mine.holdings.length === 0 ? (
        <p class="hint">{t('play.held.none')}</p>
      ) : (
        <ul class="holdings">
          {inOrder(mine.holdings).map((holding, place) => (
            <Holding key={place} play={play} holding={holding} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

const STATE_ORDER: Record<HoldingView['state'], number> = { done: 0, unused: 1, running: 2 };

/** What can be freed first. */
function inOrder(holdings: readonly HoldingView[]): HoldingView[] {
  return holdings.toSorted((a, b) => STATE_ORDER[a.state] - STATE_ORDER[b.state] || a.ticksLeft - b.ticksLeft || a.id - b.id);
}

/** One key frees all that is done, and pays for it. */
export function FreeDone({ play, mine }: { play: Play; mine: SeatView }) {
  const done = mine.holdings.some(isFreeable);
  return (
    <button
      type="button"
      class={`free-done${done ? ' ready' : ''}${play.sent.value?.tool === 'free' ? ' sent' : ''}`}
      aria-disabled={!done}
      onMouseDown={keepFocus}
      onClick={() => freeDone(play)}
    >
      <kbd class="keycap">{t('play.held.space')}</kbd>
      {t('play.held.freeDone')}
      {mine.totals.pending > 0 && <strong class="good mono">+{mine.totals.pending}</strong>}
    </button>
  );
}

function isFreeable(holding: HoldingView): boolean {
  return holding.state !== 'running' && !holding.blocked && holding.id !== 0;
}

export function freeDone(play: Play): void {
  const mine = play.seen.value?.mine;
  if (mine === null || mine === undefined) return;
  if (!mine.holdings.some(isFreeable)) return play.say(t('play.say.nothingDone'), 'plain');
  play.act({ do: 'freeDone' }, { tool: 'free', card: 0 });
}

function Holding({ play, holding }: { play: Play; holding: HoldingView }) {
  const free = () => play.act({ do: 'free', holding: holding.id }, { tool: 'free', card: 0 });
  const spot = play.spot.value;
  // What stays lit because it was pressed is not put out by a pointer that passes.
  const point = (on: boolean): void => {
    if (spot?.stays === true || holding.id === 0) return;
    if (on && spot?.holding !== holding.id) play.spot.value = { holding: holding.id, stays: false };
    if (!on && spot !== null) play.spot.value = null;
  };
  return (
    <li
      class={`holding ${holding.state}${holding.blocked ? ' blocked' : ''}${spot?.holding === holding.id ? ' spotted' : ''}`}
      onPointerMove={(event) => event.pointerType === 'mouse' && point(true)}
      onPointerLeave={() => point(false)}
      onFocusCapture={(event) => event.target instanceof Element && event.target.matches(':focus-visible') && point(true)}
      onBlurCapture={() => point(false)}
    >
      <button
        type="button"
        class="holding-what"
        aria-pressed={spot?.holding === holding.id && spot.stays}
        title={t('play.held.show')}
        disabled={holding.id === 0}
        onMouseDown={keepFocus}
        onClick={() => (play.spot.value = spot?.holding === holding.id && spot.stays ? null : { holding: holding.id, stays: true })}
      >
        <strong>{framesShort(holding.frames)}</strong>
        <span class="dim">{whatOf(holding)}</span>
      </button>
      <HoldingState holding={holding} />
      {holding.state === 'running' ? (
        <span
          class="holding-progress"
          role="progressbar"
          aria-label={t('play.held.running', { n: Math.ceil(holding.ticksLeft / 10) })}
          aria-valuemin={0}
          aria-valuemax={holding.ticks}
          aria-valuenow={holding.ticks - holding.ticksLeft}
        >
          <span style={{ transform: `scaleX(${holding.ticks === 0 ? 1 : 1 - holding.ticksLeft / holding.ticks})` }} />
        </span>
      ) : holding.id === 0 || holding.blocked ? null : (
        <button type="button" class="holding-free" onMouseDown={keepFocus} onClick={free}>
          {t('play.held.free')}
        </button>
      )}
    </li>
  );
}

function whatOf(holding: HoldingView): string {
  return holding.family === null ? t(`calls.${holding.tool}.name`) : t(`cards.family.${holding.family}`);
}

function HoldingState({ holding }: { holding: HoldingView }) {
  const rent = t('play.held.rent', { rent: perSecond(holding.rentMilli) });
  if (holding.state === 'running')
    return <span class="holding-state">{t('play.held.running', { n: Math.ceil(holding.ticksLeft / 10) })}</span>;
  if (holding.blocked) return <span class="holding-state warn">{t('play.held.blocked')}</span>;
  if (holding.state === 'unused' && holding.frames === 0) return <span class="holding-state warn">{t('play.held.untouched')}</span>;
  if (holding.state === 'unused')
    return <span class="holding-state warn">{t('play.held.unused', { rent: perSecond(holding.rentMilli) })}</span>;
  return (
    <span class="holding-state">
      <span class="good mono">+{holding.pending}</span> {rent}
    </span>
  );
}

/** Thousandths of a point a second, as points with one decimal: 1200 is "1.2". */
export function perSecond(milli: number): string {
  return (milli / 1000).toFixed(1);
}
