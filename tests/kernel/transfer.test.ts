/** Zero copy: five ways to send a file, and what each costs in copies and switches (spec §16; oracles A15). */
import { describe, expect, test } from 'vitest';
import { PAGE, bootFlat, granted, refused, spawn } from '../helpers/boot.ts';

function stage() {
  const machine = bootFlat(512, { disk: { files: [{ path: '/f', bytes: 20 * PAGE + 7 }] } });
  const pid = spawn(machine);
  return { machine, pid, fd: granted(machine, pid, { call: 'open', path: '/f' }).fd as number };
}

describe('the table of spec §16', () => {
  test.each([
    ['read+write', 4, 2, 2],
    ['mmap+write', 4, 1, 2],
    ['sendfile', 2, 1, 2],
    ['sendfile+gather', 2, 0, 2],
    ['splice', 4, 0, 2],
  ] as const)('%s: %i switches, %i copies by the CPU, %i by DMA', (method, switches, cpu, dma) => {
    const { machine, pid, fd } = stage();
    const request = { call: 'transfer', fd, offset: 0, count: 4 * PAGE, method };
    expect(granted(machine, pid, request)).toMatchObject({
      length: 4 * PAGE,
      switches,
      copies: { cpu, dma },
      bytes: { cpu: cpu * 4 * PAGE, dma: 8 * PAGE },
      pages: { cached: 0, read: 4 },
    });
    // In the page cache: the first transfer by DMA is not needed.
    expect(granted(machine, pid, request)).toMatchObject({ switches, copies: { cpu, dma: dma - 1 }, pages: { cached: 4, read: 0 } });
  });
});

test('only what is missing comes from the disk', () => {
  const { machine, pid, fd } = stage();
  granted(machine, pid, { call: 'pread', fd, offset: 8 * PAGE, length: PAGE });
  const answer = granted(machine, pid, { call: 'transfer', fd, offset: 6 * PAGE, count: 4 * PAGE, method: 'sendfile' });
  expect(answer).toMatchObject({ pages: { cached: 1, read: 3 }, bytes: { cpu: 4 * PAGE, dma: 7 * PAGE } });
});

test('ends with the file; behind it there is nothing to send', () => {
  const { machine, pid, fd } = stage();
  expect(granted(machine, pid, { call: 'transfer', fd, offset: 20 * PAGE, count: 9 * PAGE, method: 'splice' })).toMatchObject({
    length: 7,
  });
  expect(granted(machine, pid, { call: 'transfer', fd, offset: 30 * PAGE, count: 1, method: 'splice' })).toMatchObject({
    length: 0,
    copies: { cpu: 0, dma: 0 },
  });
});

test('fewer copies cost less', () => {
  const cost = (method: string) => {
    const { machine, pid, fd } = stage();
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 20 * PAGE });
    return granted(machine, pid, { call: 'transfer', fd, offset: 0, count: 20 * PAGE, method }).cost;
  };
  const costs = ['read+write', 'mmap+write', 'sendfile', 'sendfile+gather'].map(cost);
  expect(costs[0]).toBeGreaterThan(costs[1]!);
  expect(costs[1]).toBeGreaterThanOrEqual(costs[2]!);
  expect(costs[2]).toBeGreaterThan(costs[3]!);
});

test('what is not open, or not for reading, is refused', () => {
  const { machine, pid } = stage();
  const fd = granted(machine, pid, { call: 'open', path: '/f', flags: 'O_WRONLY' }).fd;
  expect(refused(machine, pid, { call: 'transfer', fd, offset: 0, count: 1, method: 'sendfile' })).toMatchObject({
    errno: 'EBADF',
    why: { code: 'NOT_OPENED_FOR' },
  });
  expect(refused(machine, pid, { call: 'transfer', fd: 99, offset: 0, count: 1, method: 'sendfile' })).toMatchObject({ errno: 'EBADF' });
});
