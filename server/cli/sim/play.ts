/** What each kind of line does (calls.md, "The headless machine"). One line in, one answer or none out. */
import { type Answer, type Call, type Machine, call, createMachine, hash, tick } from '#kernel/machine.ts';
import { LineError } from './lines.ts';
import { columnOf, placesOf } from './places.ts';

export const TICKS_MAX = 1_000_000;

export interface Play {
  machine: Machine | null;
  /** The answer to the last call on this machine, which `assert` looks into. */
  last: Answer | null;
  assertFailed: boolean;
}

export function newPlay(): Play {
  return { machine: null, last: null, assertFailed: false };
}

/** A line is refused: `path` names the value (or, with `isKey`, the key) that is wrong, '' the line as a whole. */
class Refusal extends Error {
  readonly path: string;
  readonly isKey: boolean;

  constructor(path: string, message: string, isKey = false) {
    super(message);
    this.path = path;
    this.isKey = isKey;
  }
}

type Line = Record<string, unknown>;

const KINDS = ['call', 'tick', 'hash', 'assert', 'machine', '#'] as const;
type Kind = (typeof KINDS)[number];

const RUN: Record<Kind, (play: Play, line: Line) => object | null> = {
  call: runCall,
  tick: runTick,
  hash: runHash,
  assert: runAssert,
  machine: runMachine,
  '#': (_play, line) => (only(line, '#'), null),
};

/** Plays one line; the answer as text, or null for a comment. Throws LineError. */
export function playLine(play: Play, text: string, number: number): string | null {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    const at = placesOf(text).errorAt;
    const found =
      at >= text.length ? 'the line ends too early' : `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))}`;
    throw new LineError(number, columnOf(text, at), `not JSON: ${found}`);
  }
  try {
    const answer = RUN[kindOf(line)](play, line as Line);
    return answer === null ? null : JSON.stringify(answer);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const places = placesOf(text);
    const at = (error.isKey ? places.keys : places.values).get(error.path) ?? 0;
    throw new LineError(number, columnOf(text, at), error.message);
  }
}

function kindOf(line: unknown): Kind {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) throw new Refusal('', 'a line is a JSON object');
  let kind: Kind | null = null;
  for (const candidate of KINDS) {
    if ((line as Line)[candidate] === undefined) continue;
    if (kind !== null) throw new Refusal(candidate, `a line is of one kind, not "${kind}" and "${candidate}" at once`, true);
    kind = candidate;
  }
  if (kind === null) throw new Refusal('', 'a line is one of machine, call, tick, hash, assert, #');
  return kind;
}

/** Nothing but the named key stands on the line. */
function only(line: Line, kind: Kind): void {
  for (const key of Object.keys(line))
    if (key !== kind) throw new Refusal(key, `unknown key "${clipped(key)}" on a line of kind "${kind}"`, true);
}

function booted(play: Play): Machine {
  if (play.machine === null) throw new Refusal('', 'a machine comes first: {"machine": {…}}');
  return play.machine;
}

function runCall(play: Play, line: Line): object {
  const machine = booted(play);
  const { pid, ...request } = line;
  if (typeof line.call !== 'string') throw new Refusal('call', 'a call is named by a string');
  if (pid === undefined) throw new Refusal('', 'a call needs the pid that makes it');
  if (!Number.isSafeInteger(pid)) throw new Refusal('pid', 'a pid is an integer');
  const answer = call(machine, pid as number, request as Call);
  if (!answer.ok && answer.why.code === 'UNKNOWN_CALL') throw new Refusal('call', `unknown call "${clipped(line.call)}"`);
  play.last = answer;
  return answer;
}

function runTick(play: Play, line: Line): object {
  only(line, 'tick');
  const machine = booted(play);
  const ticks = line.tick;
  if (typeof ticks !== 'number' || !Number.isInteger(ticks) || ticks < 0) throw new Refusal('tick', 'ticks are a whole number from 0');
  if (ticks > TICKS_MAX) throw new Refusal('tick', `a line has at most ${TICKS_MAX} ticks`);
  for (let n = 0; n < ticks; n++) tick(machine);
  return { ok: true, now: machine.now };
}

function runHash(play: Play, line: Line): object {
  only(line, 'hash');
  if (line.hash !== true) throw new Refusal('hash', 'hash is asked by true');
  return { ok: true, hash: hash(booted(play)) };
}

function runMachine(play: Play, line: Line): object {
  only(line, 'machine');
  try {
    play.machine = createMachine(line.machine);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConfigError') throw error;
    throw new Refusal(keyNamedBy(error.message, line.machine), `impossible machine: ${error.message}`);
  }
  play.last = null;
  return { ok: true, hash: hash(play.machine) };
}

/** ConfigError names the key it does not like somewhere in its message; the longest of ours that it names is the place. */
function keyNamedBy(message: string, config: unknown): string {
  const words = message.split(/[^A-Za-z0-9_.]+/).map((word) => word.replace(/\.+$/, ''));
  let found = '';
  if (typeof config !== 'object' || config === null) return 'machine';
  for (const key of Object.keys(config)) {
    for (const word of words) if ((word === key || word.startsWith(`${key}.`)) && word.length > found.length) found = word;
  }
  return found === '' ? 'machine' : `machine.${found}`;
}

function runAssert(play: Play, line: Line): object {
  only(line, 'assert');
  booted(play);
  const wanted = line.assert;
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted))
    throw new Refusal('assert', 'assert holds an object of path: value');
  const got: [string, unknown][] = [];
  for (const [path, value] of Object.entries(wanted)) {
    const actual = valueAt(play.last, path);
    if (!isSame(actual, value)) got.push([path, actual]);
  }
  if (got.length === 0) return { ok: true };
  play.assertFailed = true;
  return { ok: false, got: Object.fromEntries(got) };
}

/** `faults.minor` or `bytes.0` in an answer; what is not there reads as null. */
function valueAt(answer: unknown, path: string): unknown {
  let value: unknown = answer;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as Line)[name];
  }
  return value ?? null;
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && isSame((a as Line)[name], (b as Line)[name]));
}

function clipped(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
