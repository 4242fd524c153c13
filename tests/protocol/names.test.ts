/** Names and codes: what is allowed, what is the same, what is made up. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NAME_GRAPHEMES_MAX } from '#protocol/limits.ts';
import { checkName, lookAlikeKey, MADE_NAMES, makeName } from '#protocol/names.ts';
import { CODE_ALPHABET, makeRoomCode, parseRoomCode } from '#protocol/roomCode.ts';

test.each([
  ['Ada', 'Ada'],
  ['  Ada   Lovelace ', 'Ada Lovelace'],
  ['Ａｄａ', 'Ada'],
  ['李小龙', '李小龙'],
  ['Zoë', 'Zoë'],
  ['Zoe\u0308', 'Zoë'],
  ['🦊 Fox', '🦊 Fox'],
  ['O’Brien-Smith', 'O’Brien-Smith'],
  ['Ада', 'Ада'],
  ['🇩🇪'.repeat(20), '🇩🇪'.repeat(20)],
])('%j is the name %j', (typed, name) => {
  expect(checkName(typed)).toEqual({ ok: true, name });
});

test.each([
  ['', 'NAME_EMPTY'],
  [' \u3000 ', 'NAME_EMPTY'],
  ['\u2800\u3164', 'NAME_EMPTY'],
  ['\u0301', 'NAME_EMPTY'],
  ['\u200d', 'NAME_EMPTY'],
  ['a\nb', 'NAME_CHARACTERS'],
  ['a\u0000b', 'NAME_CHARACTERS'],
  ['a\u202eb', 'NAME_CHARACTERS'],
  ['a\u2066b', 'NAME_CHARACTERS'],
  ['a\u200bb', 'NAME_CHARACTERS'],
  ['a\ufeffb', 'NAME_CHARACTERS'],
  ['a\ud800b', 'NAME_CHARACTERS'],
  ['a\ue000b', 'NAME_CHARACTERS'],
  ['a\u2028b', 'NAME_CHARACTERS'],
  ['123456789012345678901', 'NAME_TOO_LONG'],
  [`a${'\u0301'.repeat(100)}`, 'NAME_TOO_LONG'],
  ['\ufdfa'.repeat(10), 'NAME_TOO_LONG'],
])('%j is refused: %s', (typed, code) => {
  expect(checkName(typed)).toEqual({ ok: false, code });
});

test('checking twice changes nothing, and a checked name is short', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (typed) => {
      const once = checkName(typed);
      if (!once.ok) return;
      expect(checkName(once.name)).toEqual(once);
      expect([...new Intl.Segmenter().segment(once.name)].length).toBeLessThanOrEqual(NAME_GRAPHEMES_MAX);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['Alice', 'alice'],
  ['Alice', 'AIice'],
  ['Alice', 'Al1ce'],
  ['paypal', 'раураӏ'],
  ['Bob', 'B0b'],
  ['Zoë', 'Zoe'],
  ['Ada Lovelace', 'AdaLovelace'],
  ['O’Brien', "O'Brien"],
  ['modern', 'rnodern'],
  ['will', 'vvill'],
  ['ΑΒΗΝ', 'abhn'],
  ['Ηost', 'host'],
])('%s and %s look alike', (one, other) => {
  expect(lookAlikeKey(one)).toBe(lookAlikeKey(other));
});

test.each([
  ['Ada', 'Eda'],
  ['李小龙', '李大龙'],
  ['🦊', '🐻'],
  ['...', '---'],
  ['Player 2', 'Player 3'],
])('%s and %s do not', (one, other) => {
  expect(lookAlikeKey(one)).not.toBe(lookAlikeKey(other));
});

test('every made-up name is a name, and no two look alike', () => {
  const names: string[] = [];
  for (let one = 0; ; one++) {
    const first: string[] = [];
    try {
      for (let two = 0; ; two++) {
        let turn = 0;
        const name = makeName((n) => {
          const pick = turn++ === 0 ? one : two;
          if (pick >= n) throw new RangeError();
          return pick;
        });
        first.push(name);
      }
    } catch {
      if (first.length === 0) break;
      names.push(...first);
    }
  }
  expect(names).toHaveLength(MADE_NAMES);
  expect(MADE_NAMES).toBeGreaterThan(5000);
  for (const name of names) expect(checkName(name)).toEqual({ ok: true, name });
  expect(new Set(names.map(lookAlikeKey)).size).toBe(names.length);
});

test('a code is read as people type it', () => {
  expect(parseRoomCode('abc-def')).toBe('ABCDEF');
  expect(parseRoomCode(' o1i lzq ')).toBe('0111ZQ');
  for (const bad of ['', 'abc', 'abcdefg', 'ABCDEU', 'ÀBCDEF', 'ABC\u0000DE', 'x'.repeat(10_000)]) expect(parseRoomCode(bad)).toBeNull();
});

test('a made code is read as itself', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(31), { minLength: 6, maxLength: 6 }), (letters) => {
      const left = [...letters];
      const code = makeRoomCode(() => left.shift()!);
      expect(code).toBe(letters.map((letter) => CODE_ALPHABET[letter]).join(''));
      expect(parseRoomCode(code)).toBe(code);
      expect(parseRoomCode(code.toLowerCase())).toBe(code);
    }),
  );
});
