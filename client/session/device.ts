/** What this device is known by: 128 bits of its own, the last name that was used here, and the room of this tab. */
import { SECRET_DIGITS } from '#protocol/limits.ts';

const SECRET = 'overcommit.secret';
const NAME = 'overcommit.name';
const ROOM = 'overcommit.room';
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
