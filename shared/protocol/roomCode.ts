/** A room's code: six characters of Crockford's base 32, which leaves out I, L, O and U. */
import { CODE_LENGTH } from './limits.ts';

export const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE = new RegExp(`^[${CODE_ALPHABET}]{${CODE_LENGTH}}$`);

/** What a person typed as a code, or null: case, blanks and hyphens do not count, O is 0, I and L are 1. */
export function parseRoomCode(typed: string): string | null {
  if (typed.length > 4 * CODE_LENGTH) return null;
  const code = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return CODE.test(code) ? code : null;
}

/** A fresh code; `below(n)` gives an integer from 0 to n − 1 that nobody can foresee. */
export function makeRoomCode(below: (n: number) => number): string {
  let code = '';
  for (let i = 0; i < CODE_LENGTH; i++) code += CODE_ALPHABET[below(CODE_ALPHABET.length)];
  return code;
}
