/**
 * A personal link: the address of a room with one's proof of identity behind `#`, for going on on another device. A browser sends
 * nothing of what stands there; the page that opens it keeps the proof for this room and takes it out of the address at once.
 */
import { SECRET_DIGITS } from '#protocol/limits.ts';
import { route } from '../route.ts';
import { bringSecret, keepPlaceOfTab, secretFor } from './device.ts';
import type { Role } from './Session.ts';

const PROOF = new RegExp(`^#me=([0-9a-f]{${SECRET_DIGITS}})$`);

export function personalLink(origin: string, code: string, role: Role): string {
  return `${origin}/${role === 'host' ? 'host' : 'j'}/${code}#me=${secretFor(code)}`;
}

/** Before anything is shown. True when the address had a proof. */
export function takePersonalLink(): boolean {
  const secret = PROOF.exec(location.hash)?.[1];
  if (secret === undefined) return false;
  history.replaceState(null, '', location.pathname + location.search);
  const { page, code } = route.value;
  if (code === '') return false;
  bringSecret(code, secret);
  // Who has a place needs no door. The server knows the name.
  if (page === 'join') keepPlaceOfTab({ code, name: '' });
  return true;
}
