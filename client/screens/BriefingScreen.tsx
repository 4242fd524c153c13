import { useEffect } from 'preact/hooks';
import { Countdown } from '../panels/Countdown.tsx';
import { Rule } from '../panels/Rich.tsx';
import { Swatch } from '../panels/Swatch.tsx';
import type { RoomFacts } from '../session/Session.ts';
import { learnScenarios, scenarioIdea, scenarioTitle } from '../text/scenarios.ts';
import { t } from '../text/t.ts';
import './BriefingScreen.css';

/** Before the first tick: who one is, the one idea of the scenario, and the seconds that are left. The map loads behind. */
export function BriefingScreen({ room }: { room: RoomFacts }) {
  useEffect(learnScenarios, []);
  const me = room.roster.find((entry) => entry.seat === room.seat && entry.role === 'player');
  return (
    <div class="briefing" role="dialog" aria-modal="false" aria-label={t('lobby.briefing')}>
      <div class="briefing-card">
        <p class="briefing-count" aria-hidden="true">
          <Countdown ms={room.briefingMs} />
        </p>
        <h1>{scenarioTitle(room.scenario)}</h1>
        <p class="briefing-idea">{scenarioIdea(room.scenario)}</p>
        {me !== undefined && (
          <p class="briefing-me">
            <Swatch seat={room.seat} look="swatch mine" /> <span>{t('lobby.briefingYou', { name: me.name })}</span>
          </p>
        )}
        <p class="dim">
          <Rule name="free" />
        </p>
      </div>
    </div>
  );
}
