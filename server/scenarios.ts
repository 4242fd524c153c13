/** The scenarios of `assets/scenarios`, checked once when the server starts. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseScenario } from '#game/scenario.ts';
import type { Scenario } from '#game/types.ts';
import type { ScenarioReply } from '#protocol/messages.ts';
import type { Logger } from './log.ts';

const FOLDER = fileURLToPath(new URL('../assets/scenarios/', import.meta.url));

export interface Scenarios {
  get(id: string): Scenario | null;
  list(): ScenarioReply[];
}

/** Throws when a file is no scenario: the server does not start with half of them. */
export function loadScenarios(log: Logger): Scenarios {
  const byId = new Map<string, Scenario>();
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  for (const name of names.sort()) {
    const scenario = parseScenario(JSON.parse(readFileSync(FOLDER + name, 'utf8')));
    byId.set(scenario.id, scenario);
  }
  log.debug({ scenarios: [...byId.keys()] }, 'scenarios');
  return {
    get: (id) => byId.get(id) ?? null,
    list: () => [...byId.values()].map(({ id, title, idea, seconds, seats }) => ({ id, title, idea, seconds, seats })),
  };
}
