/** docs/quality.md promises tests by name: each is there, and each line of its tables names one, or a measurement that can be run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sources } from './helpers/sources.ts';

const page = readFileSync(join(ROOT, 'docs', 'quality.md'), 'utf8');
const named = [...page.matchAll(/`([\w/.]+\.(?:test|pw)\.ts)`(?: "([^"]+)")?/g)].map(([, file, title]) => ({
  file: file!,
  title: title ?? null,
}));
const rows = page.split('\n').filter((line) => /^\| (?!#|what|-)/.test(line));
const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;

/** What the tests of a file are called. */
const titlesIn = (text: string): string[] => [...text.matchAll(/(['"`])((?:\\.|(?!\1).)+)\1\s*,/g)].map(([, , title]) => title!);

test('every test that the page names is there, under its title', () => {
  expect(named.length).toBeGreaterThan(60);
  const texts = new Map(sources().map(({ path, text }) => [path, text]));
  const missing = named.filter(({ file, title }) => {
    const text = texts.get(file);
    return text === undefined || (title !== null && !titlesIn(text).includes(title));
  });
  expect(missing).toEqual([]);
});

test('every line names what shows it: a test, or a command that measures it', () => {
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter((row) => !/`tests\/[\w/.]+`|`(?:\w+=\w+ )?npm run /.test(row))).toEqual([]);
  const commands = [...page.matchAll(/npm run (\w+)/g)].map(([, name]) => name!);
  expect(commands.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test('every measure that the page names is one of the bench', () => {
  const bench = readFileSync(join(ROOT, 'tests', 'bench', 'bench.ts'), 'utf8');
  const measures = [...page.matchAll(/npm run bench -- ([\w ]+)`/g)].flatMap(([, ids]) => ids!.split(' '));
  expect(measures.length).toBeGreaterThan(5);
  expect(measures.filter((id) => !new RegExp(`^  ${id}: `, 'm').test(bench))).toEqual([]);
});

test('R1 to R8 stand on it', () => {
  for (let n = 1; n <= 8; n++) expect(page).toContain(`| R${n} |`);
});
