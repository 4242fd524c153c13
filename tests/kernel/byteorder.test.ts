/** Byte order (spec §16): 0x12345678 lies as 78 56 34 12 on a little-endian machine, as 12 34 56 78 on the wire. */
import { expect, test } from 'vitest';
import { KERNEL, PAGE, boot, granted, mmap, refused, spawn } from '../helpers/boot.ts';

const machine = boot();
const value = (name: string, given: number) => granted(machine, KERNEL, { call: name, value: given }).value;
const bytes = (given: number, size: number, order: string) =>
  granted(machine, KERNEL, { call: 'bytes_of', value: given, size, order }).bytes;

test('htonl(0x12345678) is 0x78563412 on a little-endian machine, and ntohl turns it back', () => {
  expect(value('htonl', 0x12345678)).toBe(0x78563412);
  expect(value('ntohl', 0x78563412)).toBe(0x12345678);
  expect(value('htonl', 0xff)).toBe(0xff000000);
  expect(value('ntohl', 0xffffffff)).toBe(0xffffffff);
});

test('htons swaps the two bytes: port 80 is 0x5000', () => {
  expect(value('htons', 80)).toBe(0x5000);
  expect(value('ntohs', 0x1234)).toBe(0x3412);
});

test('a value’s bytes from the lowest address up', () => {
  expect(bytes(0x12345678, 4, 'host')).toEqual([0x78, 0x56, 0x34, 0x12]);
  expect(bytes(0x12345678, 4, 'little')).toEqual([0x78, 0x56, 0x34, 0x12]);
  expect(bytes(0x12345678, 4, 'big')).toEqual([0x12, 0x34, 0x56, 0x78]);
  expect(bytes(0x12345678, 4, 'network')).toEqual([0x12, 0x34, 0x56, 0x78]);
  expect(bytes(1, 8, 'big')).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  expect(refused(machine, KERNEL, { call: 'bytes_of', value: 256, size: 1, order: 'host' })).toMatchObject({ errno: 'EINVAL' });
});

test('what htonl gives, stored by a little-endian machine, is what goes over the wire', () => {
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 1);
  const wire = value('htonl', 0x12345678) as number;
  granted(machine, pid, { call: 'poke', addr: addr + PAGE - 4, bytes: bytes(wire, 4, 'host') });
  expect(granted(machine, pid, { call: 'peek', addr: addr + PAGE - 4, length: 4 }).bytes).toEqual(bytes(0x12345678, 4, 'network'));
});
