/** The order in which rooms close and send, and what a fault in one does to the others. */
import { afterEach, expect, test } from 'vitest';
import { createLog } from '../../server/log.ts';
import { Sequencer, SLOTS, type Ticking } from '../../server/sequencer/Sequencer.ts';

let sequencer: Sequencer;
afterEach(() => sequencer.stop());

/** Rooms that write down what happens to them, until one has ticked `ticks` times. */
function run(count: number, ticks: number, faults: Partial<Record<number, Partial<Ticking>>> = {}): Promise<string[]> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    const sent = Array.from({ length: count }, () => 0);
    sequencer = new Sequencer(createLog('silent'), 1);
    for (let room = 0; room < count; room++)
      sequencer.add({
        closeTick: () => void lines.push(`close ${room}`),
        sendTick: () => {
          lines.push(`send ${room}`);
          sent[room]! += 1;
          if (room === count - 1 && sent[room] === ticks) resolve([...lines]);
        },
        tickFailed: (error) => void lines.push(`failed ${room}: ${(error as Error).message}`),
        ...faults[room],
      });
  });
}

const fault = () => {
  throw new Error('planted');
};

test('each room has every tick, once, and rooms are spread over the slots', async () => {
  const lines = await run(SLOTS, 20);
  for (let room = 0; room < SLOTS - 1; room++) expect(lines.filter((line) => line === `close ${room}`).length).toBeGreaterThanOrEqual(20);
  // One room a slot: each closes and sends before the next closes.
  expect(lines.slice(0, 10)).toEqual([0, 1, 2, 3, 4].flatMap((room) => [`close ${room}`, `send ${room}`]));
});

test('rooms of one slot all close before one is sent', async () => {
  const lines = await run(2 * SLOTS, 3);
  expect(lines.slice(0, 4)).toEqual(['close 0', 'close 5', 'send 0', 'send 5']);
});

test('a room that throws is told, is not sent, and its neighbour in the slot goes on', async () => {
  const lines = await run(2 * SLOTS, 3, { 0: { closeTick: fault }, 5: { sendTick: fault } });
  expect(lines.slice(0, 3)).toEqual(['failed 0: planted', 'close 5', 'failed 5: planted']);
  expect(lines).not.toContain('send 0');
  expect(lines.filter((line) => line === 'send 9')).toHaveLength(3);
});

test('a room that is removed has no more ticks, though its slot is running', async () => {
  const lines: string[] = [];
  sequencer = new Sequencer(createLog('silent'), 1);
  await new Promise<void>((resolve) => {
    const first: Ticking = {
      closeTick: () => {
        lines.push('first');
        sequencer.remove(first);
      },
      sendTick: () => void lines.push('first sent'),
      tickFailed: () => {},
    };
    let left = 5;
    sequencer.add(first);
    for (let i = 1; i < SLOTS; i++) sequencer.add({ closeTick: () => {}, sendTick: () => {}, tickFailed: () => {} });
    sequencer.add({ closeTick: () => {}, sendTick: () => void (--left === 0 && resolve()), tickFailed: () => {} });
  });
  expect(lines).toEqual(['first', 'first sent']);
});

test('held, no room ticks; let go, they do', async () => {
  sequencer = new Sequencer(createLog('silent'), 1);
  let ticks = 0;
  sequencer.hold();
  sequencer.add({ closeTick: () => void ticks++, sendTick: () => {}, tickFailed: () => {} });
  const other = new Sequencer(createLog('silent'), 1);
  await new Promise<void>((resolve) => {
    let beats = 20;
    other.add({ closeTick: () => {}, sendTick: () => void (--beats === 0 && resolve()), tickFailed: () => {} });
  });
  other.stop();
  expect(ticks).toBe(0);
  sequencer.go();
  while (ticks < 3) await new Promise((resolve) => setImmediate(resolve));
});

test('what was closed is written before anything of the beat is sent', async () => {
  const lines: string[] = [];
  await new Promise<void>((resolve) => {
    sequencer = new Sequencer(createLog('silent'), 1, () => void lines.push('commit'));
    const room = (name: string): Ticking => ({
      closeTick: () => void lines.push(`close ${name}`),
      sendTick: () => {
        lines.push(`send ${name}`);
        if (lines.length > 40) resolve();
      },
      tickFailed: () => {},
    });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) sequencer.add(room(name));
  });
  expect(lines.slice(0, 8)).toEqual(['close a', 'close f', 'commit', 'send a', 'send f', 'close b', 'commit', 'send b']);
});
