/**
 * A personal link: the address of a room with a pass to one's place behind `#`, for going on on another device. A browser sends
 * nothing of what stands there; the page that opens it takes it out of the address at once, and has a secret of its own for this room.
 */
import { SECRET_DIGITS } from '#protocol/limits.ts';
import { route } from '../route.ts';
import { bringPass, keepPlaceOfTab } from './device.ts';
import type { Role } from './Session.ts';

const PASS = new RegExp(`^#pass=([0-9a-f]{${SECRET_DIGITS}})$`);

export function personalLink(origin: string, code: string, role: Role, pass: string): string {
  return `${origin}/${role === 'host' ? 'host' : 'j'}/${code}#pass=${pass}`;
}

/** Before anything is shown. True when the address had a pass. */
export function takePersonalLink(): boolean {
  const pass = PASS.exec(location.hash)?.[1];
  if (pass === undefined) return false;
  history.replaceState(null, '', location.pathname + location.search);
  const { page, code } = route.value;
  if (code === '') return false;
  bringPass(code, pass);
  // Who has a place needs no door. The server knows the name.
  if (page === 'join') keepPlaceOfTab({ code, name: '' });
  return true;
}
