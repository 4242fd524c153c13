/** Names of people: what is allowed, which two look alike, and names that are made up. Pure, for both sides. */
import type { Code } from './codes.ts';
import { NAME_GRAPHEMES_MAX, NAME_UNITS_MAX } from './limits.ts';

/** Controls, formats (bidi marks, zero-width characters), surrogates, private use and unassigned; line and paragraph ends. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
/** Blank though they are letters or symbols: Hangul fillers, the Braille blank. */
const BLANK = /[\u115f\u1160\u3164\uffa0\u2800]/gu;
/** A letter, digit or symbol that can be seen. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

export type NameCheck = { ok: true; name: string } | { ok: false; code: Extract<Code, `NAME_${string}`> };

/** A typed name in its one form (NFKC, single blanks), or why not. Emoji joined by U+200D lose the joiner. */
export function checkName(typed: string): NameCheck {
  if (typed.length > NAME_UNITS_MAX) return { ok: false, code: 'NAME_TOO_LONG' };
  const name = typed
    .replaceAll('\u200d', '')
    .normalize('NFKC')
    .replace(/\p{Zs}+/gu, ' ')
    .trim();
  if (FORBIDDEN.test(name)) return { ok: false, code: 'NAME_CHARACTERS' };
  if (!VISIBLE.test(name.replace(BLANK, ''))) return { ok: false, code: 'NAME_EMPTY' };
  if (name.length > NAME_UNITS_MAX || graphemes(name) > NAME_GRAPHEMES_MAX) return { ok: false, code: 'NAME_TOO_LONG' };
  return { ok: true, name };
}

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

function graphemes(text: string): number {
  let count = 0;
  for (const _ of segmenter.segment(text)) count++;
  return count;
}

/**
 * Characters that pass for another in most fonts, each row's first for all in it.
 * Simplified: the Unicode table of confusables has thousands of rows; these are the Latin, Greek, Cyrillic and digit ones
 * that a class can type.
 */
const LOOK_ALIKES = [
  'aаαɑ',
  'bьвβ',
  'cсϲ',
  'dԁ',
  'eеєε',
  'gɡ',
  'hһн',
  'il1ı|!іιӏ',
  'jјϳ',
  'kкκ',
  'mмμ',
  'nηп',
  'o0оοσө',
  'pрρ',
  'qԛ',
  'rг',
  's5$ѕ',
  'tтτ',
  'uυц',
  'vνѵ',
  'wωшԝ',
  'xхχ',
  'yуүγ',
  'zζᴢ2',
  '3з',
];
const FOLDED = new Map<string, string>();
for (const row of LOOK_ALIKES) for (const character of row) FOLDED.set(character, row.charAt(0));

/** Greek capitals that look like another letter than their small ones do. */
const CAPITALS = new Map(Object.entries({ Η: 'h', Ν: 'n', Υ: 'y' }));

/** Two names with the same key look alike: case, accents, blanks, marks and look-alike letters do not tell them apart. */
export function lookAlikeKey(name: string): string {
  let key = '';
  for (const capital of name.normalize('NFKD').replace(/[\p{M}\p{Z}\p{Cf}]|(?!!)\p{P}/gu, '')) {
    const small = CAPITALS.get(capital) ?? capital.toLowerCase();
    key += FOLDED.get(small) ?? small;
  }
  // rn and m, vv and w, cl and d are one shape in many fonts.
  const folded = key.replaceAll('rn', 'm').replaceAll('vv', 'w');
  return folded === '' ? name.normalize('NFKC') : folded;
}

const ADJECTIVES = (
  'Amber Ample Apt Azure Bold Brave Bright Brisk Calm Clear Clever Cosy Crisp Daring Deft Eager Early Fair Fleet Fond ' +
  'Fresh Gentle Glad Golden Grand Happy Hardy Honest Humble Jolly Keen Kind Lively Lucky Mellow Merry Mighty Modest Neat ' +
  'Nimble Noble Patient Placid Plucky Polite Prime Proud Quick Quiet Rapid Ready Royal Sharp Silent Silver Sincere Smart ' +
  'Snowy Solid Spry Steady Still Sturdy Sunny Swift Tidy Tiny True Vivid Warm Wise Witty Young Zesty'
).split(' ');
const NOUNS = (
  'Acorn Alder Anchor Aspen Badger Bamboo Beacon Beaver Birch Bison Brook Canyon Cedar Comet Condor Coral Crane Cricket ' +
  'Dolphin Dune Eagle Ember Falcon Fern Finch Fjord Fox Garnet Gecko Glacier Harbor Hare Hawk Heron Ibex Island Jasper ' +
  'Kestrel Kite Koala Lantern Larch Lark Lemur Lotus Lynx Magnet Maple Marble Meadow Meteor Moose Nebula Newt Oak Ocean ' +
  'Orca Orchid Otter Owl Panda Pebble Pine Planet Plover Prism Quail Quartz Raven Reef Robin Rocket Saddle Salmon Seal ' +
  'Sparrow Spruce Star Stork Swan Tapir Thistle Tiger Tulip Tundra Turtle Valley Walnut Willow Wren Zebra'
).split(' ');

/** A made-up name, at most 20 letters; `below(n)` gives an integer from 0 to n − 1. */
export function makeName(below: (n: number) => number): string {
  return `${ADJECTIVES[below(ADJECTIVES.length)]} ${NOUNS[below(NOUNS.length)]}`;
}

/** How many names `makeName` can make. */
export const MADE_NAMES = ADJECTIVES.length * NOUNS.length;
