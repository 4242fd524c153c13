/**
 * A round as one file: all that is needed to play it again. It knows seats, and no names.
 * Layout: "OCLG", version, varint rules, 32 bits of seed, varint seats planned, the scenario as JSON in ASCII, varint count
 * of ticks, each with its length in front (tick.ts), and a 64-bit hash of all before it, which tells a file that was cut
 * or changed. There is one encoding for each round, and decode refuses every other.
 */
import { hashBytes } from '#kernel/hash.ts';
import { RULES } from '#game/round.ts';
import type { Scenario } from '#game/types.ts';
import { ByteReader, ByteWriter, WireFormatError } from './bytes.ts';
import { LOG_SCENARIO_LETTERS_MAX, LOG_TICKS_MAX, SEATS_MAX, TICK_BYTES_MAX, UINT32_MAX } from './limits.ts';

export const LOG_VERSION = 1;
const MAGIC = 'OCLG';
const HASH_BYTES = 8;

export interface RoundLog {
  /** The version of the rules that it was played under. */
  rules: number;
  /** As the file has it: who got the file from a stranger checks it (game/scenario.ts) before it is played. */
  scenario: Scenario;
  /** 32 bits. */
  seed: number;
  /** For so many seats the machine was made. */
  seats: number;
  /** Tick n at index n − 1. */
  ticks: readonly Uint8Array[];
}

/** A round that these rules would play otherwise than it was played. */
export class OtherRulesError extends Error {
  override readonly name = 'OtherRulesError';

  constructor(rules: number) {
    super(`The round was played under rules ${rules}. This version has rules ${RULES}.`);
  }
}

/** Throws `OtherRulesError`. */
export function checkRules(log: Pick<RoundLog, 'rules'>): void {
  if (log.rules !== RULES) throw new OtherRulesError(log.rules);
}

export function encodeLog({ rules, scenario, seed, seats, ticks }: RoundLog): Uint8Array {
  const to = new ByteWriter();
  for (const letter of MAGIC) to.byte(letter.charCodeAt(0));
  to.byte(LOG_VERSION);
  to.varint(rules);
  to.uint32(seed);
  to.varint(seats);
  to.text(asciiJson(scenario));
  to.varint(ticks.length);
  for (const tick of ticks) {
    to.varint(tick.length);
    to.raw(tick);
  }
  writeHash(to, hashBytes(to.done()));
  return to.done();
}

/** Throws `WireFormatError` for bytes that `encodeLog` did not make. The ticks are views into the bytes given. */
export function decodeLog(bytes: Uint8Array): RoundLog {
  const from = new ByteReader(bytes);
  for (const letter of MAGIC)
    if (from.left === 0 || from.byte() !== letter.charCodeAt(0)) throw new WireFormatError('not a log of a round');
  const version = from.byte();
  if (version !== LOG_VERSION) throw new WireFormatError(`a log of version ${version}, not ${LOG_VERSION}`);
  const end = bytes.length - HASH_BYTES;
  if (end < 0 || readHash(bytes.subarray(end)) !== hashBytes(bytes.slice(0, end)))
    throw new WireFormatError('the file was cut or changed: its hash is another');
  const rules = from.varint(UINT32_MAX);
  const seed = from.uint32();
  const seats = from.varint(SEATS_MAX);
  const scenario = parseJson(from.text(LOG_SCENARIO_LETTERS_MAX));
  const count = from.varint(LOG_TICKS_MAX);
  const ticks: Uint8Array[] = [];
  for (let i = 0; i < count; i++) ticks.push(from.take(from.varint(TICK_BYTES_MAX)));
  if (from.left !== HASH_BYTES) throw new WireFormatError('bytes after the last tick');
  return { rules, scenario, seed, seats, ticks };
}

/** Letters beyond ASCII as \u…: titles of scenarios are in several languages. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function parseJson(text: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireFormatError('a scenario is not JSON');
  }
  if (typeof value !== 'object' || value === null || asciiJson(value) !== text)
    throw new WireFormatError('JSON that is not in its one form');
  return value as Scenario;
}

function writeHash(to: ByteWriter, hex: string): void {
  for (let i = 0; i < HASH_BYTES; i++) to.byte(Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function readHash(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
