/** A kernel call as it may stand in a message: flat, bounded, and the same after a trip through JSON. No zod: tick.ts uses it. */
import type { Call } from '#kernel/types.ts';
import { CALL_ARGUMENTS_MAX, CALL_BYTES_MAX, CALL_LIST_MAX, CALL_TEXT_MAX } from './limits.ts';

const NAME = /^[a-z][a-z0-9_]{0,31}$/;
/** All words of the kernel's interface are printable ASCII, so a call's JSON text is one byte a character. */
const TEXT = /^[\x20-\x7e]*$/;

/** Numbers that JSON carries unchanged; addresses above 2^53 travel as text ("0x…"). */
function isPlainNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0);
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= CALL_TEXT_MAX && TEXT.test(value);
  return typeof value === 'boolean' || isPlainNumber(value);
}

function isArgument(value: unknown): boolean {
  if (!Array.isArray(value)) return isScalar(value);
  return value.length <= CALL_LIST_MAX && value.every((element) => isScalar(element));
}

/** Whether a value is a call: a plain object with a name and at most twelve flat arguments. */
export function isCall(value: unknown): value is Call {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const entries = Object.entries(value);
  if (entries.length > CALL_ARGUMENTS_MAX + 1) return false;
  if (!entries.every(([name, argument]) => NAME.test(name) && isArgument(argument))) return false;
  if (!Object.hasOwn(value, 'call') || typeof (value as Call).call !== 'string') return false;
  return JSON.stringify(value).length <= CALL_BYTES_MAX;
}
