/** A program that ran on glibc 2.36 on x86-64 and printed what malloc did: `glibc_malloc_experiment.txt`, line by line. */
import { describe, expect, test } from 'vitest';
import { oracle } from './files.ts';
import { glibcExperiment } from '../helpers/glibcExperiment.ts';

/** Lines without what no emulator has: the name of a section, and notes in brackets. */
const plain = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim().replace(/ +\(.*\)$/, ''));

describe('glibc_malloc_experiment.txt', () => {
  const theirs = plain(oracle('glibc_malloc_experiment.txt'));
  const ours = glibcExperiment().map((line) => line.replace(/ +\(.*\)$/, ''));

  test('we print as many lines', () => {
    expect(ours.length).toBe(theirs.length);
    expect(theirs.length).toBeGreaterThan(60);
  });

  test.each(theirs.map((line, at) => [line, at] as const))('%s', (line, at) => {
    expect(ours[at]).toBe(line);
  });
});
