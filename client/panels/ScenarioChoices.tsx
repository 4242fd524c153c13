import type { ScenarioReply } from '#protocol/messages.ts';
import { lang, t } from '../text/t.ts';
import './ScenarioChoices.css';

interface ChoicesProps {
  scenarios: readonly ScenarioReply[];
  /** Id. */
  chosen: string;
  choose(id: string): void;
}

/** One of the scenarios, each with its one idea. */
export function ScenarioChoices({ scenarios, chosen, choose }: ChoicesProps) {
  return (
    <fieldset class="scenarios">
      <legend class="label">{t('host.scenario')}</legend>
      {scenarios.map((scenario) => (
        <label key={scenario.id} class={`scenario ${scenario.id === chosen ? 'chosen' : ''}`}>
          <input type="radio" name="scenario" checked={scenario.id === chosen} onChange={() => choose(scenario.id)} />
          <span class="scenario-title">{scenario.title[lang.value]}</span>
          <span class="dim">{scenario.idea[lang.value]}</span>
          <span class="label">{t('host.minutes', { n: Math.round(scenario.seconds / 6) / 10 })}</span>
        </label>
      ))}
    </fieldset>
  );
}
