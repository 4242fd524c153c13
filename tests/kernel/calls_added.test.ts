/** docs/calls-added.md: what this kernel answers beyond the design's table stands on the page; nothing is unsaid. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALLS, type CallSpec } from '#kernel/calls.ts';
import { KNOWN } from '#kernel/config.ts';
import { DEBUG_FILES, FILES, TASK_FILES } from '#kernel/fs/proc/base.ts';
import { SYSCTL_LISTS, SYSCTLS } from '#kernel/kernel/sysctl.ts';
import { PROGRAMS } from '#kernel/sys/run.ts';
import { GOOD_CALLS, make, stageOf } from '../helpers/requests.ts';
import { ROOT } from '../helpers/sources.ts';
import * as table from '../helpers/callsTable.ts';

const page = readFileSync(join(ROOT, 'docs', 'calls-added.md'), 'utf8');
const wordsOf = (text: string): string[] => text.match(/[\w.+/-]+/g) ?? [];
/** What stands in backticks, whole and word by word. */
const spans = [...page.matchAll(/`([^`]+)`/g)].map(([, span]) => span!);
const said = new Set(spans.flatMap((span) => [span, ...wordsOf(span)]));

/** Words of the lines that name the call. */
const saidOf = (name: string): Set<string> =>
  new Set(page.split('\n').flatMap((line) => (new RegExp(`\`${name}\\b`).test(line) ? wordsOf(line) : [])));

const unsaid = (names: readonly string[], fixed: string): string[] => {
  const known = new Set(fixed.split(/\s+/));
  return names.filter((name) => !known.has(name) && !said.has(name));
};

/** Words that an argument takes, as the rule for malformed calls names them. */
function vocabularyOf(spec: CallSpec, name: string): string[] {
  const bad: unknown = spec.args[name]!.parse({}, false);
  const rule = (bad as { rule?: string }).rule ?? '';
  return /^(?:names from|one of) (.*)$/.exec(rule)?.[1]?.split(', ') ?? [];
}

const calls = Object.entries(CALLS as Record<string, CallSpec>);

describe('docs/calls-added.md names what the design’s table does not', () => {
  test('every call', () => {
    expect(
      unsaid(
        calls.map(([name]) => name),
        Object.keys(table.CALLS).join(' '),
      ),
    ).toEqual([]);
  });

  test.each(calls)('the arguments of %s', (name, { args }) => {
    const known = new Set([...wordsOf(table.CALLS[name] ?? ''), ...saidOf(name)]);
    expect(Object.keys(args).filter((argument) => !known.has(argument))).toEqual([]);
  });

  test.each(calls)('the words that %s takes', (_name, spec) => {
    expect(
      unsaid(
        Object.keys(spec.args).flatMap((argument) => vocabularyOf(spec, argument)),
        table.WORDS,
      ),
    ).toEqual([]);
  });

  test.each(GOOD_CALLS)('what $call answers', (good) => {
    const known = new Set([...wordsOf(table.CALLS[good.call] ?? ''), ...saidOf(good.call), ...table.ANSWER.split(' ')]);
    expect(Object.keys(make(good, stageOf(good))).filter((key) => !known.has(key))).toEqual([]);
  });

  test('every key of a machine, and the keys within', () => {
    expect(unsaid(KNOWN, table.KEYS)).toEqual([]);
    const sources = ['config.ts', 'config_disk.ts', 'arch/custom_keys.ts'].map((file) =>
      readFileSync(join(ROOT, 'shared', 'kernel', file), 'utf8'),
    );
    const lists = sources.flatMap((text) => [...text.matchAll(/(?:group\(|plain\(|KEYS = )[^[\n]*\[('\w+'(?:, '\w+')*)\]/g)]);
    const within = lists.flatMap(([, list]) => list!.replaceAll("'", '').split(', '));
    expect(within.length).toBeGreaterThan(30);
    expect(
      within.filter((key) => !table.KEYS_WITHIN.split(/\s+/).includes(key) && !new RegExp(`\\b${key}\\b`).test(spans.join(' '))),
    ).toEqual([]);
  });

  test('every knob of sysctl', () => {
    expect(unsaid([...Object.keys(SYSCTLS), ...Object.keys(SYSCTL_LISTS)], table.SYSCTLS)).toEqual([]);
  });

  test('every file of cat, every program of run', () => {
    const paths = [...Object.keys(FILES).map((name) => `/proc/${name}`), ...Object.keys(DEBUG_FILES)];
    expect(unsaid(paths, table.FILES)).toEqual([]);
    expect(unsaid(Object.keys(TASK_FILES), table.TASK_FILES)).toEqual([]);
    expect(unsaid([...PROGRAMS.keys()], table.PROGRAMS)).toEqual([]);
  });
});

test('the page names no call that is not there', () => {
  const named = spans.flatMap((span) => /^([a-z_]+) \{/.exec(span)?.[1] ?? []);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !(name in CALLS))).toEqual([]);
});
