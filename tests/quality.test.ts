/** docs/quality.md promises tests by name: each is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sources } from './helpers/sources.ts';

const page = readFileSync(join(ROOT, 'docs', 'quality.md'), 'utf8');
const named = [...page.matchAll(/`(tests\/[\w/.]+)`(?: "([^"]+)")?/g)].map(([, file, title]) => ({ file: file!, title: title ?? null }));

test('every test that the page names is there, under its title', () => {
  expect(named.length).toBeGreaterThan(60);
  const texts = new Map(sources().map(({ path, text }) => [path, text]));
  const missing = named.filter(({ file, title }) => !(texts.get(file)?.includes(title ?? '') ?? false));
  expect(missing).toEqual([]);
});

test('R1 to R8 stand on it', () => {
  for (let n = 1; n <= 8; n++) expect(page).toContain(`| R${n} |`);
});
