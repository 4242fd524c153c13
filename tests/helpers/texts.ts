/** The sentences of all languages, flat: `area.key` → sentence. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT, sources } from './sources.ts';

type Entry = string | { [key: string]: Entry };

export const LANGS = ['en', 'zh-CN'] as const;
export type Lang = (typeof LANGS)[number];

const FORMS = new Set(['zero', 'one', 'two', 'few', 'many', 'other']);

/** Each key with the forms of its sentence: one, or those of its plural. Languages differ in which forms they have. */
export function textsOf(lang: Lang): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  for (const { path, text } of sources().filter(({ path }) => path.startsWith(`assets/lang/${lang}/`))) {
    collect(JSON.parse(text) as Entry, basename(path, '.json'), texts);
  }
  return texts;
}

function collect(entry: Entry, key: string, texts: Map<string, string[]>): void {
  if (typeof entry === 'string') texts.set(key, [entry]);
  else if (Object.keys(entry).every((step) => FORMS.has(step)) && 'other' in entry) texts.set(key, Object.values(entry).map(String));
  else for (const [step, inner] of Object.entries(entry)) collect(inner, `${key}.${step}`, texts);
}

/** `{places}` of a sentence, over all its forms, sorted. */
export const placesOf = (forms: string[]): string[] =>
  [...new Set(forms.flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)))].sort();

/** The codes of shared/kernel/why.ts with the numbers that each carries. */
export function whyNumbers(): Map<string, string[]> {
  const text = readFileSync(join(ROOT, 'shared/kernel/why.ts'), 'utf8');
  const body = /interface WhyNumbers \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
  return new Map(
    [...body.matchAll(/^ {2}([A-Z_]+): \{([^}]*)\}/gm)].map((match) => [
      match[1]!,
      [...match[2]!.matchAll(/(\w+)\??:/g)].map((field) => field[1]!),
    ]),
  );
}

/** The codes of a union in shared/game/types.ts: its `code` fields, or its plain words. */
export function gameCodes(type: 'MisfitWhy' | 'IgnoredReason'): string[] {
  const text = readFileSync(join(ROOT, 'shared/game/types.ts'), 'utf8');
  const body = new RegExp(`export type ${type} =([\\s\\S]*?);\\n(?=\\n|$)`).exec(text)?.[1] ?? '';
  return [...body.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]!);
}
