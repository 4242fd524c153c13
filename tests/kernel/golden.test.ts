/** Golden scripts play to the answers on record; examples are short enough to hand out and hold their own expected answers. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXAMPLES, answersTo, goldenScripts } from '../golden/scripts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SCRIPTS = goldenScripts();
const examples = SCRIPTS.filter(({ script }) => script.startsWith(EXAMPLES));

test.each(SCRIPTS)('$name: every answer, byte for byte', ({ script, answers }) => {
  expect(answersTo(script)).toBe(readFileSync(answers, 'utf8'));
});

describe('the examples for lessons', () => {
  test('the list of what each shows names them all', () => {
    const listed = [...readFileSync(join(EXAMPLES, 'README.md'), 'utf8').matchAll(/^\| `([a-z0-9-]+)` \| \S/gm)].map((found) => found[1]!);
    expect(listed.toSorted()).toEqual(examples.map(({ name }) => name).toSorted());
  });

  test.each(examples)(
    '$name has 10 to 30 lines, begins with what it shows, and the real command finds all its asserts true',
    ({ name, script, answers }) => {
      const lines = readFileSync(script, 'utf8').trimEnd().split('\n');
      expect(lines.length).toBeGreaterThanOrEqual(10);
      expect(lines.length).toBeLessThanOrEqual(30);
      expect(Object.keys(JSON.parse(lines[0]!) as object)).toEqual(['#']);
      expect(lines.filter((line) => line.startsWith('{"assert"')).length, name).toBeGreaterThanOrEqual(3);
      const played = spawnSync(process.execPath, [join(ROOT, 'server', 'cli', 'sim.ts'), script], { encoding: 'utf8' });
      expect({ status: played.status, stderr: played.stderr }).toEqual({ status: 0, stderr: '' });
      expect(played.stdout).toBe(readFileSync(answers, 'utf8'));
    },
  );
});
