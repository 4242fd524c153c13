import { beforeAll, expect, test, vi } from 'vitest';

let parseRoute: (typeof import('../../client/route.ts'))['parseRoute'];

beforeAll(async () => {
  vi.stubGlobal('location', { pathname: '/', search: '' });
  vi.stubGlobal('addEventListener', () => {});
  ({ parseRoute } = await import('../../client/route.ts'));
});

test.each([
  ['/', '', 'join', ''],
  ['/j/7KMW2Q', '', 'join', '7KMW2Q'],
  ['/j/7kmw2q/', '', 'join', '7KMW2Q'],
  ['/j/7KM-W2Q', '', 'join', '7KMW2Q'],
  ['/', '?code=oil123', 'join', '011123'],
  ['/', '?practice', 'practice', ''],
  ['/j/7KMW2Q', '?practice', 'join', '7KMW2Q'],
  ['/host', '', 'host', ''],
  ['/host/7KMW2Q', '?test', 'host', '7KMW2Q'],
  ['/watch/7kmw2q', '', 'watch', '7KMW2Q'],
  ['/screen/7KMW2Q', '?names', 'screen', '7KMW2Q'],
  ['/replay/7KMW2Q', '?t=3', 'replay', ''],
  ['/replay', '', 'replay', ''],
  ['/constructor/7KMW2Q', '', 'join', ''],
] as const)('%s%s is the page %s with the code "%s"', (path, query, page, code) => {
  expect(parseRoute(path, query)).toMatchObject({ page, code });
});

test('what is no code stays as it was typed, so that it can be corrected', () => {
  expect(parseRoute('/j/7KMW2', '')).toEqual({ page: 'join', code: '', typed: '7KMW2' });
  expect(parseRoute('/j/%E0%A4', '')).toMatchObject({ code: '', typed: '%E0%A4' });
});
