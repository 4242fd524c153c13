import { has, t } from './t.ts';

/** The sentence of a refusal: the server's codes, and the two that only a client knows (NO_LINK, GONE). */
export function sentenceOf(code: string): string {
  for (const key of [`codes.${code}`, `common.codes.${code}`]) if (has(key)) return t(key);
  return t('common.codes.OTHER', { code });
}
