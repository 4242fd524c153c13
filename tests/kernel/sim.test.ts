/** The headless machine (calls.md): the real command, its answers, its exit codes, where it says that something is wrong. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placesOf } from '../../server/cli/sim/places.ts';
import { picker, seeds } from '../helpers/seeds.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SIM = join(ROOT, 'server', 'cli', 'sim.ts');

interface Run {
  status: number | null;
  answers: Record<string, unknown>[];
  text: string;
  message: string;
}

function run(command: string, args: string[], input: string | Buffer, cwd = ROOT): Run {
  const { status, stdout, stderr } = spawnSync(command, args, {
    input,
    cwd,
    env: { ...process.env, INIT_CWD: undefined },
    maxBuffer: 1 << 28,
  });
  const text = stdout.toString();
  return {
    status,
    text,
    message: stderr.toString(),
    answers:
      text === ''
        ? []
        : text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const sim = (input: string | Buffer): Run => run(process.execPath, [SIM, '-'], input);
const lines = (...given: unknown[]): string => given.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');

const MACHINE = { machine: { frames: 64, zones: { normal: 64 }, mobility: false, minFreeKbytes: 0 } };
const ALLOC = { pid: 0, call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' };

describe('answers', () => {
  test('one JSON answer a line, in order; comments and blank lines have none', () => {
    const { status, answers, message } = sim(
      lines(
        MACHINE,
        { '#': 'a comment' },
        '',
        '   \t',
        ALLOC,
        { tick: 3 },
        { tick: 0 },
        { hash: true },
        { assert: { now: null } },
        { pid: 0, call: 'free_pages', pfn: 9, order: 0 },
      ),
    );
    expect({ status, message }).toEqual({ status: 0, message: '' });
    expect(answers).toEqual([
      { ok: true, hash: expect.stringMatching(/^[0-9a-f]{16}$/) },
      { ok: true, pfn: 0, cost: expect.any(Number) },
      { ok: true, now: 3 },
      { ok: true, now: 3 },
      { ok: true, hash: expect.stringMatching(/^[0-9a-f]{16}$/) },
      { ok: true },
      { ok: false, errno: 'EINVAL', why: { code: 'BAD_PAGE', pfn: 9, order: 0 }, cost: expect.any(Number) },
    ]);
  });

  test('a refused call is an answer like any: exit 0', () => {
    const { status, answers } = sim(
      lines(MACHINE, { pid: 5, call: 'fork' }, { pid: 0, call: 'alloc_pages', order: 'x', gfp: 'GFP_KERNEL' }, { pid: -1, call: 'fork' }),
    );
    expect(status).toBe(0);
    expect(answers.slice(1)).toMatchObject([
      { ok: false, errno: 'ESRCH' },
      { ok: false, errno: 'EINVAL' },
      { ok: false, errno: 'ESRCH' },
    ]);
  });

  test('a machine line begins anew, and the same lines give the same hashes', () => {
    const { answers } = sim(lines(MACHINE, ALLOC, { hash: true }, MACHINE, { hash: true }, ALLOC, { hash: true }));
    expect(answers[0]!.hash).toBe(answers[3]!.hash);
    expect(answers[4]!.hash).toBe(answers[0]!.hash);
    expect(answers[2]!.hash).toBe(answers[6]!.hash);
    expect(answers[2]!.hash).not.toBe(answers[0]!.hash);
  });

  test('addresses are decimal numbers, and 0x strings are accepted', () => {
    const mmap = { pid: 1, call: 'mmap', length: 4096, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };
    const { answers } = sim(lines(MACHINE, mmap, { pid: 1, call: 'write', addr: '0xb7fff000', length: 1 }));
    expect(answers[1]).toMatchObject({ ok: true, addr: 0xb7fff000 });
    expect(answers[2]).toMatchObject({ ok: true, faults: { minor: 1 } });
  });

  test('a file that is empty, or holds only comments, is understood', () => {
    expect(sim('')).toMatchObject({ status: 0, text: '' });
    expect(sim(lines({ '#': 'nothing' }))).toMatchObject({ status: 0, text: '' });
  });
});

describe('assert', () => {
  const after = (wanted: unknown) => sim(lines(MACHINE, { pid: 0, call: 'free_pages', pfn: 9, order: 2 }, { assert: wanted }));

  test.each([
    { ok: false },
    { errno: 'EINVAL', 'why.code': 'BAD_PAGE', 'why.pfn': 9 },
    { why: { order: 2, code: 'BAD_PAGE', pfn: 9 } },
    { 'why.nothing': null, nothing: null },
    {},
  ])('%j holds: ok, exit 0', (wanted) => {
    const { status, answers } = after(wanted);
    expect({ status, last: answers.at(-1) }).toEqual({ status: 0, last: { ok: true } });
  });

  test.each([
    [{ ok: true }, { ok: false }],
    [{ ok: false, errno: 'ENOMEM', 'why.pfn': 9 }, { errno: 'EINVAL' }],
    [{ 'why.pfn': '9' }, { 'why.pfn': 9 }],
    [
      { 'why.pfn.deeper': 1, __proto__x: 1 },
      { 'why.pfn.deeper': null, __proto__x: null },
    ],
    [{ 'why.constructor': 1 }, { 'why.constructor': null }],
    [{ why: { code: 'BAD_PAGE', pfn: 9 } }, { why: { code: 'BAD_PAGE', pfn: 9, order: 2 } }],
    [{ why: [] }, { why: { code: 'BAD_PAGE', pfn: 9, order: 2 } }],
  ])('%j fails: what was got instead, exit 1, and the lines after it are played', (wanted, got) => {
    const { status, answers } = sim(lines(MACHINE, { pid: 0, call: 'free_pages', pfn: 9, order: 2 }, { assert: wanted }, { hash: true }));
    expect({ status, last: answers.at(-2) }).toEqual({ status: 1, last: { ok: false, got } });
    expect(answers).toHaveLength(4);
  });

  test('looks at the last call, not at ticks, hashes and asserts; a fresh machine has none', () => {
    const { status, answers } = sim(
      lines(MACHINE, ALLOC, { tick: 1 }, { hash: true }, { assert: { pfn: 0 } }, { assert: { pfn: 0 } }, MACHINE, {
        assert: { pfn: null },
      }),
    );
    expect(status).toBe(0);
    expect(answers.at(-1)).toEqual({ ok: true });
  });
});

describe('what cannot be played: exit 2, line and column, nothing printed from there on', () => {
  const BAD: [string, string, number][] = [
    ['not JSON', '{"pid": 0, "call": alloc}', 20],
    ['cut off', '{"pid": 0,', 11],
    ['two values', '{"tick": 1} {"tick": 2}', 13],
    ['a trailing comma', '{"tick": 1,}', 12],
    ['a leading zero', '{"tick": 01}', 11],
    ['NaN', '{"tick": NaN}', 10],
    ['single quotes', "{'tick': 1}", 2],
    ['a bad escape', '{"#": "\\x"}', 9],
    ['a control character in a string', '{"#": "a\tb"}', 9],
    ['a surrogate pair counts as one character', '{"#": "😀"} x', 12],
    ['a list', '[]', 1],
    ['a number', '7', 1],
    ['null', 'null', 1],
    ['an empty object', '{}', 1],
    ['an unknown kind', '{"poke": 1}', 1],
    ['two kinds at once', '{"tick": 1, "hash": true}', 13],
    ['an unknown key beside tick', '{"tick": 1, "times": 2}', 13],
    ['an unknown key beside a comment', '{"#": "x", "pid": 1}', 12],
    ['an unknown key beside a machine', '{"machine": {}, "seed": 1}', 17],
    ['an unknown call', '{"pid": 0, "call": "make_coffee"}', 20],
    ['a call that is no name', '{"pid": 0, "call": 5}', 20],
    ['a call that is __proto__', '{"pid": 0, "call": "__proto__"}', 20],
    ['no pid', '{"call": "fork"}', 1],
    ['a pid that is none', '{"pid": "1", "call": "fork"}', 9],
    ['half a pid', '{"call": "fork", "pid": 0.5}', 25],
    ['too many ticks', '{"tick": 1000001}', 10],
    ['negative ticks', '{"tick": -1}', 10],
    ['half a tick', '{"tick": 0.5}', 10],
    ['1e309 ticks', '{"tick": 1e309}', 10],
    ['no true hash', '{"hash": false}', 10],
    ['an assert of nothing', '{"assert": null}', 12],
    ['an assert of a list', '{"assert": [1]}', 12],
    ['an impossible machine', '{"machine": {"frames": 63}}', 24],
    ['zones that do not add up', '{"machine": {"frames": 64, "zones": {"normal": 65}}}', 1],
    ['an unknown zone', '{"machine": {"frames": 64, "zones": {"attic": 64}}}', 1],
    ['an unknown key of a machine', '{"machine": {"frames": 64, "colour": 1}}', 1],
    ['a machine that is no object', '{"machine": 64}', 13],
  ];

  test.each(BAD)('%s', (_what, bad, column) => {
    const { status, answers, message } = sim(lines(MACHINE, { assert: {} }, bad, { hash: true }));
    expect(status).toBe(2);
    expect(answers).toHaveLength(2);
    expect(message).toMatch(/^sim: line 3, column \d+: \S.*\n$/);
    // Where the kernel's sentence names the key, any place within the machine's description will do.
    const found = Number(/column (\d+)/.exec(message)![1]);
    if (column > 1 || !bad.includes('machine')) expect(found).toBe(column);
    else expect(found).toBeGreaterThan(12);
  });

  test('anything before the first machine', () => {
    for (const line of [ALLOC, { tick: 1 }, { hash: true }, { assert: {} }]) {
      expect(sim(lines({ '#': 'hello' }, line))).toMatchObject({
        status: 2,
        text: '',
        message: expect.stringMatching(/^sim: line 2, column 1: /),
      });
    }
  });

  test('a bad line outweighs a failed assert', () => {
    expect(sim(lines(MACHINE, { assert: { pfn: 1 } }, 'x'))).toMatchObject({ status: 2 });
  });

  test('bytes that are not UTF-8', () => {
    const { status, message } = sim(
      Buffer.concat([Buffer.from(lines(MACHINE)), Buffer.from([0x7b, 0x22, 0x23, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d, 0x0a])]),
    );
    expect({ status, message }).toMatchObject({ status: 2, message: expect.stringMatching(/^sim: line 2, column 7: /) });
  });

  test('no argument, too many, and a file that is not there', () => {
    expect(run(process.execPath, [SIM], '')).toMatchObject({ status: 2, text: '' });
    expect(run(process.execPath, [SIM, 'a', 'b'], '')).toMatchObject({ status: 2, text: '' });
    expect(run(process.execPath, [SIM, 'no/such/file.ndjson'], '')).toMatchObject({
      status: 2,
      text: '',
      message: expect.stringContaining('no/such/file.ndjson'),
    });
    expect(run(process.execPath, [SIM, ROOT], '')).toMatchObject({ status: 2, text: '' });
  });
});

describe('lines', () => {
  const texts = (input: string | Buffer) => {
    const { status, answers } = sim(input);
    return { status, count: answers.length };
  };

  test('LF or CRLF, with or without an end, a byte order mark at the start: all the same', () => {
    const unix = lines(MACHINE, ALLOC, { tick: 1 });
    const windows = unix.replaceAll('\n', '\r\n');
    for (const input of [unix, windows, unix.trimEnd(), windows.trimEnd(), `\ufeff${unix}`, `\ufeff${windows}`]) {
      expect(texts(input)).toEqual({ status: 0, count: 3 });
    }
  });

  test('a byte order mark anywhere else is not JSON', () => {
    expect(texts(`${lines(MACHINE)}\ufeff{"tick": 1}\n`)).toEqual({ status: 2, count: 1 });
  });

  test('blank lines count in the numbers of lines', () => {
    expect(sim(`\n\n${lines(MACHINE)}\n\nx\n`).message).toMatch(/^sim: line 6, column 1: /);
  });

  const padded = (bytes: number) => `{"#": "${'a'.repeat(bytes - 9)}"}`;

  test('64 KiB a line: one byte more is refused, whatever it holds', () => {
    expect(padded(65536)).toHaveLength(65536);
    expect(texts(lines(MACHINE, padded(65536), { tick: 1 }))).toEqual({ status: 0, count: 2 });
    expect(texts(`${lines(MACHINE)}${padded(65536)}\r\n${lines({ tick: 1 })}`)).toEqual({ status: 0, count: 2 });
    const long = sim(lines(MACHINE, padded(65537), { tick: 1 }));
    expect(long).toMatchObject({ status: 2, message: expect.stringMatching(/^sim: line 2, column \d+: .*65536 bytes/) });
    expect(long.answers).toHaveLength(1);
  });

  test('the limit is in bytes, not in characters', () => {
    expect(texts(lines(MACHINE, `{"#": "${'é'.repeat(32764)}"}`))).toEqual({ status: 2, count: 1 });
    expect(texts(lines(MACHINE, `{"#": "${'é'.repeat(32763)}"}`))).toEqual({ status: 0, count: 1 });
  });

  test('64 KiB of open brackets are not JSON, and no stack overflows', () => {
    expect(texts(lines(MACHINE, '['.repeat(65536)))).toEqual({ status: 2, count: 1 });
    expect(texts(lines(MACHINE, `{"assert": {"a": ${'['.repeat(30000)}${']'.repeat(30000)}}}`))).toEqual({ status: 1, count: 2 });
    expect(
      texts(lines(MACHINE, `{"pid": 0, "call": "alloc_pages", "order": ${'['.repeat(30000)}${']'.repeat(30000)}, "gfp": "GFP_KERNEL"}`)),
    ).toEqual({ status: 0, count: 2 });
  });

  test('64 MiB a file', () => {
    const chunk = Buffer.alloc(65536, ' ');
    chunk[65535] = 10;
    const blank = Buffer.concat(Array.from({ length: 1023 }, () => chunk));
    const rest = (bytes: number) =>
      Buffer.concat([Buffer.from(lines(MACHINE)), Buffer.alloc(bytes - Buffer.byteLength(lines(MACHINE)) - 1, '\n'), Buffer.from('\n')]);
    expect(texts(Buffer.concat([rest(65536), blank]))).toEqual({ status: 0, count: 1 });
    expect(texts(Buffer.concat([rest(65536), blank, Buffer.from('\n')]))).toEqual({ status: 2, count: 1 });
  });
});

describe('the command that people type', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sim-'));
    writeFileSync(join(folder, 'first.ndjson'), lines(MACHINE, ALLOC, { assert: { pfn: 0 } }));
    writeFileSync(join(folder, 'wrong.ndjson'), lines(MACHINE, ALLOC, { assert: { pfn: 1 } }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('npm run -s sim -- FILE prints answers and nothing else, and hands on the exit code', () => {
    const npm = (args: string[], input = '') => run('npm', ['run', '-s', 'sim', '--', ...args], input);
    expect(npm([join(folder, 'first.ndjson')])).toMatchObject({
      status: 0,
      message: '',
      answers: [{ ok: true }, { ok: true, pfn: 0 }, { ok: true }],
    });
    expect(npm([join(folder, 'wrong.ndjson')])).toMatchObject({ status: 1, answers: [{}, {}, { ok: false, got: { pfn: 0 } }] });
    expect(npm(['-'], lines(MACHINE, 'x'))).toMatchObject({ status: 2, message: expect.stringMatching(/^sim: line 2, column 1: /) });
  });

  test('a relative FILE is meant from where the person stands', () => {
    expect(run('npm', ['--prefix', ROOT, 'run', '-s', 'sim', '--', 'first.ndjson'], '', folder)).toMatchObject({ status: 0, message: '' });
    expect(run('npm', ['--prefix', ROOT, 'run', '-s', 'sim', '--', 'first.ndjson'], '', ROOT)).toMatchObject({ status: 2, text: '' });
  });

  test('a hundred thousand lines stream through', () => {
    const pair = lines(ALLOC, { pid: 0, call: 'free_pages', pfn: 0, order: 0 });
    const { status, text } = run(process.execPath, [SIM, '-'], lines(MACHINE) + pair.repeat(50_000));
    expect(status).toBe(0);
    expect(text.split('\n')).toHaveLength(100_002);
  });
});

describe('where an error stands', () => {
  test.each(seeds(4))('seed %i: the scanner and JSON.parse agree on 20,000 mutilated lines', (seed) => {
    const below = picker(seed);
    const bases = [
      '{"pid": 1, "call": "mmap", "length": 8192, "x": [1, -2.5e+3, {"a": null}], "t": true, "s": "a\\u00e9\\n\\""}',
      '[]',
      '-0.5e-7',
      '  [ 1 , 2 ]  ',
      'false',
    ];
    const alphabet = '{}[],:"\\ \t0123456789.eE+-truefalsn\u0001ux';
    for (let n = 0; n < 20_000; n++) {
      let text = bases[below(bases.length)]!;
      for (let cuts = 1 + below(3); cuts > 0; cuts--) {
        const at = below(text.length + 1);
        text = [
          text.slice(0, at) + text.slice(at + 1),
          text.slice(0, at) + alphabet[below(alphabet.length)]! + text.slice(at),
          text.slice(0, at),
        ][below(3)]!;
      }
      const expected = errorOf(text);
      const { errorAt } = placesOf(text);
      expect(errorAt === -1, text).toBe(expected === null);
      if (typeof expected === 'number') expect(errorAt, text).toBe(expected);
    }
  });
});

/** Where JSON.parse says that the error is; undefined when it does not say; null when there is none. */
function errorOf(text: string): number | null | undefined {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const message = (error as Error).message;
    const found = /at position (\d+)/.exec(message);
    if (found !== null) return Number(found[1]);
    return message.includes('end of JSON input') ? text.length : undefined;
  }
}
