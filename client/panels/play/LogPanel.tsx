import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../../text/units.ts';
import { t } from '../../text/t.ts';
import { Panel } from './Panel.tsx';
import type { Play } from './play.ts';

/** What happened, newest last. */
export function LogPanel({ play }: { play: Play }) {
  const list = useRef<HTMLDivElement>(null);
  const lines = play.log.value;
  useEffect(() => {
    if (list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [lines]);
  return (
    <Panel play={play} name="log" title={t('play.log.title')}>
      <div class="log" role="log" aria-label={t('play.log.title')} ref={list} tabIndex={0}>
        {lines.map((line) => (
          <p key={line.id} class={`log-line ${line.tag}${line.mine ? ' mine' : ''}`}>
            <span class="log-time mono">{clock(line.tick)}</span>
            <span class="log-tag mono">{t(`play.log.tag.${line.tag}`)}</span>
            <span class="log-text">{t(line.key, line.numbers)}</span>
          </p>
        ))}
      </div>
    </Panel>
  );
}
