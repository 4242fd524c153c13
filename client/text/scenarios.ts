/** The words of a scenario: those of the list from the server when it is there, else the key of assets/lang, else the id. */
import { signal } from '@preact/signals';
import type { ScenarioReply } from '#protocol/messages.ts';
import { askScenarios } from '../session/doors.ts';
import { lang } from './t.ts';

const known = signal<ReadonlyMap<string, ScenarioReply>>(new Map());
let asked = false;

/** Asks once; a page that gets no answer shows the id. */
export function learnScenarios(): void {
  if (asked) return;
  asked = true;
  void askScenarios().then((answer) => {
    if (answer.ok) known.value = new Map(answer.value.map((scenario) => [scenario.id, scenario]));
    else asked = false;
  });
}

export function scenarioTitle(id: string): string {
  return known.value.get(id)?.title[lang.value] ?? id;
}

export function scenarioIdea(id: string): string {
  return known.value.get(id)?.idea[lang.value] ?? '';
}
