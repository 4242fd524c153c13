/** The scripts that make a clone ready. What only a fresh clone can show, `npm start` and `npm test` show there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBrowser } from '../scripts/browser.mjs';
import { projectNode } from '../scripts/process.mjs';
import { modulesMatch } from '../scripts/setup.mjs';
import { ROOT } from './helpers/sources.ts';

test('CHROME_PATH decides; a wrong one is an error and no reason to look elsewhere', () => {
  expect(findBrowser({ CHROME_PATH: process.execPath })).toBe(process.execPath);
  expect(() => findBrowser({ CHROME_PATH: join(ROOT, 'no-such-browser') })).toThrow(/CHROME_PATH names no program/);
});

test('a tree that runs tests matches its lock file, and has a Node that runs TypeScript', () => {
  expect(modulesMatch()).toBe(true);
  expect(projectNode()).not.toBeNull();
});

test('with.mjs says nothing of its own, and hands on words, streams, folder and exit code', () => {
  const folder = mkdtempSync(join(tmpdir(), 'overcommit-with-'));
  writeFileSync(join(folder, 'lines'), 'not json\n');
  const words = ['scripts/with.mjs', 'server/cli/sim.ts', 'lines'];
  const env = { ...process.env, INIT_CWD: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, env, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/line 1/);
});

test('oracles without their folder: says what is missing and fails', () => {
  const { ORACLES: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, ['scripts/oracles.mjs'], { cwd: ROOT, env, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('ORACLES');
});
