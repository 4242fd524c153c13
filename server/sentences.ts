/** The English sentence of each code, for answers that a person may read without the client. */
import sentences from '../assets/lang/en/codes.json' with { type: 'json' };
import type { Code } from '#protocol/codes.ts';

export function sentenceOf(code: Code): string {
  return sentences[code];
}
