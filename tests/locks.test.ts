/** The four locks of the house, each tried on a planted offence: a lock that nobody tries may be open. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deadFiles } from './helpers/alive.ts';
import { forbiddenImports } from './helpers/layers.ts';
import { ROOT } from './helpers/sources.ts';
import { bannedWords, hostPaths } from './helpers/words.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'overcommit-locks-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function plant(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function output(program: string, words: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, program), ...words], { cwd: folder, encoding: 'utf8' });
  return stdout + stderr;
}

/** One planted file an offence: its name says what, so that the report must name it. */
const named = (offences: Record<string, string>, where: string): Record<string, string> =>
  Object.fromEntries(Object.entries(offences).map(([name, text]) => [`${where}/${name}.ts`, `${text}\n`]));

const silent = (report: string, files: Record<string, string>): string[] =>
  Object.keys(files).filter((path) => !new RegExp(`${path.slice(path.lastIndexOf('/') + 1).replace('.', '\\.')}\\b`).test(report));

describe('lock 1: the kernel’s types see no host', () => {
  const bad = named(
    {
      window: 'export const a = window;',
      document: 'export const a = document;',
      process: 'export const a = process;',
      timer: 'setTimeout(() => {}, 1);',
      performance: 'export const a = performance.now();',
      console: "console.log('');",
      crypto: 'export const a = crypto;',
      fetch: "void fetch('');",
      nodeFs: "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;",
      outside: "import { a } from '../outside.ts';\nexport const b = a;",
      enumeration: 'export enum A { b }',
    },
    'typed/kernel',
  );
  const good = { 'typed/kernel/sound.ts': 'export const a = Math.imul(3, 4) >>> 0;\n' };

  test('each offence is reported, and sound code is not', () => {
    plant({ ...bad, ...good, 'typed/outside.ts': 'export const a = 1;\n' });
    const config = { extends: join(ROOT, 'shared/kernel/tsconfig.json'), compilerOptions: { rootDir: '.' }, include: ['.'] };
    plant({ 'typed/kernel/tsconfig.json': JSON.stringify(config) });
    const report = output('node_modules/typescript/bin/tsc', ['-p', 'typed/kernel', '--pretty', 'false']);
    expect(silent(report, bad)).toEqual([]);
    expect(report).not.toContain('sound.ts');
  });
});

describe('lock 2: lint', () => {
  const pure = {
    date: 'export const a = Date.now();',
    newDate: 'export const a = new Date();',
    performance: 'export const a = performance.now();',
    timeout: 'export const a = setTimeout;',
    interval: 'export const a = setInterval;',
    crypto: 'export const a = crypto;',
    promise: 'export const a = Promise.resolve();',
    intl: "export const a = new Intl.NumberFormat('en');",
    global: 'export const a = globalThis;',
    random: 'export const a = Math.random();',
    pow: 'export const a = (b: number) => Math.pow(b, 3);',
    exp: 'export const a = Math.exp(1);',
    log: 'export const a = Math.log(2);',
    log2: 'export const a = Math.log2(2);',
    sin: 'export const a = Math.sin(1);',
    cos: 'export const a = Math.cos(1);',
    locale: 'export const a = (b: number) => b.toLocaleString();',
    compare: "export const a = 'a'.localeCompare('b');",
  };
  const kernel = {
    nodeModule: "import fs from 'node:fs';\nexport { fs };",
    npmPackage: "import { z } from 'zod';\nexport { z };",
    game: "import { a } from '#game/round.ts';\nexport { a };",
    gameByPath: "import { a } from '../game/round.ts';\nexport { a };",
    cycleOne: "import { b } from './cycleTwo.ts';\nexport const a = () => b;",
    cycleTwo: "import { a } from './cycleOne.ts';\nexport const b = () => a;",
  };
  const others = {
    'shared/game/server.ts': "import { a } from '../../server/app.ts';\nexport { a };\n",
    'shared/game/protocol.ts': "import { a } from '#protocol/codes.ts';\nexport { a };\n",
    'shared/game/kernelByPath.ts': "import { a } from '../kernel/machine.ts';\nexport { a };\n",
    'shared/protocol/nodeCrypto.ts': "import { a } from 'node:crypto';\nexport { a };\n",
    'client/serverApp.ts': "import { a } from '../server/app.ts';\nexport { a };\n",
    'server/clientApp.ts': "import { a } from '../client/App.ts';\nexport { a };\n",
    'tests/focused.test.ts': "import { test } from 'vitest';\ntest.only('a', () => {});\n",
    'tests/skipped.test.ts': "import { test } from 'vitest';\ntest.skip('a', () => {});\n",
  };
  const bad = { ...named(pure, 'shared/kernel'), ...named(kernel, 'shared/kernel'), ...others };
  const inGame = named(pure, 'shared/game');

  test('each offence is reported, and sound code is not', () => {
    plant({ ...bad, ...inGame, 'shared/kernel/sound.ts': 'export const a = Math.imul(3, 4) >>> 0;\n' });
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    const words = ['-c', '.oxlintrc.json', '--format', 'unix', 'shared', 'client', 'server', 'tests'];
    const report = output('node_modules/oxlint/bin/oxlint', words);
    expect(Object.keys({ ...bad, ...inGame }).filter((path) => !report.includes(`${path}:`))).toEqual([]);
    expect(report).not.toContain('sound.ts');
  });
});

describe('lock 3: the import matrix and the words', () => {
  const edges: [string, string][] = [
    ['shared/kernel/a.ts', "import { b } from '#game/round.ts';"],
    ['shared/kernel/a.ts', "import type { b } from '../game/types.ts';"],
    ['shared/kernel/a.ts', "export * from 'zod';"],
    ['shared/kernel/a.ts', "const b = await import('node:fs');"],
    ['shared/game/a.ts', "import { b } from '#protocol/codes.ts';"],
    ['shared/game/a.ts', "import { b } from '../kernel/machine.ts';"],
    ['shared/protocol/a.ts', "import { b } from '../../server/app.ts';"],
    ['server/a.ts', "import { b } from '../client/session/Session.ts';"],
    ['server/a.ts', "import { b } from 'phaser';"],
    ['client/a.tsx', "import '../server/main.ts';"],
    ['client/a.tsx', "import express from 'express';"],
    ['client/a.tsx', "import { readFileSync } from 'node:fs';"],
    ['client/a.tsx', "new Worker(new URL('../server/main.ts', import.meta.url));"],
    ['client/a.tsx', "import {\n  b,\n  c,\n} from '../tests/helpers/boot.ts';"],
  ];
  test.each(edges)('%s may not: %s', (path, text) => {
    expect(forbiddenImports([{ path, text }])).toHaveLength(1);
  });

  test('what the matrix has, and what only a comment or a string says, is let through', () => {
    const text =
      "import { call } from '#kernel/machine.ts';\n// import { b } from '../server/app.ts';\nexport const a = 'import x from server';";
    expect(forbiddenImports([{ path: 'shared/game/a.ts', text }])).toEqual([]);
  });

  const words: [string, string][] = [
    ['server/a.ts', 'class RoomManager {}'],
    ['server/a.ts', 'const pageUtils = 1;'],
    ['server/a.ts', 'interface SessionImpl {}'],
    ['client/a.ts', 'function handleClick() {}'],
    ['client/a.ts', 'const data = 1;'],
    ['shared/kernel/a.ts', 'const a = Math.random();'],
    ['shared/kernel/a.ts', 'const a = 2 ** order;'],
    ['shared/game/a.ts', 'const a = Date.now();'],
    ['shared/game/a.ts', 'const a = new Date();'],
    ['shared/game/a.ts', 'names.sort();'],
    ['shared/game/a.ts', 'async () => {}'],
    ['shared/game/a.ts', 'const a = `${Math.log2(4)}`.length / Math.sin(1);'],
    ['tests/a.test.ts', "test.skip('a', () => {});"],
  ];
  test.each(words)('%s may not say: %s', (path, text) => {
    expect(bannedWords([{ path, text }])).toHaveLength(1);
  });

  test('comments and strings may say anything; other layers may know the time', () => {
    const text = "// Math.random() and 2 ** 3\n/* Date.now() */ const a = 'new Date()'; const b = 6 / 2; const c = 8 / 4;";
    expect(bannedWords([{ path: 'shared/kernel/a.ts', text }])).toEqual([]);
    expect(bannedWords([{ path: 'server/a.ts', text: 'const a = Date.now();' }])).toEqual([]);
  });

  test('a path of one machine is found', () => {
    const path = ['', 'home', 'somebody', 'overcommit'].join('/');
    expect(hostPaths([{ path: 'server/a.ts', text: `const a = '${path}';` }])).toHaveLength(1);
  });

  test('a file without an importer is dead', () => {
    const page = { path: 'client/index.html', text: '<script type="module" src="./main.tsx"></script>' };
    const main = { path: 'client/main.tsx', text: "import './used.ts';" };
    const used = { path: 'client/used.ts', text: '' };
    const dead = { path: 'client/dead.ts', text: "import './used.ts';" };
    expect(deadFiles([page, main, used, dead])).toEqual(['client/dead.ts']);
  });
});
