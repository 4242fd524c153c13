/**
 * Joining of free blocks: against what OSTEP's malloc.py printed with -C, and against a plain model, call by call. The recorded file of
 * the oracles has no run with joining.
 */
import { describe, expect, test } from 'vitest';
import { type Machine, call } from '#kernel/machine.ts';
import { boot, cat, granted, spawn } from '../helpers/boot.ts';
import { checkLibc } from '../helpers/check_libc.ts';
import { NaiveFreelist, type NaiveRules } from '../helpers/naiveFreelist.ts';
import { picker, seeds } from '../helpers/seeds.ts';

const BASE = 1000;

function heapOf(rules: Partial<NaiveRules>, size: number): { machine: Machine; pid: number } {
  const machine = boot({ libc: { allocator: 'list', ...rules, heap: { base: BASE, size } } });
  return { machine, pid: spawn(machine) };
}

/** The list as address:size. */
const listOf = (machine: Machine, pid: number): string[] =>
  [...cat(machine, '/proc/freelist', pid).matchAll(/addr:(\d+) sz:(\d+)/g)].map(([, addr, size]) => `${addr}:${size}`);

/** `+size@address/entries`: an allocation, where its block starts, and entries of the list after it; `-n/entries`: the n-th is freed. */
const RECORDED = [
  {
    options: '-p BEST -l ADDRSORT -s 1',
    rules: { fit: 'best', order: 'address' },
    steps: `
      +17@1000/1 -0/1 +9@1000/1 -1/1 +1@1000/1 -2/1 +9@1000/1 -3/1 +1@1000/1 -4/1 +5@1000/1 +1@1012/1 +9@1020/1 +5@1036/1 +5@1048/1
      +6@1060/1 +17@1072/1 -9/2 +20@1096/2 -5/3 +15@1120/3 -13/3 +17@1120/3 -8/3 -14/3 -10/3 -6/3 +16@1000/2 +4@1036/2 -15/3 -11/3
      +11@1000/3 -16/3 +10@1036/3 +1@1052/3 -19/3 -12/2 +11@1052/2 -20/2 -18/2 +11@1036/2 -17/2 +6@1000/2 -22/2 +16@1000/1 -23/2
      -21/2 -7/1 +2@1000/1 -24/1 +11@1000/1 +8@1016/1 +11@1028/1 -26/2 +1@1016/2 +4@1044/2 -29/2 -28/2 -25/2 -27/1
    `,
    list: '1000:200',
  },
  {
    options: '-p FIRST -l ADDRSORT -s 0',
    rules: { fit: 'first', order: 'address' },
    steps: `
      +6@1000/1 -0/1 +10@1000/1 -1/1 +16@1000/1 -2/1 +15@1000/1 -3/1 +3@1000/1 +13@1008/1 -5/1 +18@1008/1 +17@1032/1 -4/2 -6/2 -7/1
      +10@1000/1 -8/1 +18@1000/1 +12@1024/1 +20@1040/1 -10/2 +7@1024/2 -12/2 +12@1024/1 -11/1 -13/1 -9/1 +12@1000/1 +12@1016/1
      +4@1032/1 +13@1040/1 -15/2 +16@1060/2 -18/2 -17/2 -16/1 +15@1016/1 +17@1036/1 -20/1 -19/1 -14/1 +13@1000/1 +13@1020/1 -21/2
      -22/1 +16@1000/1 +17@1020/1 +3@1044/1 -23/2 -25/2 -24/1 +13@1000/1 -26/1 +8@1000/1 -27/1 +20@1000/1 +3@1024/1 +17@1032/1 -28/2
    `,
    list: '1000:24 1056:144',
  },
  {
    options: '-p FIRST -l SIZESORT+ -s 0',
    rules: { fit: 'first', order: 'size+' },
    steps: `
      +6@1000/1 -0/1 +10@1000/1 -1/1 +16@1000/1 -2/1 +15@1000/1 -3/1 +3@1000/1 +13@1008/1 -5/1 +18@1008/1 +17@1032/1 -4/2 -6/2 -7/3
      +10@1032/3 -8/4 +18@1000/4 +12@1032/3 +20@1056/3 -10/3 +7@1024/3 -12/4 +12@1080/4 -11/5 -13/6 -9/7 +12@1080/6 +12@1056/6
      +4@1048/5 +13@1000/5 -15/6 +16@1096/6 -18/6 -17/7 -16/8 +15@1000/7 +17@1096/7 -20/7 -19/8 -14/9 +13@1000/8 +13@1096/8 -21/9
      -22/9 +16@1000/8 +17@1096/8 +3@1072/7 -23/8 -25/9 -24/9 +13@1000/8 -26/9 +8@1036/8 -27/8 +20@1024/7 +3@1048/6 +17@1096/6 -28/7
    `,
    list: '1020:4 1072:8 1056:16 1080:16 1000:20 1024:24 1120:80',
  },
  {
    options: '-p WORST -l SIZESORT- -s 1',
    rules: { fit: 'worst', order: 'size-' },
    steps: `
      +17@1000/1 -0/2 +9@1024/2 -1/2 +1@1040/2 -2/2 +9@1048/2 -3/2 +1@1064/2 -4/2 +5@1072/2 +1@1084/2 +9@1092/2 +5@1108/2 +5@1120/2
      +6@1000/2 +17@1132/2 -9/3 +20@1012/3 -5/4 +15@1156/4 -13/5 +17@1036/5 -8/6 -14/7 -10/8 -6/9 +16@1176/9 +4@1036/9 -15/8 -11/9
      +11@1156/9 -16/10 +10@1044/10 +1@1172/10 -19/11 -12/12 +11@1132/12 -20/13 -18/13 +11@1044/13 -17/14 +6@1012/14 -22/14
      +16@1000/14 -23/15 -21/16 -7/17 +2@1000/17 -24/18 +11@1180/17 +8@1132/17 +11@1156/16 -26/17 +1@1044/17 +4@1092/17 -29/18
      -28/19 -25/20 -27/21
    `,
    list: '1180:16 1156:16 1008:12 1024:12 1060:12 1120:12 1072:12 1108:12 1132:12 1052:8 1100:8 1148:8 1084:8 1036:8 1172:8 1000:8 1092:8 1044:8 1144:4 1020:4 1196:4',
  },
  {
    options: '-p FIRST -l INSERT-FRONT -s 0',
    rules: { fit: 'first', order: 'front' },
    steps: `
      +6@1000/1 -0/1 +10@1000/1 -1/1 +16@1000/1 -2/1 +15@1000/1 -3/1 +3@1000/1 +13@1008/1 -5/1 +18@1008/1 +17@1032/1 -4/2 -6/3 -7/4
      +10@1032/4 -8/4 +18@1032/3 +12@1008/3 +20@1056/3 -10/3 +7@1008/3 -12/3 +12@1008/3 -11/4 -13/5 -9/6 +12@1032/6 +12@1008/5
      +4@1048/4 +13@1056/4 -15/5 +16@1080/5 -18/6 -17/7 -16/7 +15@1048/7 +17@1100/7 -20/8 -19/9 -14/9 +13@1032/9 +13@1100/9 -21/9
      -22/10 +16@1100/9 +17@1032/9 +3@1056/9 -23/10 -25/11 -24/11 +13@1032/11 -26/11 +8@1032/11 -27/11 +20@1032/11 +3@1056/10
      +17@1124/10 -28/11
    `,
    list: '1032:24 1100:20 1064:4 1120:4 1068:8 1080:20 1008:16 1076:4 1024:8 1000:8 1148:52',
  },
  {
    options: '-p BEST -l INSERT-BACK -s 1',
    rules: { fit: 'best', order: 'back' },
    steps: `
      +17@1000/1 -0/2 +9@1000/2 -1/3 +1@1016/2 -2/2 +9@1000/2 -3/3 +1@1016/2 -4/2 +5@1000/2 +1@1012/2 +9@1024/2 +5@1040/2 +5@1052/2
      +6@1064/2 +17@1076/2 -9/3 +20@1100/3 -5/4 +15@1124/4 -13/5 +17@1144/5 -8/6 -14/7 -10/8 -6/9 +16@1124/8 +4@1012/7 -15/8 -11/9
      +11@1124/9 -16/10 +10@1144/10 +1@1160/9 -19/10 -12/11 +11@1076/11 -20/12 -18/13 +11@1076/12 -17/13 +6@1052/12 -22/13
      +16@1100/13 -23/14 -21/15 -7/16 +2@1092/15 -24/16 +11@1144/15 +8@1000/14 +11@1124/13 -26/14 +1@1012/13 +4@1160/12 -29/13
      -28/14 -25/15 -27/16
    `,
    list: '1168:32 1020:4 1040:12 1064:12 1140:4 1120:4 1052:12 1100:20 1076:16 1024:16 1092:8 1000:12 1160:8 1012:8 1144:16 1124:16',
  },
] as const;

describe('malloc.py -n 60 -H 4 -a 4 -S 200 -r 20 … -C -c', () => {
  test.each(RECORDED)('$options', ({ rules, steps, list }) => {
    const { machine, pid } = heapOf({ ...rules, coalesce: true, header: 4, align: 4 }, 200);
    const given: number[] = [];
    const said = steps.trim().split(/\s+/);
    const played = said.map((step) => {
      const [, sign, number] = /^([+-])(\d+)/.exec(step)!;
      if (sign === '-') {
        granted(machine, pid, { call: 'free', addr: given[Number(number)] });
        return `-${number}/${listOf(machine, pid).length}`;
      }
      given.push(granted(machine, pid, { call: 'malloc', size: Number(number) }).addr as number);
      return `+${number}@${given.at(-1)}/${listOf(machine, pid).length}`;
    });
    expect(said).toHaveLength(60);
    expect(played).toEqual(said);
    expect(listOf(machine, pid).join(' ')).toBe(list);
  });
});

const FITS = ['first', 'best', 'worst', 'next'] as const;
const ORDERS = ['address', 'size+', 'size-', 'front', 'back'] as const;
const KINDS = FITS.flatMap((fit) => ORDERS.flatMap((order) => [true, false].map((coalesce) => ({ fit, order, coalesce }))));

describe('as a plain model has it: addresses, entries looked at, and the list after every call', () => {
  test.each(KINDS)('$fit fit, order $order, joining $coalesce', (kind) => {
    for (const seed of seeds(4)) {
      const pick = picker(seed);
      const rules = { ...kind, header: [0, 4, 8][pick(3)]!, align: [1, 4, 8][pick(3)]! };
      const size = 400 + pick(2000);
      const { machine, pid } = heapOf(rules, size);
      const model = new NaiveFreelist(rules, BASE, size);
      for (let n = 0; n < 250; n++) {
        const held = [...model.blocks.keys()];
        if (held.length > 0 && pick(100) < 45) {
          const addr = held[pick(held.length)]!;
          granted(machine, pid, { call: 'free', addr });
          model.release(addr);
        } else {
          const bytes = 1 + pick(pick(5) === 0 ? 300 : 40);
          const answer = call(machine, pid, { call: 'malloc', size: bytes });
          const ours = answer.ok ? answer : (answer.why as unknown as { searched: number });
          expect({ addr: answer.ok ? answer.addr : -1, searched: ours.searched }, `seed ${seed}, step ${n}`).toEqual(model.malloc(bytes));
        }
        expect(listOf(machine, pid), `seed ${seed}, step ${n}`).toEqual(model.free.map(({ addr, size: bytes }) => `${addr}:${bytes}`));
      }
      checkLibc(machine);
    }
  });
});

describe('what joining is for', () => {
  /** A heap full of small blocks, all freed again in a random order. */
  function emptied(rules: Partial<NaiveRules>, seed: number): string[] {
    const { machine, pid } = heapOf({ header: 8, align: 8, ...rules }, 2048);
    const blocks: number[] = [];
    for (
      let answer = call(machine, pid, { call: 'malloc', size: 24 });
      answer.ok;
      answer = call(machine, pid, { call: 'malloc', size: 24 })
    )
      blocks.push(answer.addr as number);
    expect(blocks).toHaveLength(64);
    const pick = picker(seed);
    while (blocks.length > 0) {
      granted(machine, pid, { call: 'free', addr: blocks.splice(pick(blocks.length), 1)[0] });
      if (rules.order === 'address' && rules.coalesce) expectApart(listOf(machine, pid));
    }
    return listOf(machine, pid);
  }

  /** No entry ends where another begins. */
  function expectApart(list: readonly string[]): void {
    const entries = list.map((entry) => entry.split(':').map(Number) as [number, number]);
    const starts = new Set(entries.map(([addr]) => addr));
    expect(entries.filter(([addr, size]) => starts.has(addr + size))).toEqual([]);
  }

  test.each(seeds(5))(
    'seed %i: sorted by address the heap is whole again, whatever the order of frees, and neighbours never stay apart',
    (seed) => {
      expect(emptied({ order: 'address', coalesce: true }, seed)).toEqual([`${BASE}:2048`]);
      expect(emptied({ order: 'address', coalesce: false }, seed)).toHaveLength(64);
    },
  );

  test('in another order most of it stays in pieces: only neighbours in the list are joined', () => {
    for (const order of ['size+', 'size-', 'front', 'back'] as const) {
      const list = emptied({ order, coalesce: true }, 1);
      expect(list.length, order).toBeGreaterThan(20);
      expect(list.reduce((sum, entry) => sum + Number(entry.split(':')[1]), 0)).toBe(2048);
    }
  });
});
