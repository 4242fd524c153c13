import { useEffect, useState } from 'preact/hooks';
import type { RoundReply } from '#protocol/messages.ts';
import { askRounds } from '../../session/doors.ts';
import { scenarioTitle } from '../../text/scenarios.ts';
import { lang, t } from '../../text/t.ts';
import type { Hosting } from './hosting.ts';
import { SurePress } from './SurePress.tsx';
import './EarlierRounds.css';

/** What the class has played in this room and the server has kept, the newest first, each to be looked at again; or all to be deleted. */
export function EarlierRounds({ code, host }: { code: string; host: Hosting['host'] }) {
  const [rounds, setRounds] = useState<RoundReply[]>([]);
  useEffect(() => {
    let here = true;
    void askRounds(code).then((answer) => here && answer.ok && setRounds(answer.value.rounds.filter(({ ended }) => ended !== null)));
    return () => void (here = false);
  }, [code]);
  if (rounds.length === 0) return null;
  const clock = new Intl.DateTimeFormat(lang.value, { hour: '2-digit', minute: '2-digit' });
  const date = new Intl.DateTimeFormat(lang.value, { day: 'numeric', month: 'short' });
  const isToday = (ms: number): boolean => date.format(ms) === date.format(Date.now());
  return (
    <details class="rounds">
      <summary>{t('host.rounds.head', { n: rounds.length })}</summary>
      <ul>
        {rounds.map(({ id, number, scenario, began }) => (
          <li key={id}>
            <a href={`/replay/${id}`} target="_blank" rel="noopener">
              {t('host.rounds.round', { n: number })}
            </a>
            <span>{scenarioTitle(scenario)}</span>
            <span class="dim mono">
              {isToday(began) ? '' : `${date.format(began)} `}
              {clock.format(began)}
            </span>
          </li>
        ))}
      </ul>
      <p class="row rounds-forget">
        <SurePress text={t('host.forget')} sure={t('host.forgetSure')} press={() => host({ do: 'forget' })} />
        <span class="dim">{t('host.forgetSays')}</span>
      </p>
    </details>
  );
}
