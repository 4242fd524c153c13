/** Random calls on the OOM killer: both scales of adjustment, its knobs but the one that stops the machine, a kill by hand. */
import type { Machine } from '#kernel/machine.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';

const KNOBS = ['vm.oom_kill_allocating_task', 'vm.oom_dump_tasks', 'vm.overcommit_memory', 'vm.overcommit_ratio'];
const FILES = ['oom_score', 'oom_adj', 'oom_score_adj', 'status', 'statm'];

const somebody = (machine: Machine, pick: Pick): number => one([...machine.tasks.keys(), 1], pick);

const OOM_MAKERS: Makers = [
  [
    3,
    (machine, pid, pick) => ({
      pid: pick(2) * pid,
      call: 'oom_score_adj',
      target: somebody(machine, pick),
      value: one([-1000, -500, -1, 0, 0, 1, 300, 1000], pick),
    }),
  ],
  [
    3,
    (machine, pid, pick) => ({
      pid: pick(2) * pid,
      call: 'oom_adj',
      target: somebody(machine, pick),
      value: one([-17, -16, -3, 0, 0, 4, 15], pick),
    }),
  ],
  [2, (_m, pid, pick) => ({ pid: pick(2) * pid, call: 'sysctl', name: one(KNOBS, pick), value: one([0, 0, 1, 2, 60], pick) })],
  [
    1,
    (machine, pid, pick) => ({
      pid: pick(2) * pid,
      call: 'sysctl',
      name: one(['lowmemorykiller.minfree', 'lowmemorykiller.adj'], pick),
      value: one<unknown>([[0], [10, 40], 12, [0, 6], [Math.ceil(machine.frames.count / 8)]], pick),
    }),
  ],
  [1, (_m, pid, pick) => ({ pid: pick(2) * pid, call: 'sysrq', key: one(['m', 'm', 'f'], pick) })],
  [1, (machine, pid, pick) => ({ pid, call: 'cat', path: `/proc/${somebody(machine, pick)}/${one(FILES, pick)}` })],
];

/** One of them. */
export const someOom = someOf(OOM_MAKERS);
