/** Every code has a sentence in every language, and no sentence is without a code. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLOSE, codeOfClose, CODES } from '#protocol/codes.ts';
import { decodeSnap, encodeSnap } from '#protocol/snap.ts';

const LANGUAGES = new URL('../../assets/lang/', import.meta.url);

test.each(readdirSync(LANGUAGES))('%s has the sentences of all codes', (language) => {
  const sentences = JSON.parse(readFileSync(new URL(`${language}/codes.json`, LANGUAGES), 'utf8')) as Record<string, string>;
  expect(Object.keys(sentences).sort()).toEqual(Object.keys(CODES).sort());
  for (const sentence of Object.values(sentences)) expect(sentence).toMatch(/[.。]$/);
});

test('each close code means one code', () => {
  expect(new Set(Object.values(CLOSE)).size).toBe(Object.keys(CLOSE).length);
  for (const [code, number] of Object.entries(CLOSE)) expect(codeOfClose(number)).toBe(code);
  expect(codeOfClose(1006)).toBeNull();
});

test('a snapshot message carries its tick and its bytes', () => {
  const deflated = Uint8Array.of(1, 2, 3, 255);
  expect(decodeSnap(encodeSnap({ n: 70_000, deflated }))).toEqual({ n: 70_000, deflated });
});
