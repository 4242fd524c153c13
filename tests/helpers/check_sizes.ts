/**
 * What /proc says about address spaces against our own walk of all page tables (fidelity spec §15): the identities of
 * smaps for each area, VSS ≥ RSS ≥ PSS ≥ USS for each process, and the books of SysV shared memory.
 */
import type { Machine } from '#kernel/machine.ts';
import { runningTids } from '#kernel/kernel/thread.ts';
import { areaSizes, fourSizes, statm, status } from '#kernel/fs/proc/task_mmu.ts';
import { VM } from '#kernel/mm/vma.ts';
import type { Task, Vma } from '#kernel/types.ts';
import { Broken } from './check_base.ts';
import { parseStatus } from './procText.ts';

const PAGE = 4096;
/** The kernel sums shares of pages in units of 2^-12 bytes. */
const PSS_UNIT = 4096;

function must(condition: boolean, what: () => string): void {
  if (!condition) throw new Broken(what());
}

/** Rss = Σ Shared + Σ Private; PSS lies between the private part and all of it; parts are parts. */
function checkArea(machine: Machine, task: Task, vma: Vma): void {
  const at = () => `pid ${task.pid}, area ${vma.start.toString(16)}`;
  const sizes = areaSizes(machine, task.mm, vma);
  const parts = sizes.sharedClean + sizes.sharedDirty + sizes.privateClean + sizes.privateDirty;
  must(sizes.rss === parts, () => `${at()}: Rss is ${sizes.rss}, its parts ${parts}`);
  const pages = (vma.end - vma.start) / PAGE;
  must(sizes.rss <= pages, () => `${at()}: ${sizes.rss} resident of ${pages} pages`);
  const uss = sizes.privateClean + sizes.privateDirty;
  const whole = sizes.rss * PAGE * PSS_UNIT;
  must(sizes.pss <= whole && sizes.pss >= uss * PAGE * PSS_UNIT, () => `${at()}: Pss ${sizes.pss} of ${sizes.rss} pages, ${uss} private`);
  // Each shared page has at most half.
  const most = (uss + (sizes.sharedClean + sizes.sharedDirty) / 2) * PAGE * PSS_UNIT;
  must(sizes.pss <= most, () => `${at()}: Pss ${sizes.pss} counts a shared page more than half`);
  must(
    sizes.pssDirty <= sizes.pss && sizes.referenced <= sizes.rss && sizes.anonymous <= sizes.rss,
    () => `${at()}: a part above the whole`,
  );
  must(sizes.lazyFree <= sizes.anonymous, () => `${at()}: LazyFree of what is not anonymous`);
}

function checkTaskSizes(machine: Machine, task: Task): void {
  for (const vma of task.mm.vmas) checkArea(machine, task, vma);
  const { vss, rss, pssBytes, uss } = fourSizes(machine, task);
  const pss = pssBytes / PAGE;
  must(vss >= rss && rss >= pss && pss >= uss, () => `pid ${task.pid}: VSS ${vss}, RSS ${rss}, PSS ${pss}, USS ${uss}`);
  checkShown(machine, task);
  const { rssAnon, rssFile, rssShmem } = task.mm;
  must(
    rss === rssAnon + rssFile + rssShmem,
    () => `pid ${task.pid}: smaps has ${rss} resident pages, status ${rssAnon + rssFile + rssShmem}`,
  );
}

/** status, statm and maps tell of one address space: data, stack and what may be executed are parts of it, and disjoint. */
function checkShown(machine: Machine, task: Task): void {
  const shown = parseStatus(status(machine, task, task.threads?.leaderExited ? runningTids(machine, task)[0]! : task.pid));
  const kb = (label: string): number => Number(shown[label]);
  const [size, resident, shared, , , data] = statm(task).split(' ').map(Number);
  const at = () => `pid ${task.pid}: ${JSON.stringify(shown)}, statm ${statm(task)}`;
  const mapped = task.mm.vmas.reduce((sum, vma) => sum + (vma.end - vma.start) / 1024, 0);
  must(kb('VmSize') === mapped && size! * 4 === mapped, () => `${at()}: maps has ${mapped} kB`);
  must(kb('VmRSS') === kb('RssAnon') + kb('RssFile') + kb('RssShmem') && resident! * 4 === kb('VmRSS'), () => `${at()}: VmRSS`);
  must(shared! * 4 === kb('RssFile') + kb('RssShmem'), () => `${at()}: shared`);
  must(data! * 4 === kb('VmData') + kb('VmStk'), () => `${at()}: data`);
  const runnable = task.mm.vmas.filter(({ flags }) => (flags & (VM.exec | VM.write | VM.growsdown)) === VM.exec);
  const executable = runnable.reduce((sum, vma) => sum + (vma.end - vma.start) / 1024, 0);
  must(kb('VmExe') + kb('VmLib') === executable && kb('VmExe') >= 0 && kb('VmLib') >= 0, () => `${at()}: ${executable} kB to execute`);
  must(kb('VmData') + kb('VmStk') + executable <= mapped, () => `${at()}: parts above the whole`);
  must(kb('VmPeak') >= kb('VmSize') && kb('VmHWM') >= kb('VmRSS'), () => `${at()}: peaks`);
}

/** Σ PSS of all processes is what they map, each page once, less what rounding down loses: under a unit for each entry. */
function checkSum(machine: Machine): void {
  let pss = 0;
  let entries = 0;
  for (const task of machine.tasks.values()) {
    for (const vma of task.mm.vmas) {
      const sizes = areaSizes(machine, task.mm, vma);
      pss += sizes.pss;
      entries += sizes.rss;
    }
  }
  let mapped = 0;
  const { mapcount, count } = machine.frames;
  for (let pfn = 0; pfn < count; pfn++) if (mapcount[pfn]! > 0) mapped += 1;
  const whole = mapped * PAGE * PSS_UNIT;
  must(pss <= whole && pss > whole - entries - 1, () => `Σ PSS is ${pss / PSS_UNIT} bytes, ${mapped} pages are mapped`);
}

function checkSegments(machine: Machine): void {
  const { ipc, shm } = machine;
  let pages = 0;
  for (const [shmid, segment] of ipc.segments) {
    const object = shm.get(segment.object);
    must(segment.shmid === shmid && shmid < ipc.nextShmid, () => `segment ${shmid} has number ${segment.shmid}`);
    must(object !== undefined && object.segment === shmid, () => `segment ${shmid}: its object is not its own`);
    must(object!.size === Math.ceil(segment.bytes / PAGE), () => `segment ${shmid}: ${object!.size} pages for ${segment.bytes} bytes`);
    must(!segment.isMarked || object!.users > 0, () => `segment ${shmid} is marked, attached by nobody, and still there`);
    pages += object!.size;
  }
  must(ipc.pages === pages, () => `${ipc.pages} pages of segments, counted ${pages}`);
  for (const object of shm.values())
    must(
      object.segment < 0 || ipc.segments.has(object.segment),
      () => `object ${object.id} belongs to segment ${object.segment}, which is gone`,
    );
}

export function checkSizes(machine: Machine): void {
  for (const task of machine.tasks.values()) checkTaskSizes(machine, task);
  checkSum(machine);
  checkSegments(machine);
}
