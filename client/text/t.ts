/**
 * Texts by key, in the language of the page. One chunk a language; a key is `area.key` (assets/lang/<lang>/<area>.json).
 * Reading `t` while rendering subscribes the component: a change of language draws it anew.
 */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export const LANGS = ['en', 'zh-CN'] as const;
export type Lang = (typeof LANGS)[number];
export type Numbers = Record<string, string | number>;

/** A sentence, its forms by plural category of `n`, or a deeper level. */
type Entry = string | { [key: string]: Entry };
type Texts = Record<string, Entry>;

const LOAD: Record<Lang, () => Promise<{ texts: Texts }>> = {
  en: () => import('./en.ts'),
  'zh-CN': () => import('./zh-CN.ts'),
};
const KEY = 'overcommit.lang';

const state = signal<{ lang: Lang; texts: Texts }>({ lang: 'en', texts: {} });

export const lang: ReadonlySignal<Lang> = computed(() => state.value.lang);

/** The sentence of a key with its `{places}` filled; a key without a sentence is shown as it is. */
export function t(key: string, numbers: Numbers = {}): string {
  const { lang, texts } = state.value;
  const sentence = sentenceOf(texts, key, numbers, lang);
  if (sentence === null) return key;
  return fill(sentence, numbers, lang);
}

export function has(key: string): boolean {
  return find(state.value.texts, key) !== null;
}

export async function setLang(next: Lang): Promise<void> {
  keep(next);
  await load(next);
}

/** Loads what the device chose last, else what the browser asks for, else English. */
export async function startText(): Promise<void> {
  await load(kept() ?? chosenBy(navigator.languages));
}

/** The first language of a browser's list that there is a text for. */
export function chosenBy(wanted: readonly string[]): Lang {
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith('zh')) return 'zh-CN';
    if (tag.toLowerCase().startsWith('en')) return 'en';
  }
  return 'en';
}

/** Fills `{places}`; numbers are grouped as the language does. Exported for tests. */
export function fill(sentence: string, numbers: Numbers, language: Lang): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = numbers[name];
    if (value === undefined) return place;
    return typeof value === 'number' ? grouped(value, language) : value;
  });
}

async function load(next: Lang): Promise<void> {
  const { texts } = await LOAD[next]();
  state.value = { lang: next, texts };
  document.documentElement.lang = next;
}

function sentenceOf(texts: Texts, key: string, numbers: Numbers, language: Lang): string | null {
  const entry = find(texts, key);
  if (entry === null || typeof entry === 'string') return entry;
  const form = entry[pluralRules(language).select(Number(numbers.n ?? 0))] ?? entry.other;
  return typeof form === 'string' ? form : null;
}

function find(texts: Texts, key: string): Entry | null {
  let entry: Entry | undefined = texts;
  for (const step of key.split('.')) {
    if (entry === undefined || typeof entry === 'string' || !Object.hasOwn(entry, step)) return null;
    entry = entry[step];
  }
  return entry ?? null;
}

const formats = new Map<Lang, Intl.NumberFormat>();
/** 12,345; −3. */
export function grouped(value: number, language: Lang = state.value.lang): string {
  let format = formats.get(language);
  if (format === undefined) formats.set(language, (format = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })));
  return format.format(value);
}

const rules = new Map<Lang, Intl.PluralRules>();
function pluralRules(language: Lang): Intl.PluralRules {
  let rule = rules.get(language);
  if (rule === undefined) rules.set(language, (rule = new Intl.PluralRules(language)));
  return rule;
}

function kept(): Lang | null {
  try {
    const value = localStorage.getItem(KEY);
    return LANGS.find((known) => known === value) ?? null;
  } catch {
    return null;
  }
}

function keep(next: Lang): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser may forbid storage: the choice then lasts for this page.
  }
}
