/** Where the page is: `/` and `/j/CODE` (or `/?code=CODE`) for players, `/host` and `/host/CODE` for teachers. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { parseRoomCode } from '#protocol/roomCode.ts';

export interface Route {
  page: 'join' | 'host';
  /** In its one form; '' when the address has none. */
  code: string;
  /** What the address has in place of a code when it is none. */
  typed: string;
}

export function parseRoute(path: string, query: string): Route {
  const [, first = '', second = ''] = path.split('/');
  const page = first === 'host' ? 'host' : 'join';
  const typed = decode(page === 'host' || first === 'j' ? second : '') || (new URLSearchParams(query).get('code') ?? '');
  return { page, code: parseRoomCode(typed) ?? '', typed };
}

const now = signal<Route>(parseRoute(location.pathname, location.search));
export const route: ReadonlySignal<Route> = now;

addEventListener('popstate', () => (now.value = parseRoute(location.pathname, location.search)));

/** Changes the address without loading the page anew; `?test` stays. */
export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  const kept = new URLSearchParams(location.search).has('test') ? '?test' : '';
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', path + kept);
  now.value = parseRoute(path, kept);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
