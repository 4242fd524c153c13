/** Who may come in is known by secrets; they are neither in the state nor on the disk, and a ban outlives the server. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { codeIn, sources } from '../helpers/sources.ts';
import { digestOf, sameDigest } from '../../server/secrets.ts';
import { at, crash, openHome, removeHomes } from './homes.ts';
import { askSeat, enter, enterHost, makeRoom } from './people.ts';

afterAll(removeHomes);

test('the disk holds no secret, no session and no address of a device; a ban is still there after a crash', async () => {
  const house = await openHome();
  const room = await makeRoom(house, { seconds: 3600 });
  const host = await enterHost(room);
  const [player, pest] = [await enter(room), await enter(room)];
  await pest.until(() => pest.welcome !== null);
  await host.host({ do: 'start' });
  await player.untilTick(5);
  await player.act({ do: 'freeDone' });
  await host.host({ do: 'ban', id: pest.welcome!.id });
  await player.untilTick(player.round!.now + 10);
  const hidden = [room.hostSecret, player.secret, pest.secret, player.socket.sessionId, '127.0.0.1'];
  const after = await crash(house);
  const bytes = readdirSync(after.folder).map((name) => readFileSync(join(after.folder, name), 'latin1'));
  expect(bytes.join('')).toContain(digestOf(player.secret));
  for (const text of hidden) for (const file of bytes) expect(file).not.toContain(text);

  const again = at(room, after);
  expect(await askSeat(again, { secret: pest.secret, role: 'player' })).toMatchObject({ status: 403, body: { error: 'BANNED' } });
  expect((await enter(again, { secret: player.secret })).seat.seat).toBe(player.seat.seat);
  const hostAgain = await enterHost(again);
  expect(await hostAgain.host({ do: 'pardon', id: pest.welcome!.id })).toMatchObject({ ok: true });
  expect((await enter(again, { secret: pest.secret })).seat.role).toBe('player');
  await after.close();
});

test('digests are compared as a whole; the server compares them in no other way', () => {
  const digest = digestOf('0'.repeat(32));
  expect(sameDigest(digest, digestOf('0'.repeat(32)))).toBe(true);
  for (const other of [digestOf('1'.repeat(32)), '', digest.slice(1), `${digest}00`]) expect(sameDigest(digest, other)).toBe(false);
  const compared = codeIn('server').flatMap(({ path, text }) =>
    [...text.matchAll(/\w*[dD]igest\w* *(?:===|!==|==|!=) *(\S+)/g)].map(([found]) => `${path}: ${found}`),
  );
  // Against nothing ('' of bots, undefined) is no comparison of secrets.
  expect(compared.filter((line) => !/(''|undefined|null)\)?[;,]?$/.test(line))).toEqual([]);
});

test('no page writes text as HTML, and no code is made of text', () => {
  const ways = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|srcdoc|\beval\(|new Function\(|javascript:/;
  expect(
    codeIn('client')
      .filter(({ text }) => ways.test(text))
      .map(({ path }) => path),
  ).toEqual([]);
});

test('no expression of a person’s making is run: the server and the rules build none from text', () => {
  expect(
    codeIn('server', 'shared')
      .filter(({ text }) => /\bRegExp\((?!`\^\[\$\{|`\^\[0-9a-f\])/.test(text))
      .map(({ path }) => path),
  ).toEqual([]);
});

test('no SQL is made of what somebody sent: values are parameters, and what stands in the text is a constant', () => {
  const made = codeIn('server').flatMap(({ path, text }) =>
    [...text.matchAll(/(?:\.(?:exec|prepare)\(|\bsql(?:<[^>]*>)?)`([^`]*)`|\bsql\.(?:raw|lit)\(/g)].flatMap(([found, sql = found]) =>
      [...sql.matchAll(/\$\{([^}]*)\}|sql\.(?:raw|lit)\(/g)].map(([place, value = place]) => `${path}: ${value}`),
    ),
  );
  const constant = /: ([A-Z_]+|durability === 'power' \? 'full' : 'normal')$/;
  expect(made.filter((line) => !constant.test(line))).toEqual([]);
});

test('the framework’s monitor, playground and bundle are not in the house', () => {
  // The bundle would read .env files and put in an onAuth of its own.
  const foreign = /from '(colyseus|@colyseus\/(monitor|playground|auth|tools|testing|admin))/;
  expect(
    sources()
      .filter(({ text }) => foreign.test(text))
      .map(({ path }) => path),
  ).toEqual([]);
});
