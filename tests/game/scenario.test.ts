/** Scenarios: every file in assets is one, is played by bots to the end, and what is none is refused with the place of its fault. */
import { describe, expect, test } from 'vitest';
import { calibrate } from '#game/bots/calibration.ts';
import { meanMilli, neededFrames } from '#game/jobs.ts';
import { RULES } from '#game/round.ts';
import { parseScenario, ScenarioError } from '#game/scenario.ts';
import { scenarioFiles, scenarioJson } from './helpers/rounds.ts';

describe.each(scenarioFiles.map((file) => [file]))('%s', (file) => {
  test('is a scenario, named as its file', () => {
    const scenario = parseScenario(scenarioJson(file));
    expect(`${scenario.id}.json`).toBe(file);
  });

  test('the mean ask that its machine is made for is that of its cards', () => {
    const scenario = parseScenario(scenarioJson(file));
    const mean = meanMilli(scenario, (family, variant) => neededFrames(family, variant, scenario)) / 1000;
    expect(Math.abs(mean - scenario.meanAsk) / scenario.meanAsk).toBeLessThan(0.25);
  });

  test('all bots play it to the end', () => {
    const { rows } = calibrate({ ...parseScenario(scenarioJson(file)), seconds: 60 }, 1, 9);
    expect(rows.length).toBe(9);
    expect(rows.find(({ bot }) => bot === 'free')!.points).toBeGreaterThan(50);
  });
});

describe('what is no scenario', () => {
  const base = () => scenarioJson('swiss-cheese.json');
  const fault = (change: (json: Record<string, unknown>) => void): string => {
    const json = base();
    change(json);
    try {
      parseScenario(json);
    } catch (error) {
      expect(error).toBeInstanceOf(ScenarioError);
      return (error as ScenarioError).path;
    }
    throw new Error('it was taken');
  };

  test.each<[string, (json: Record<string, unknown>) => void]>([
    ['extra', (json) => Object.assign(json, { extra: 1 })],
    ['machine.kernel.frames', (json) => Object.assign((json.machine as { kernel: object }).kernel, { frames: 4096 })],
    ['families.0.variants.0.colour', (json) => Object.assign((json.families as { variants: object[] }[])[0]!.variants[0]!, { colour: 1 })],
    ['families.1.family', (json) => Object.assign((json.families as object[])[1]!, { family: 'dance' })],
    ['machine.framesPerSeat', (json) => Object.assign(json.machine as object, { framesPerSeat: 4096 })],
    ['seats', (json) => Object.assign(json, { seats: 101 })],
    ['rules', (json) => Object.assign(json, { rules: RULES - 1 })],
    ['rules', (json) => Object.assign(json, { rules: RULES + 1 })],
    ['id', (json) => Object.assign(json, { id: '../../etc' })],
    ['seconds', (json) => Object.assign(json, { seconds: 9 })],
    ['seconds', (json) => Object.assign(json, { seconds: 1e309 })],
    ['seconds', (json) => Object.assign(json, { seconds: null })],
    ['meanAsk', (json) => Object.assign(json, { meanAsk: 90 })],
    ['calls.0', (json) => Object.assign(json, { calls: ['sysctl'] })],
    ['tools', (json) => Object.assign(json, { tools: ['mmap', 'mmap'] })],
    ['machine.kernel', (json) => Object.assign((json.machine as { kernel: object }).kernel, { maxOrder: 3, pageblockOrder: 9 })],
    ['machine.kernel', (json) => Object.assign((json.machine as { kernel: object }).kernel, { costs: { lunch: 3 } })],
  ])('%s', (path, change) => {
    expect(fault(change)).toBe(path);
  });

  test('too large, too deep, not an object', () => {
    expect(() => parseScenario({ ...base(), x: 'y'.repeat(300_000) })).toThrow(/bytes/);
    let deep: unknown = 1;
    for (let i = 0; i < 40; i++) deep = [deep];
    expect(() => parseScenario({ ...base(), deep })).toThrow(/nested/);
    for (const value of [null, undefined, 1, 'x', [], new Map()]) expect(() => parseScenario(value)).toThrow(ScenarioError);
    expect(() => parseScenario(JSON.parse('{"__proto__": {"rules": 2}}'))).toThrow(ScenarioError);
  });
});
