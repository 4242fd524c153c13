import type { SeatView, ToolView } from '#game/types.ts';
import { frames } from '../../text/units.ts';
import { t } from '../../text/t.ts';
import { keepFocus } from './CardTile.tsx';
import type { Play } from './play.ts';

export const ORDER_MAX = 10;
const KEYS: readonly ToolView['key'][] = ['q', 'w', 'e', 'r', 'a', 's', 'd', 'f'];
const ROW = 4;

/** Calls in fixed places, as many columns as the scenario has calls, and the order that those take which ask for a block. */
export function TrayPanel({ play, mine }: { play: Play; mine: SeatView }) {
  const places = mine.tray.reduce((most, tool) => Math.max(most, KEYS.indexOf(tool.key) + 1), 0);
  return (
    <section class={`tray${mine.stall === null ? '' : ' stalled'}`} aria-label={t('play.tray')}>
      {mine.tray.some((tool) => tool.takesOrder) && <OrderStepper play={play} />}
      <div class={`keys${places > ROW ? ' two' : ''}`} style={{ '--places': Math.min(ROW, places) }}>
        {KEYS.slice(0, places).map((key) => (
          <ToolKey key={key} play={play} mine={mine} place={key} />
        ))}
      </div>
    </section>
  );
}

function ToolKey({ play, mine, place }: { play: Play; mine: SeatView; place: ToolView['key'] }) {
  const tool = mine.tray.find((one) => one.key === place);
  if (tool === undefined) return <span class="key none" aria-hidden="true" />;
  const sent = play.sent.value?.tool === tool.id;
  const blocked = mine.stall !== null || !mine.alive;
  return (
    <button
      type="button"
      class={`key${sent ? ' sent' : ''}`}
      aria-disabled={blocked}
      onMouseDown={keepFocus}
      onClick={() => useTool(play, tool)}
    >
      <span class="key-top">
        <kbd class="keycap">{place.toUpperCase()}</kbd>
        <code>{t(`calls.${tool.id}.name`)}</code>
      </span>
      <span class="key-line">{tool.takesOrder ? frames(2 ** play.order.value) : t(`calls.${tool.id}.line`)}</span>
    </button>
  );
}

/** Presses a key of the tray for the selected card. */
export function useTool(play: Play, tool: ToolView): void {
  const card = play.card.value;
  const mine = play.seen.value?.mine;
  if (mine === null || mine === undefined) return;
  if (!mine.alive) return play.say(t('play.say.dead'), 'bad');
  if (mine.stall !== null) return play.say(t('play.say.stalled'), 'bad');
  if (card === null) return play.say(t('play.say.noCard'), 'plain');
  const action = { do: 'use', tool: tool.id, card: card.id } as const;
  play.act(tool.takesOrder ? { ...action, order: play.order.value } : action, { tool: tool.id, card: card.id });
}

export function stepOrder(play: Play, by: number): void {
  play.order.value = Math.max(0, Math.min(ORDER_MAX, play.order.value + by));
}

function OrderStepper({ play }: { play: Play }) {
  const order = play.order.value;
  return (
    <div class="stepper" role="group" aria-label={t('play.order.label')}>
      <span class="stepper-name">{t('play.order.label')}</span>
      <button
        type="button"
        class="stepper-key"
        aria-label={t('play.order.less')}
        onMouseDown={keepFocus}
        onClick={() => stepOrder(play, -1)}
      >
        <kbd class="keycap">↓</kbd>
      </button>
      <output class="stepper-value mono">{order}</output>
      <button
        type="button"
        class="stepper-key"
        aria-label={t('play.order.more')}
        onMouseDown={keepFocus}
        onClick={() => stepOrder(play, 1)}
      >
        <kbd class="keycap">↑</kbd>
      </button>
      <span class="stepper-size">{frames(2 ** order)}</span>
    </div>
  );
}
