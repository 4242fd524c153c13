/** What holds the house together and no compiler sees: who imports whom, which words are used, that nothing is dead or unsaid. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALLS } from '#kernel/calls.ts';
import { CODES } from '#protocol/codes.ts';
import { deadFiles } from './helpers/alive.ts';
import { forbiddenImports } from './helpers/layers.ts';
import { ROOT, codeIn, sources } from './helpers/sources.ts';
import { LANGS, gameCodes, placesOf, textsOf, whyNumbers } from './helpers/texts.ts';
import { bannedWords, hostPaths } from './helpers/words.ts';

/** They name the banned words in order to ban them. */
const LISTS = new Set(['tests/helpers/words.ts', 'tests/locks.test.ts']);

describe('the code', () => {
  test('imports only along the matrix', () => {
    expect(forbiddenImports(sources())).toEqual([]);
  });

  test('uses no banned word', () => {
    expect(bannedWords(sources().filter(({ path }) => !LISTS.has(path)))).toEqual([]);
  });

  test('names no path of one machine', () => {
    expect(hostPaths(sources())).toEqual([]);
  });

  test('has no file that nobody uses', () => {
    expect(deadFiles(sources())).toEqual([]);
  });

  test('links only to files that are there', () => {
    const dead = sources()
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)]
          .filter(([, target]) => !existsSync(join(ROOT, dirname(path), target!)))
          .map(([, target]) => `${path}: ${target}`),
      );
    expect(dead).toEqual([]);
  });

  test('has no empty file', () => {
    expect(sources().flatMap(({ path, text }) => (text.trim() === '' ? [path] : []))).toEqual([]);
  });

  test('every call of the table stands in a test of the kernel', () => {
    const said = codeIn('tests/kernel', 'tests/golden', 'tests/helpers')
      .map(({ text }) => text)
      .join('\n');
    expect(Object.keys(CALLS).filter((name) => !new RegExp(`['"\`]${name}['"\`]`).test(said))).toEqual([]);
  });
});

describe('the sentences', () => {
  const [english, ...others] = LANGS.map((lang) => ({ lang, texts: textsOf(lang) }));

  test.each(others)('$lang has the keys of English and no others', ({ texts }) => {
    expect([...texts.keys()].sort()).toEqual([...english!.texts.keys()].sort());
  });

  test.each(others)('$lang fills the same places as English', ({ texts }) => {
    const differ = [...texts].filter(([key, forms]) => placesOf(forms).join() !== placesOf(english!.texts.get(key) ?? []).join());
    expect(differ.map(([key, forms]) => `${key}: ${placesOf(forms).join()}`)).toEqual([]);
  });

  test.each(LANGS)('every code of a refusal has one in %s', (lang) => {
    const texts = textsOf(lang);
    expect(Object.keys(CODES).filter((code) => !texts.has(`codes.${code}`))).toEqual([]);
  });

  test.each(LANGS)('every why of the kernel has one in %s, with numbers that it carries', (lang) => {
    const texts = textsOf(lang);
    const wrong: string[] = [];
    for (const [code, numbers] of whyNumbers()) {
      const forms = texts.get(`why.${code}`);
      if (forms === undefined) wrong.push(`why.${code} is missing`);
      for (const place of placesOf(forms ?? []))
        if (!numbers.includes(place) && place !== 'n') wrong.push(`why.${code} has no number {${place}}`);
    }
    expect(wrong).toEqual([]);
  });

  test.each(LANGS)('every misfit and every ignored action has one in %s', (lang) => {
    const texts = textsOf(lang);
    const wanted = [
      ...gameCodes('MisfitWhy').map((code) => `why.${code}`),
      ...gameCodes('IgnoredReason').map((code) => `play.log.ignored.${code}`),
    ];
    expect(wanted.length).toBeGreaterThan(12);
    expect(wanted.filter((key) => !texts.has(key))).toEqual([]);
  });

  test('every text that the client names by its key exists', () => {
    const keys = [...english!.texts.keys()];
    const areas = [...new Set(keys.map((key) => key.slice(0, key.indexOf('.'))))].join('|');
    // 'join.head', or `join.phase.${…}`: then some key must begin so.
    const named = new RegExp(`(['"\`])((?:${areas})\\.[\\w.-]*)(\\1|\\$\\{)`, 'g');
    const missing = codeIn('client').flatMap(({ path, text }) =>
      [...text.matchAll(named)]
        .filter(([, , name, end]) => !keys.some((key) => key === name || (end === '${' && key.startsWith(name!))))
        .map(([, , name]) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('every why of the kernel is given somewhere in it, and shown by a test', () => {
    const textOf = (files: { path: string; text: string }[]): string =>
      files
        .filter(({ path }) => path !== 'shared/kernel/why.ts')
        .map(({ text }) => text)
        .join('\n');
    const [given, shown] = [textOf(codeIn('shared/kernel')), textOf(codeIn('tests/kernel', 'tests/oracles', 'tests/helpers'))];
    const codes = [...whyNumbers().keys()];
    expect(codes.filter((code) => !given.includes(`'${code}'`))).toEqual([]);
    expect(codes.filter((code) => !shown.includes(`'${code}'`))).toEqual([]);
  });

  test.each(LANGS)('%s has no sentence for a why that nobody gives', (lang) => {
    const known = new Set([...whyNumbers().keys(), ...gameCodes('MisfitWhy')].map((code) => `why.${code}`));
    expect([...textsOf(lang).keys()].filter((key) => key.startsWith('why.') && !known.has(key))).toEqual([]);
  });

  test('the list of whys was read', () => {
    expect(whyNumbers().size).toBeGreaterThan(20);
    expect(whyNumbers().get('FRAGMENTED')).toEqual(['order', 'needed', 'freePages', 'largestOrder', 'largestRun']);
  });
});

describe('the lock file', () => {
  interface Package {
    resolved?: string;
    optionalDependencies?: Record<string, string>;
  }
  const packages = (JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Package> }).packages;

  test('names no registry', () => {
    expect(Object.entries(packages).flatMap(([path, { resolved }]) => (resolved === undefined ? [] : [path]))).toEqual([]);
  });

  test('names the packages of every platform; `npm run lock` after an install adds them', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]),
    );
    expect(missing).toEqual([]);
  });
});

describe('each folder says what it is for', () => {
  const FOLDERS = ['shared/kernel', 'shared/game', 'shared/protocol', 'server', 'client', 'assets', 'tests'];
  test.each(FOLDERS)('%s/README.md has at most 30 lines', (folder) => {
    const lines = readFileSync(join(ROOT, folder, 'README.md'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
  });
});
