/** Malformed calls (calls.md): EINVAL, cost 0, and nothing changed; for every call, every argument, every kind of nonsense. */
import { describe, expect, test } from 'vitest';
import { CALLS } from '#kernel/calls.ts';
import { type Call, call, hash } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, cat, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { GOOD_CALLS, make, requestOf, stage, stageOf } from '../helpers/requests.ts';

function deep(levels: number): unknown {
  let value: unknown = 0;
  for (let n = 0; n < levels; n++) value = { a: value };
  return value;
}

/** Values that no argument of ours takes, unless a good call says so. */
const HOSTILE: readonly [string, unknown][] = [
  ['null', null],
  ['true', true],
  ['a word', 'nonsense'],
  ['the empty string', ''],
  ['−1', -1],
  ['a fraction', 0.5],
  ['NaN', Number.NaN],
  ['1e309', Number('1e309')],
  ['−1e309', Number('-1e309')],
  ['2^53', 2 ** 53],
  ['−2^53', -(2 ** 53)],
  ['a string of 100,000', 'x'.repeat(100_000)],
  ['a string of 100,000 bars', '|'.repeat(100_000)],
  ['an object', {}],
  ['a deep object', deep(10_000)],
  ['a list of null', [null]],
  ['a list of lists', [[[]]]],
  ['a list of 100,000', Array.from({ length: 100_000 }, () => 'GFP_KERNEL')],
  ['"__proto__"', '__proto__'],
  ['"constructor"', 'constructor'],
  ['a list of "toString"', ['toString']],
  ['an object with a __proto__ of its own', JSON.parse('{"__proto__": {"length": 1, "0": 1}}')],
];

describe('the table of good calls', () => {
  test('is the kernel’s own table', () => {
    expect(GOOD_CALLS.map((good) => good.call).toSorted()).toEqual(Object.keys(CALLS).toSorted());
  });

  test.each(GOOD_CALLS)('$call is granted', (good) => {
    const at = stageOf(good);
    const answer = make(good, at);
    if (good.call !== 'exec') expect(answer).toMatchObject({ ok: true });
    expect(Number.isInteger(answer.cost) && answer.cost >= 0).toBe(true);
    checkMachine(at.machine);
  });
});

describe.each(GOOD_CALLS)('$call', (good) => {
  const at = stageOf(good);
  const before = hash(at.machine);
  const { pid, request } = requestOf(good, at);
  const names = Object.keys(request).filter((name) => name !== 'call');

  function isMalformed(bad: Call, what: string): void {
    const answer = call(at.machine, pid, bad);
    expect(answer, what).toMatchObject({ ok: false, errno: 'EINVAL', cost: 0, why: { code: 'BAD_ARGUMENT' } });
    expect(answer, what).not.toHaveProperty('signal');
    expect(hash(at.machine), what).toBe(before);
  }

  test('without an argument that it needs', () => {
    for (const name of names) {
      if (good.optional?.includes(name)) continue;
      const { [name]: _gone, ...rest } = request;
      isMalformed(rest as Call, `without ${name}`);
    }
  });

  test('with an argument that it does not know', () => {
    isMalformed({ ...request, colour: 'red' }, 'an unknown argument');
    isMalformed({ ...request, pid: 1 }, 'pid is no argument');
    isMalformed(JSON.parse(`${JSON.stringify(request).slice(0, -1)},"__proto__":{"order":0}}`) as Call, '__proto__');
    isMalformed({ ...request, ['x'.repeat(100_000)]: 1 }, 'a huge name');
  });

  test('with nonsense in each argument', () => {
    for (const name of names) {
      for (const [what, value] of HOSTILE) {
        if (good.good?.[name]?.includes(value)) continue;
        const words = Array.isArray(value) ? value : [value];
        if (good.text === name && words.length <= 16 && words.every((each) => typeof each === 'string' && each.length <= 256)) continue;
        isMalformed({ ...request, [name]: value }, `${name}: ${what}`);
      }
    }
  });

  test('−0 is refused or is 0', () => {
    for (const name of names) {
      const minus = stageOf(good);
      const plus = stageOf(good);
      const answer = call(minus.machine, pid, { ...request, [name]: -0 });
      if (!answer.ok && answer.errno === 'EINVAL') {
        expect(hash(minus.machine), name).toBe(hash(stageOf(good).machine));
        continue;
      }
      expect(call(plus.machine, pid, { ...request, [name]: 0 }), name).toEqual(answer);
      expect(hash(minus.machine), name).toBe(hash(plus.machine));
    }
  });

  test('a name given by an inherited property is not given', () => {
    const inherited = Object.create({ order: 0, gfp: 'GFP_KERNEL', pfn: 0, length: 1, addr: 0 }) as Record<string, unknown>;
    inherited.call = good.call;
    expect(() => call(at.machine, pid, inherited as unknown as Call)).not.toThrow();
  });
});

describe('what is no call at all', () => {
  test.each([
    ['an unknown name', { call: 'make_coffee' }],
    ['the name of a property of objects', { call: 'constructor' }],
    ['__proto__', { call: '__proto__' }],
    ['no name', {}],
    ['a number', { call: 5 }],
    ['null', { call: null }],
    ['a list', { call: ['mmap'] }],
    ['a name of 100,000', { call: 'm'.repeat(100_000) }],
  ])('%s: EINVAL, and nothing changed', (_what, request) => {
    const { machine, pid } = stage();
    const before = hash(machine);
    for (const by of [KERNEL, pid]) {
      expect(call(machine, by, request as unknown as Call)).toMatchObject({
        ok: false,
        errno: 'EINVAL',
        cost: 0,
        why: { code: 'UNKNOWN_CALL' },
      });
    }
    expect(hash(machine)).toBe(before);
  });

  test.each([null, undefined, 5, 'mmap', [], [{ call: 'fork' }], true])('the request %j', (request) => {
    const { machine, pid } = stage();
    const before = hash(machine);
    expect(call(machine, pid, request as unknown as Call)).toMatchObject({ ok: false, errno: 'EINVAL', cost: 0 });
    expect(hash(machine)).toBe(before);
  });

  test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, '2', null, undefined, {}])('the caller %j: ESRCH', (pid) => {
    const { machine } = stage();
    const before = hash(machine);
    expect(call(machine, pid as number, { call: 'fork' })).toMatchObject({ ok: false, errno: 'ESRCH', cost: 0 });
    expect(hash(machine)).toBe(before);
  });
});

describe('values that are well-formed and still wrong: the right errno, and no page moved', () => {
  const at = stage();
  const before = hash(at.machine);
  const CASES: [string, number, Call, object][] = [
    [
      'free_pages: not owned',
      at.child,
      { call: 'free_pages', pfn: at.pfn, order: 1 },
      { errno: 'EPERM', why: { code: 'NOT_OWNER', pfn: at.pfn, owner: at.pid } },
    ],
    ['free_pages: the kernel’s', at.pid, { call: 'free_pages', pfn: 1023, order: 0 }, { errno: 'EINVAL', why: { code: 'BAD_PAGE' } }],
    ['free_pages: beyond memory', at.pid, { call: 'free_pages', pfn: 1024, order: 0 }, { errno: 'EINVAL', why: { code: 'BAD_PAGE' } }],
    ['free_pages: far beyond', at.pid, { call: 'free_pages', pfn: 2 ** 31 - 1, order: 0 }, { errno: 'EINVAL' }],
    ['free_pages: a page table', at.pid, { call: 'free_pages', pfn: 0, order: 0 }, { errno: 'EINVAL', why: { code: 'BAD_PAGE' } }],
    [
      'free_pages: unaligned for its order',
      at.pid,
      { call: 'free_pages', pfn: at.pfn + 1, order: 0 },
      { errno: 'EINVAL', why: { code: 'BAD_PAGE' } },
    ],
    ['free_pages: order 31', at.pid, { call: 'free_pages', pfn: at.pfn, order: 31 }, { errno: 'EINVAL' }],
    ['munmap: unaligned', at.pid, { call: 'munmap', addr: at.addr + 1, length: PAGE }, { errno: 'EINVAL' }],
    ['munmap: nothing', at.pid, { call: 'munmap', addr: at.addr, length: 0 }, { errno: 'EINVAL' }],
    ['kill: nobody', at.pid, { call: 'kill', target: 999, sig: 9 }, { errno: 'ESRCH' }],
    ['oom_score_adj: nobody', at.pid, { call: 'oom_score_adj', target: 999, value: 0 }, { errno: 'ESRCH' }],
    ['cat: no such file', at.pid, { call: 'cat', path: '/proc/nothing' }, { errno: 'ENOENT' }],
    ['cat: a relative path', at.pid, { call: 'cat', path: 'meminfo' }, { errno: 'ENOENT' }],
    ['cat: above the root', at.pid, { call: 'cat', path: '/proc/../etc/passwd' }, { errno: 'ENOENT' }],
    ['cat: of a dead process', at.pid, { call: 'cat', path: '/proc/999/maps' }, { errno: 'ENOENT' }],
    ['cat: a name of objects', at.pid, { call: 'cat', path: '/proc/constructor' }, { errno: 'ENOENT' }],
    ['cat: a pid with a leading zero', at.pid, { call: 'cat', path: `/proc/0${at.pid}/maps` }, { errno: 'ENOENT' }],
    [
      'add_memory: more than maxFrames',
      KERNEL,
      { call: 'add_memory', count: 1025 },
      { errno: 'ENOMEM', why: { code: 'NO_ROOM_FOR_MEMORY' } },
    ],
  ];

  test.each(CASES)('%s', (_what, pid, request, expected) => {
    expect(call(at.machine, pid, request)).toMatchObject({ ok: false, ...expected });
    expect(hash(at.machine)).toBe(before);
  });

  test('freed twice', () => {
    const { machine, pid, pfn } = stage();
    const request = { call: 'free_pages', pfn, order: 1 };
    expect(call(machine, pid, request)).toMatchObject({ ok: true });
    const after = hash(machine);
    expect(refused(machine, pid, request)).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_PAGE' } });
    expect(hash(machine)).toBe(after);
  });

  test('an address may be a string of hex digits, and only such a string', () => {
    const { machine, pid, addr } = stage();
    expect(call(machine, pid, { call: 'read', addr: `0x${addr.toString(16)}`, length: 1 })).toMatchObject({ ok: true });
    for (const bad of ['0x', 'b7ffe000', '0xg', '0X10', ' 0x10', '0x10 ', '-0x10', '0x1ffffffffffffffff', '0x1.8']) {
      expect(call(machine, pid, { call: 'read', addr: bad, length: 1 }), bad).toMatchObject({ ok: false, errno: 'EINVAL', cost: 0 });
    }
  });

  test('a machine of one frame’s worth of everything survives the largest requests', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    for (const request of [
      { call: 'mmap', length: 2 ** 48 - 1, prot: 'PROT_NONE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' },
      { call: 'munmap', addr: 0xfffff000, length: 2 ** 48 - 1 },
      { call: 'brk', addr: 0xffffffff },
      { call: 'sbrk', increment: 2 ** 31 - 1 },
      { call: 'alloc_pages', order: 2 ** 31 - 1, gfp: 'GFP_KERNEL' },
    ]) {
      expect(call(machine, pid, request), request.call).toMatchObject({ ok: false });
    }
    mmap(machine, pid, 1);
    expect(call(machine, pid, { call: 'read', addr: 0xffffffff, length: 2 ** 48 - 1 })).toMatchObject({ ok: false, signal: 'SIGSEGV' });
    expect(cat(machine, '/proc/meminfo')).toContain('MemFree:             256 kB');
    checkMachine(machine);
  });
});
