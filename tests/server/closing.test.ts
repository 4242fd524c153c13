/** The server's end: everybody is told, and nothing more can be made. */
import { expect, test } from 'vitest';
import { enter, makeRoom, openPlace } from './people.ts';

test('closing tells those inside, and the port is free again', async () => {
  const place = await openPlace();
  const room = await makeRoom(place);
  const guest = await enter(room);
  await place.close();
  await guest.until(() => guest.closed !== null);
  expect(guest.closed!.reason).toBe('STOPPING');
  await expect(fetch(`${place.url}/healthz`)).rejects.toThrow();
  const next = await openPlace({ port: place.port });
  expect(next.port).toBe(place.port);
  expect((await fetch(`${next.url}/healthz`)).status).toBe(200);
  await expect(openPlace({ port: place.port })).rejects.toThrow(/EADDRINUSE/);
  await next.close();
});

test('an empty room closes after its time', async () => {
  const place = await openPlace({ emptyMs: 1 });
  const room = await makeRoom(place);
  const gone = async () => (await fetch(`${place.url}/api/rooms/${room.code}`)).status === 404;
  while (!(await gone())) await new Promise((resolve) => setImmediate(resolve));
  await place.close();
});
