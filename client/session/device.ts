/** What this device is known by: 128 bits of its own, the last name that was used here, and the room of this tab. */
import { SECRET_DIGITS } from '#protocol/limits.ts';

const SECRET = 'overcommit.secret';
const NAME = 'overcommit.name';
const ROOM = 'overcommit.room';
const BROUGHT = 'overcommit.brought';
const FORM = new RegExp(`^[0-9a-f]{${SECRET_DIGITS}}$`);

/** A tab's own copy, for browsers that forbid storage: identity then lasts as long as the page. */
let spare: string | null = null;

export function deviceSecret(): string {
  const kept = read(localStore, SECRET);
  if (kept !== null && FORM.test(kept)) return kept;
  spare ??= newSecret();
  write(localStore, SECRET, spare);
  return spare;
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_DIGITS / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A place that was brought here from another device by a pass: a secret for this room alone. */
interface Brought {
  secret: string;
  pass: string;
  used: boolean;
}

function broughtTo(code: string): Brought | null {
  const [room, secret = '', pass = '', used] = read(localStore, BROUGHT)?.split(' ') ?? [];
  return room === code && FORM.test(secret) && FORM.test(pass) ? { secret, pass, used: used !== undefined } : null;
}

/** The proof for a room: that of a place that was brought here, else this device's own. */
export function secretFor(code: string): string {
  return broughtTo(code)?.secret ?? deviceSecret();
}

/** The pass that the room has not seen yet. */
export function passFor(code: string): string | undefined {
  const brought = broughtTo(code);
  return brought === null || brought.used ? undefined : brought.pass;
}

/** Of one room at a time. A link that is opened again here changes nothing: its pass has made this device known. */
export function bringPass(code: string, pass: string): void {
  if (broughtTo(code)?.pass !== pass) write(localStore, BROUGHT, `${code} ${newSecret()} ${pass}`);
}

/** The room knows the secret from now on. */
export function usePass(code: string): void {
  const brought = broughtTo(code);
  if (brought !== null && !brought.used) write(localStore, BROUGHT, `${code} ${brought.secret} ${brought.pass} used`);
}

/** Who leaves by their own will leaves nothing of themselves behind on a device that may not be theirs. */
export function forgetBrought(code: string): void {
  if (read(localStore, BROUGHT)?.startsWith(`${code} `) === true) remove(localStore, BROUGHT);
}

export function lastName(): string | null {
  return read(localStore, NAME);
}
export function keepName(name: string): void {
  write(localStore, NAME, name);
}

/** The room that this tab sits in, and as whom, so that a reload goes straight back. */
export interface Place {
  code: string;
  name: string;
}

export function placeOfTab(): Place | null {
  const [code = '', ...name] = read(tabStore, ROOM)?.split(' ') ?? [];
  return code === '' ? null : { code, name: name.join(' ') };
}
export function keepPlaceOfTab(place: Place | null): void {
  if (place === null) remove(tabStore, ROOM);
  else write(tabStore, ROOM, `${place.code} ${place.name}`);
}

/* Storage may be forbidden or full; every access may throw. */
const localStore = () => localStorage;
const tabStore = () => sessionStorage;

function read(store: () => Storage, key: string): string | null {
  try {
    return store().getItem(key);
  } catch {
    return null;
  }
}

function write(store: () => Storage, key: string, value: string): void {
  try {
    store().setItem(key, value);
  } catch {
    // Then it lasts for this page only.
  }
}

function remove(store: () => Storage, key: string): void {
  try {
    store().removeItem(key);
  } catch {
    // Nothing was kept.
  }
}
