/** HTTP bodies and requests that no browser sends, and names from the worst of keyboards. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe as group, expect, test } from 'vitest';
import { NAME_GRAPHEMES_MAX } from '#protocol/limits.ts';
import { checkName } from '#protocol/names.ts';
import { AddressBudget } from '../../server/http/AddressBudget.ts';
import { askSeat, describe, makeRoom, newSecret, openPlace, type ClassRoom, type Place } from './people.ts';

let place: Place;
let room: ClassRoom;
beforeAll(async () => {
  place = await openPlace();
  room = await makeRoom(place, { seats: 100 });
});
afterAll(() => place.close());

const SECRET = '0'.repeat(32);
const JSON_TYPE = { 'content-type': 'application/json' };

async function send(path: string, body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) {
  const response = await fetch(place.url + path, { method: 'POST', headers, body: body as BodyInit });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as { error?: string; sentence?: string } };
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const around = (value: string): string => `{"secret":"${SECRET}","role":"player","name":${value}}`;
const rooms = (seconds: string): string => `{"secret":"${SECRET}","scenario":"first-touch","seconds":${seconds}}`;

/** After the manner of the JSON parsing test suite: what is no JSON, and what is JSON but no body of ours. */
const NO_BODIES: [string, string | Uint8Array][] = [
  ...['', ' ', '[', '{', '{"a"', '{"a":', '{"a":1', '[1,', '"', 'nul', 'NaN', '-', '+1', '.5', '1.', '0x10', '1e', '01'].map(
    (text): [string, string] => [`only ${JSON.stringify(text)}`, text],
  ),
  ['a comma too many', around('"a",')],
  ['two commas', around('"a",,"b":1')],
  ['a comment', around('/* no */ "a"')],
  ['single quotes', around("'a'")],
  ['keys without quotes', '{secret:1}'],
  ['a colon too many', '{"secret"::1}'],
  ['a key that is a number', '{1:1}'],
  ['text behind the end', `${around('"a"')} true`],
  ['two bodies', around('"a"') + around('"b"')],
  ['a raw line end in a string', around('"a\nb"')],
  ['a raw NUL in a string', around('"a\0b"')],
  ['half an escape', around('"\\u12"')],
  ['an unknown escape', around('"\\x41"')],
  ['a lone minus', rooms('-')],
  ['a leading plus', rooms('+60')],
  ['a leading nought', rooms('060')],
  ['hexadecimal', rooms('0x3c')],
  ['Infinity', rooms('Infinity')],
  ['a hundred digits', rooms('9'.repeat(100))],
  ['1e400', rooms('1e400')],
  ['1e-400', rooms('1e-400')],
  ['60.0000000000000001 is 60, but −60 is not', rooms('-60')],
  ['a number in text', rooms('"60"')],
  ['a list', rooms('[60]')],
  ['an object', rooms('{"valueOf":60}')],
  ['true', rooms('true')],
  ['a thousand brackets', '['.repeat(1000)],
  ['a thousand brackets, closed', around('['.repeat(1000) + ']'.repeat(1000))],
  ['a thousand objects', around('{"a":'.repeat(600) + '1' + '}'.repeat(600))],
  ['a byte order mark of UTF-16', Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0)],
  ['bytes that are no UTF-8', Uint8Array.of(...ascii('{"secret":"'), 0xc3, 0x28, 0xff, ...ascii('"}'))],
  ['overlong UTF-8', Uint8Array.of(...ascii('{"secret":"'), 0xc0, 0xaf, ...ascii('"}'))],
  ['NUL bytes', new Uint8Array(100)],
  ['a key twice, the second wrong', `{"secret":"${SECRET}","role":"player","role":"admin"}`],
  ['__proto__', `{"secret":"${SECRET}","role":"player","__proto__":{"role":"host"}}`],
  ['constructor', `{"secret":"${SECRET}","role":"player","constructor":{"prototype":{}}}`],
  ['toString', `{"secret":"${SECRET}","role":"toString"}`],
];

group('bodies', () => {
  test.each(NO_BODIES)('%s is MALFORMED for a room and for a seat', async (_what, body) => {
    for (const path of ['/api/rooms', `/api/rooms/${room.code}/seat`]) {
      const answer = await send(path, body);
      expect(answer).toMatchObject({ status: 400, body: { error: 'MALFORMED' } });
      expect(answer.body.sentence).toMatch(/\.$/);
    }
  });

  test.each([
    ['no type', {}],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['plain text, as a foreign page may post it without asking', { 'content-type': 'text/plain' }],
    ['a strange charset', { 'content-type': 'application/json; charset=utf-7' }],
    ['an unknown compression', { ...JSON_TYPE, 'content-encoding': 'rot13' }],
    ['gzip that is none', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  ])('a body with %s is MALFORMED', async (_what, headers) => {
    const answer = await send(`/api/rooms/${room.code}/seat`, ascii(around('"a"')), headers as Record<string, string>);
    expect(answer).toMatchObject({ status: 400, body: { error: 'MALFORMED' } });
  });

  test('a small body that unpacks to a large one is TOO_LARGE', async () => {
    const bomb = gzipSync(Buffer.from(around(JSON.stringify('a'.repeat(10_000_000)))));
    expect(bomb.length).toBeLessThan(16_384);
    const answer = await send('/api/rooms', bomb, { ...JSON_TYPE, 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 413, body: { error: 'TOO_LARGE' } });
  });
});

/** What the server answers to these very bytes, up to the end of the connection. */
function raw(...lines: string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(place.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (data) => (heard += String(data)));
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard));
    socket.end(lines.join('\r\n'));
  });
}

group('requests', () => {
  const host = 'Host: 127.0.0.1';
  test.each([
    ['two lengths', ['POST /api/rooms HTTP/1.1', host, 'Content-Length: 2', 'Content-Length: 5', '', '{}']],
    ['a length and chunks', ['POST /api/rooms HTTP/1.1', host, 'Content-Length: 2', 'Transfer-Encoding: chunked', '', '0', '', '']],
    ['a length that is none', ['POST /api/rooms HTTP/1.1', host, 'Content-Length: two', '', '{}']],
    ['a blank in a header’s name', ['GET / HTTP/1.1', host, 'X Y: 1', '', '']],
    ['no host', ['GET / HTTP/1.1', '', '']],
    ['headers of 40 KB', ['GET / HTTP/1.1', host, `X: ${'x'.repeat(40_000)}`, '', '']],
    ['an unknown method', ['BREW / HTTP/1.1', host, '', '']],
  ])('%s: refused', async (_what, lines) => {
    expect(await raw(...lines)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await fetch(`${place.url}/healthz`)).status).toBe(200);
  });

  test.each([
    '/monitor',
    '/playground',
    '/colyseus',
    '/metrics/x',
    '/admin',
    '/.env',
    '/.git/config',
    '/data',
    '/api/../package.json',
    '//etc/passwd',
  ])('%s is not there', async (path) => {
    const answer = await fetch(place.url + path);
    expect(answer.status).toBe(404);
  });
});

test('guesses from many addresses together have a budget too', () => {
  const budget = new AddressBudget({ perSecond: 0, burst: 5 }, { perSecond: 0, burst: 100 });
  let taken = 0;
  for (let address = 0; address < 1000; address++) {
    if (!budget.has(`10.0.${address >> 8}.${address & 255}`)) continue;
    budget.take(`10.0.${address >> 8}.${address & 255}`);
    taken += 1;
  }
  expect(taken).toBe(100);
});

test('more addresses than are remembered reset nobody’s common budget', () => {
  const budget = new AddressBudget({ perSecond: 0, burst: 1 }, { perSecond: 0, burst: 30_000 });
  for (let address = 0; address < 25_000; address++) budget.take(String(address));
  let more = 0;
  while (budget.has('one more') && more < 10_000) budget.take(`new ${more++}`);
  expect(more).toBe(5000);
});

/** Of each kind that has broken something somewhere: markup, shells, databases, templates, formats, directions, clusters. */
const NAUGHTY = [
  '<script>alert(1)</script>',
  '<img src=x onerror=a()>',
  '"><svg/onload=a()>',
  '&lt;b&gt;&#60;',
  "'; DROP TABLE room;--",
  "' OR 1=1 --",
  '$(reboot)',
  '`id`',
  '| cat /etc/passwd',
  '{{7*7}}',
  '${7*7}',
  '%s%n%x%d',
  '=1+1',
  '@SUM(A1)',
  '+1-1',
  '-1',
  '\t=1',
  '../../etc/passwd',
  'C:\\CON',
  'null',
  'undefined',
  'NaN',
  'true',
  'constructor',
  '__proto__',
  'hasOwnProperty',
  'toString',
  '\u0000',
  'a\u0000b',
  '\u001b[31mred',
  'a\r\nSet-Cookie: x',
  '\ufeffname',
  '\u202eevil',
  '\u2066x\u2069',
  '\u200b\u200b',
  '\u00ad',
  '\u115f\u3164',
  '\u2800',
  'e' + '\u0301'.repeat(70),
  '\u0301',
  'Z̷͇͓a̴̢l̷g̶o̵',
  '👩‍👩‍👧‍👦'.repeat(5),
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '🇨🇳🇩🇪',
  '\ud800',
  '\udfff\ud800',
  '\ufffe',
  '\ue000',
  '𝕒𝕕𝕞𝕚𝕟',
  'ﷺ'.repeat(10),
  'ß'.repeat(20),
  'İstanbul',
  'ﬁﬂ',
  '①②③',
  '田中さんにあげて下さい',
  'الكل في المجمو عة',
  'нет',
  'Ω≈ç√∫',
  '¯\\_(ツ)_/¯',
  ' ',
  '\u3000\u3000',
  'a'.repeat(81),
  'Ｈｏｓｔ',
];

test('naughty names are refused with a code of names, or kept as harmless text', async () => {
  let refused = 0;
  for (const name of NAUGHTY) {
    const answer = await askSeat(room, { secret: newSecret(), role: 'player', name });
    if (answer.status === 200) {
      const kept = answer.body.name;
      expect(checkName(kept)).toEqual({ ok: true, name: kept });
      expect([...new Intl.Segmenter().segment(kept)].length).toBeLessThanOrEqual(NAME_GRAPHEMES_MAX);
      expect(kept).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      continue;
    }
    refused += 1;
    expect([400, 409]).toContain(answer.status);
    expect(answer.body.error).toMatch(/^(NAME_|MALFORMED)/);
  }
  expect(refused).toBeGreaterThan(15);
  expect((await describe(room)).players).toBe(NAUGHTY.length - refused);
  expect((await fetch(`${place.url}/healthz`)).status).toBe(200);
});

// The last test: afterwards this address has no guesses left.
test('a header that names another address gives no new budget of guesses', async () => {
  const statuses: number[] = [];
  for (let n = 0; n < 80; n++) {
    const headers = { 'x-forwarded-for': `10.0.0.${n}`, 'x-real-ip': `10.0.1.${n}`, forwarded: `for=10.0.2.${n}` };
    statuses.push((await fetch(`${place.url}/api/rooms/${100_000 + n}`, { headers })).status);
  }
  expect(statuses.filter((status) => status === 404).length).toBeGreaterThan(40);
  expect(statuses.slice(-5)).toEqual([429, 429, 429, 429, 429]);
});
