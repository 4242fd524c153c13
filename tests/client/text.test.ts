import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chosenBy, fill } from '../../client/text/t.ts';

const LANG = new URL('../../assets/lang/', import.meta.url);

/** Every key of an area with its places: `host.bots.add {n}`. Plural forms are one key. */
function keys(language: string, area: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (entry: unknown, path: string): void => {
    if (typeof entry === 'string') found.set(path, [...entry.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).toSorted());
    else if (isPlural(entry)) walk(entry.other, path);
    else for (const [key, value] of Object.entries(entry as object)) walk(value, `${path}.${key}`);
  };
  walk(JSON.parse(readFileSync(new URL(`${language}/${area}.json`, LANG), 'utf8')), area);
  return found;
}

function isPlural(entry: unknown): entry is { other: string } {
  return (
    typeof entry === 'object' && entry !== null && 'other' in entry && Object.keys(entry).every((key) => ['one', 'other'].includes(key))
  );
}

const AREAS = readdirSync(new URL('en/', LANG)).map((file) => file.replace('.json', ''));

describe('texts', () => {
  test.each(AREAS)('%s says the same in both languages, with the same numbers', (area) => {
    expect(keys('zh-CN', area)).toEqual(keys('en', area));
  });

  test('numbers are grouped; a place without a number stays visible', () => {
    expect(fill('{n} of {all} frames in {zone}', { n: 1204, zone: 'Normal' }, 'en')).toBe('1,204 of {all} frames in Normal');
  });

  test("the browser's first known language wins, else English", () => {
    expect(chosenBy(['de', 'zh-TW', 'en'])).toBe('zh-CN');
    expect(chosenBy(['de', 'en-GB', 'zh'])).toBe('en');
    expect(chosenBy(['fr'])).toBe('en');
  });
});
