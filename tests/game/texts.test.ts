/** Every card, every why and every scenario has its sentence, in both languages, short enough and with its numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { shippedAll } from './helpers/rounds.ts';

type Texts = Record<string, string>;
const read = (lang: string, area: string): Texts =>
  JSON.parse(readFileSync(new URL(`../../assets/lang/${lang}/${area}.json`, import.meta.url), 'utf8')) as Texts;
const source = (path: string): string => readFileSync(new URL(`../../shared/${path}`, import.meta.url), 'utf8');

/** Words of a sentence; a number counts as one. */
const wordCount = (sentence: string): number => sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}{]/u.test(word)).length;
const places = (sentence: string): string[] => [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).sort();

/** `CODE: { number: type; … }` of why.ts, and the misfits of the game's types. */
function whyNumbers(): Map<string, string[]> {
  const numbers = new Map<string, string[]>();
  const fields = (list: string) => [...list.matchAll(/(\w+): (?:number|string)/g)].map(([, name]) => name!);
  for (const [, code, list] of source('kernel/why.ts').matchAll(/^ {2}([A-Z_]+): \{ (.*) \};$/gm)) numbers.set(code!, fields(list!));
  for (const [, code, list] of source('game/types.ts').matchAll(/\{ code: '([A-Z_]+)'(.*) \}/g)) numbers.set(code!, fields(list!));
  return numbers;
}

describe('why', () => {
  const numbers = whyNumbers();

  test('the codes are found', () => {
    expect(numbers.size).toBeGreaterThan(30);
    expect(numbers.get('FRAGMENTED')).toEqual(['order', 'needed', 'freePages', 'largestOrder', 'largestRun']);
  });

  test.each(['en', 'zh-CN'])('%s: a sentence for each code, with numbers that the code has', (lang) => {
    const texts = read(lang, 'why');
    expect(Object.keys(texts).sort()).toEqual([...numbers.keys()].sort());
    for (const [code, sentence] of Object.entries(texts))
      for (const place of places(sentence)) expect(numbers.get(code), code).toContain(place);
  });

  test('English has at most 16 words, and both languages show the same numbers', () => {
    const [en, zh] = [read('en', 'why'), read('zh-CN', 'why')];
    for (const [code, sentence] of Object.entries(en)) {
      expect(wordCount(sentence), sentence).toBeLessThanOrEqual(16);
      expect(places(zh[code]!), code).toEqual(places(sentence));
    }
  });
});

describe('cards', () => {
  const keys = ['bufferOne', 'bufferMany', 'bufferSparse', 'capture', 'worker'];
  const numbers = ['frames', 'kib', 'count', 'each', 'used', 'share'];

  test.each(['en', 'zh-CN'])('%s: a sentence for each kind of card, which names no call and no family', (lang) => {
    const { family, ...texts } = read(lang, 'cards') as unknown as { family: Texts } & Texts;
    expect(Object.keys(texts).sort()).toEqual([...keys].sort());
    expect(Object.keys(family)).toEqual(['buffer', 'capture', 'worker']);
    for (const sentence of Object.values(texts)) {
      for (const place of places(sentence)) expect(numbers).toContain(place);
      expect(sentence).not.toMatch(/mmap|brk|alloc_pages|fork|buffer|capture|worker|malloc/);
      if (lang === 'en') expect(wordCount(sentence), sentence).toBeLessThanOrEqual(12);
    }
  });
});

test.each(['en', 'zh-CN'] as const)('%s: a scenario has the same words in its file and in the list', (lang) => {
  const texts = read(lang, 'scenarios') as unknown as Record<string, { title: string; idea: string }>;
  expect(Object.keys(texts).sort()).toEqual(
    shippedAll()
      .map(({ id }) => id)
      .sort(),
  );
  for (const { id, title, idea } of shippedAll()) expect(texts[id]).toEqual({ title: title[lang], idea: idea[lang] });
});
