/** What must be true of threads and of what the detector of races remembers. */
import { EVENT, EVENTS_MAX } from '#kernel/libc/races.ts';
import { CLASSES_MAX } from '#kernel/libc/shared_ptr.ts';
import type { Machine } from '#kernel/machine.ts';
import { equal, must } from './check_base.ts';

export function checkThreads(machine: Machine): void {
  let listed = 0;
  for (const task of machine.tasks.values()) {
    must(Number.isInteger(task.eax) && task.eax >= 0 && task.eax <= 0xffffffff, () => `pid ${task.pid}: eax is ${task.eax}`);
    must(task.classes.length <= CLASSES_MAX, () => `pid ${task.pid} has ${task.classes.length} classes`);
    const group = task.threads;
    if (group === null) continue;
    must(group.tids.length > 0 || group.leaderExited, () => `pid ${task.pid}: a group of no threads`);
    let live = 0;
    for (const tid of group.tids) {
      const thread = machine.threads.get(tid);
      must(thread !== undefined && thread.tgid === task.pid && thread.tid === tid, () => `pid ${task.pid}: thread ${tid} is not its own`);
      must(thread!.eax >= 0 && thread!.eax <= 0xffffffff, () => `thread ${tid}: eax is ${thread!.eax}`);
      if (!thread!.ended) live += 1;
    }
    listed += group.tids.length;
    equal(group.live, live, () => `pid ${task.pid}: threads that run`);
    must(live > 0 || !group.leaderExited, () => `pid ${task.pid} lives, and none of its threads does`);
  }
  equal(machine.threads.size, listed, () => 'threads');
  for (const tid of machine.threads.keys()) must(tid < machine.nextPid && !machine.tasks.has(tid), () => `thread ${tid}: its number`);
  checkRaces(machine);
}

function checkRaces({ races, config, nextPid }: Machine): void {
  must((races === null) === (config.races === null), () => 'a detector that nobody wanted, or none');
  if (races === null) return;
  must(races.told === null, () => 'a race that nobody was told of');
  must(races.events.length <= EVENTS_MAX, () => `${races.events.length} events are remembered`);
  let before = -1;
  for (const event of races.events) {
    must(event.step > before && event.step < races.steps, () => `event ${event.step} comes after event ${before}`);
    must(event.tid >= 1 && event.tid < Math.max(2, nextPid), () => `event ${event.step} is of thread ${event.tid}`);
    must(event.kind > EVENT.atomic || event.from < event.to, () => `event ${event.step} touches nothing`);
    before = event.step;
  }
}
