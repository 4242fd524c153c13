/** `npm run soak -- --calls`: a few of its calls, and words that mean nothing. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const soak = (...words: string[]) => {
  const file = join(import.meta.dirname, '..', '..', 'server', 'cli', 'soak.ts');
  return spawnSync(process.execPath, [file, ...words], { encoding: 'utf8', env: { ...process.env, VITEST: '' } });
};

test('random calls on a shape, told as they are made; exit 0 when the machine holds', () => {
  const { status, stdout, stderr } = soak('--calls', '300', '--seed', '5', '--shape', 'one small zone');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^soak: 300 calls on each of 1 machine shapes, seed 5\n.*: 300 of 300 calls, \d+ s\nevery machine holds\n$/);
});

test.each([
  ['--calls', 'many'],
  ['--calls', '0'],
  ['--calls', '10', '--shape', 'no such shape'],
])('%s %s is refused with a sentence, exit 2', (...words) => {
  const { status, stderr } = soak(...words);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^soak: /);
});
