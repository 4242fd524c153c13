/** Words that the code does not use, with what to write instead. */
import { type Source, CODE, bare } from './sources.ts';

interface Ban {
  pattern: RegExp;
  instead: string;
  /** Where it holds; everywhere in code if absent. */
  within?: RegExp;
  /** Strings count too (only comments are taken out). */
  strings?: true;
}

/** Layers whose results must be the same on every machine. */
const PURE = /^shared\/(kernel|game)\//;

export const BANS: Ban[] = [
  { pattern: /\b\w*Managers?\b/, instead: 'what it does: Sequencer, Roster, …' },
  { pattern: /\b\w*Helpers?\b/, instead: 'what it does' },
  { pattern: /\b\w*Utils?\b/, instead: 'a file named after its subject' },
  { pattern: /\b\w+Impl\b/, instead: 'the thing’s own name' },
  { pattern: /\bhandle(?!MmFault\b)[A-Z]\w*/, instead: 'the deed: seat, kick, play, … (handle_mm_fault is Linux’s own)' },
  { pattern: /\b(?:const|let|function|class|interface|type)\s+(?:data|info)\b/, instead: 'what it holds' },
  { pattern: /@ts-ignore|@ts-nocheck/, instead: 'a type that is true' },
  { pattern: /\bas any\b/, instead: 'a type that is true' },
  { pattern: /\b(?:it|test|describe)\.(?:skip|only|todo|fixme)\b|\btest\.slow\(/, instead: 'a test that runs', within: /^tests\// },
  { pattern: /\bwaitForTimeout\b/, instead: 'waiting for a fact', within: /^tests\// },
  {
    pattern: /\bMath\.(?:random|sin|cos|tan|atan2?|asin|acos|pow|exp|expm1|log|log1p|log2|log10|cbrt|hypot|sinh|cosh|tanh)\b/,
    instead: 'integers, and the generator in the state',
    within: PURE,
  },
  { pattern: /\*\*/, instead: 'shifts and products', within: PURE },
  { pattern: /\bDate\b|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, instead: 'machine.now', within: PURE },
  { pattern: /\bnew Promise\b|\bPromise\.|\basync\b|\bawait\b/, instead: 'a function that is done when it returns', within: PURE },
  { pattern: /\btoLocale\w*|\blocaleCompare\b|\bIntl\b/, instead: 'code units and digits', within: PURE },
  { pattern: /\.sort\(\s*\)/, instead: 'sort with a total order', within: PURE },
  {
    pattern: /\bWeakRef\b|\bFinalizationRegistry\b|\bglobalThis\b|\bconsole\b/,
    instead: 'nothing: the host is not visible here',
    within: PURE,
  },
];

/** Each banned word as `path:line: "word" is banned, write …`. Code that lists the bans itself is not asked. */
export function bannedWords(files: Source[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    if (!CODE.test(path)) continue;
    const code = bare(text, false).split('\n');
    const withComments = text.split('\n');
    for (const { pattern, instead, within } of BANS) {
      if (within !== undefined && !within.test(path)) continue;
      const lines = pattern.source.startsWith('@ts-') ? withComments : code;
      lines.forEach((line, index) => {
        const word = pattern.exec(line)?.[0];
        if (word !== undefined) found.push(`${path}:${index + 1}: "${word}" is banned, write ${instead}`);
      });
    }
  }
  return found;
}

/** Folders of a person's or a build machine, which are on no other. */
const HOST_PATH = /(?<![\w.:}-])\/(?:home|root|Users|work|builds|mnt)\/[\w.-]+/;

export function hostPaths(files: Source[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const found = HOST_PATH.exec(line)?.[0];
      return found === undefined ? [] : [`${path}:${index + 1}: ${found} is a path of one machine`];
    }),
  );
}
