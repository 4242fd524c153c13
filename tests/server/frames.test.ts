/** Sockets that break the rules of WebSocket itself, and bytes that come from a real session and were changed on the way. */
import { getRandomValues } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomBelow } from '#kernel/rng.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_FRAGMENTS_MAX } from '#protocol/limits.ts';
import { enter, enterHost, makeRoom, openPlace, type ClassRoom, type Guest, type Place } from './people.ts';
import { frame, RawSocket } from './RawSocket.ts';

let place: Place;
let room: ClassRoom;
let host: Guest;
beforeAll(async () => {
  place = await openPlace();
  room = await makeRoom(place, { seconds: 3600, seats: 100 });
  host = await enterHost(room);
  await enter(room);
  await host.host({ do: 'start' });
  await host.untilTick(1);
});
afterAll(() => place.close());

/** The round goes on for who behaves, and the server makes rooms. */
async function allIsWell(): Promise<void> {
  const digests = host.digests.length;
  await host.until(() => host.digests.length > digests);
  expect(host.differences).toEqual([]);
  expect([...host.heard.keys()]).toEqual(Array.from({ length: host.round!.now }, (_, index) => index + 1));
  expect((await fetch(`${place.url}/healthz`)).status).toBe(200);
}

async function removed(raw: RawSocket): Promise<void> {
  raw.socket.destroy();
  const entry = host.roster.find(({ seat }) => seat === raw.seat);
  if (entry !== undefined) await host.host({ do: 'kick', id: entry.id });
}

const bytes = (length: number, value = 0x61): Uint8Array => new Uint8Array(length).fill(value);

const BROKEN: [string, Uint8Array[]][] = [
  ['a message above 4 KB in one frame', [frame(2, bytes(MESSAGE_BYTES_MAX + 1))]],
  ['a length that is never sent', [Uint8Array.of(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)]],
  [
    'a message above 4 KB in a few frames',
    [frame(2, bytes(2000), { fin: false }), frame(0, bytes(2000), { fin: false }), frame(0, bytes(2000))],
  ],
  [
    'a message in too many frames',
    [frame(2, bytes(1), { fin: false }), ...Array.from({ length: MESSAGE_FRAGMENTS_MAX + 1 }, () => frame(0, bytes(1), { fin: false }))],
  ],
  [
    'empty frames without end',
    [frame(2, bytes(0), { fin: false }), ...Array.from({ length: 200 }, () => frame(0, bytes(0), { fin: false }))],
  ],
  ['a frame without a mask', [frame(2, bytes(3), { masked: false })]],
  ['reserved bits', [frame(2, bytes(3), { reserved: 3 })]],
  ['a compressed frame, which was not agreed', [frame(2, bytes(3), { reserved: 4 })]],
  ['an unknown opcode', [frame(5, bytes(3))]],
  ['a continuation of nothing', [frame(0, bytes(3))]],
  ['a message inside another', [frame(2, bytes(3), { fin: false }), frame(2, bytes(3))]],
  ['a control frame in pieces', [frame(9, bytes(3), { fin: false })]],
  ['a control frame that is too long', [frame(9, bytes(126))]],
  ['text that is no UTF-8', [frame(1, Uint8Array.of(0xc3, 0x28, 0xa0, 0xa1))]],
  ['a close code that does not exist', [frame(8, Uint8Array.of(0x03, 0xec))]],
  ['more pings than a person can need', Array.from({ length: 400 }, () => frame(9, bytes(125)))],
];

test.each(BROKEN)('%s ends its socket and nothing else', async (_what, frames) => {
  const raw = await RawSocket.join(room);
  for (const one of frames) raw.write(one);
  await raw.closed;
  await removed(raw);
  await allIsWell();
});

/** Frames that a client of ours sends in a session: each kind of message, as the SDK encodes it. */
async function recordSession(): Promise<Uint8Array[]> {
  const guest = await enter(room);
  await guest.until(() => guest.round !== null);
  const sent: Uint8Array[] = [];
  const { connection } = guest.socket;
  const send = connection.send.bind(connection);
  connection.send = (data) => {
    sent.push(Uint8Array.from(data as Uint8Array));
    send(data);
  };
  await guest.act({ do: 'freeDone' });
  await guest.act({ do: 'use', tool: 'mmap', card: 1 });
  await guest.act({ do: 'adj', value: -5 });
  await guest.act({ do: 'call', call: { call: 'mmap', length: 4096, prot: ['PROT_READ'], flags: 'MAP_PRIVATE' } });
  await guest.host({ do: 'addBots', bots: ['free', 'never'] });
  await guest.host({ do: 'options', scenario: 'x', seconds: 60 });
  await guest.ask('resync', {});
  guest.socket.ping(() => {});
  await host.host({ do: 'kick', id: guest.welcome!.id });
  return sent;
}

/** One to four changes: a bit, a byte, a piece left out, doubled or moved, an end cut off, another message's tail. */
function mutate(message: Uint8Array, all: readonly Uint8Array[], chance: { rng: number }): Uint8Array {
  let out = [...message];
  const at = () => randomBelow(chance, out.length + 1);
  const CHANGES: (() => void)[] = [
    () => void (out[at()]! ^= 1 << randomBelow(chance, 8)),
    () => void (out[at()] = randomBelow(chance, 256)),
    () => void out.splice(at(), 1 + randomBelow(chance, 4)),
    () => void out.splice(at(), 0, ...out.slice(at(), at())),
    () => void (out = out.slice(0, at())),
    () => void out.push(...all[randomBelow(chance, all.length)]!.slice(1)),
    () => void out.splice(at(), 0, ...Array.from({ length: 4 }, () => 0xff)),
  ];
  for (let n = 1 + randomBelow(chance, 4); n > 0; n--) CHANGES[randomBelow(chance, CHANGES.length)]!();
  return Uint8Array.from(out.slice(0, MESSAGE_BYTES_MAX));
}

test('two thousand changed messages of a real session hurt nobody but their own socket', async () => {
  const seed = getRandomValues(new Uint32Array(1))[0]!;
  console.log(`seed ${seed}`);
  const chance = { rng: seed };
  const recorded = await recordSession();
  expect(recorded.length).toBeGreaterThanOrEqual(8);
  const before = host.socket.state.phase;
  let raw = await RawSocket.join(room);
  for (let n = 0; n < 2000; n++) {
    raw.write(frame(2, mutate(recorded[randomBelow(chance, recorded.length)]!, recorded, chance)));
    // Below the bound of messages in a second, so that each is read.
    if (n % 40 === 39 || raw.isClosed) {
      await removed(raw);
      raw = await RawSocket.join(room);
    }
  }
  await removed(raw);
  await allIsWell();
  expect(host.socket.state.phase).toBe(before);
  expect(host.roster.filter((entry) => entry.role === 'host')).toHaveLength(1);
});
