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
  if (spare === null) {
    const bytes = crypto.getRandomValues(new Uint8Array(SECRET_DIGITS / 2));
    spare = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  write(localStore, SECRET, spare);
  return spare;
}

/** The proof for a room: what was brought here for it from another device, else this device's own. */
export function secretFor(code: string): string {
  const [room, secret = ''] = read(localStore, BROUGHT)?.split(' ') ?? [];
  return room === code && FORM.test(secret) ? secret : deviceSecret();
}

/** Of one room at a time. */
export function bringSecret(code: string, secret: string): void {
  write(localStore, BROUGHT, `${code} ${secret}`);
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
