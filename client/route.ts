/**
 * Where the page is: `/` and `/j/CODE` (or `/?code=CODE`) for players, `/host` and `/host/CODE` for teachers, `/watch/CODE` for
 * spectators, `/screen/CODE` for a projector, `/replay/ID` for a round that is over, `/?practice` for a round alone.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { parseRoomCode } from '#protocol/roomCode.ts';

export interface Route {
  page: 'join' | 'host' | 'watch' | 'screen' | 'replay' | 'practice';
  /** In its one form; '' when the address has none. */
  code: string;
  /** What the address has in place of a code when it is none; the id of a round. */
  typed: string;
}

/** First part of a path that has a code behind it. */
const PAGES = new Map<string, Route['page']>([
  ['j', 'join'],
  ['host', 'host'],
  ['watch', 'watch'],
  ['screen', 'screen'],
  ['replay', 'replay'],
]);

export function parseRoute(path: string, query: string): Route {
  const [, first = '', second = ''] = path.split('/');
  const asked = new URLSearchParams(query);
  const named = PAGES.get(first);
  const page = named ?? (first === '' && asked.has('practice') ? 'practice' : 'join');
  const typed = decode(named === undefined ? '' : second) || (asked.get('code') ?? '');
  return { page, code: page === 'replay' ? '' : (parseRoomCode(typed) ?? ''), typed };
}

const now = signal<Route>(parseRoute(location.pathname, location.search));
export const route: ReadonlySignal<Route> = now;

addEventListener('popstate', () => (now.value = parseRoute(location.pathname, location.search)));

/** Changes the address without loading the page anew; `?test` stays. */
export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  const next = new URL(address, location.origin);
  const kept = new URLSearchParams(location.search).has('test') ? `${next.search === '' ? '?' : '&'}test` : '';
  const query = next.search + kept;
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', next.pathname + query);
  now.value = parseRoute(next.pathname, query);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
