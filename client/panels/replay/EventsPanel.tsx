import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../text/t.ts';
import { At } from './Moments.tsx';
import { markSentence } from './marks.ts';
import type { Replay } from './replay.ts';

/** All marks of the round, as sentences; the one that was last stands out and stays in sight. */
export function EventsPanel({ replay }: { replay: Replay }) {
  const { session } = replay;
  const list = useRef<HTMLOListElement>(null);
  void session.readTo.value;
  const { marks } = session.chronicle;
  const tick = session.tick.value;
  const newest = marks.findLastIndex((mark) => mark.tick <= tick);
  useEffect(() => {
    const { current } = list;
    const row = current?.children[newest];
    if (current === null || current === undefined || current.matches(':hover, :focus-within') || !(row instanceof HTMLElement)) return;
    current.scrollTop = row.offsetTop - (current.clientHeight - row.clientHeight) / 2;
  }, [newest]);
  return (
    <section class="part part-events" aria-labelledby="replay-events">
      <h2 class="part-title" id="replay-events">
        {t('replay.events')}
        <span class="part-aside dim">{t('replay.count', { n: marks.length })}</span>
      </h2>
      <ol class="events" ref={list}>
        {marks.map((mark, n) => (
          <li key={n} class={n === newest ? 'event now' : mark.tick > tick ? 'event later' : 'event'}>
            <At replay={replay} tick={mark.tick} look={mark.kind}>
              {markSentence(mark, replay.nameOf)}
            </At>
          </li>
        ))}
      </ol>
      {marks.length === 0 && <p class="hint">{t('replay.noEvents')}</p>}
    </section>
  );
}
