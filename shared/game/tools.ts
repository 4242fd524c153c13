/**
 * The tray: what each tool asks of the kernel for a card, and what came of it. A tool is called once per object of the
 * card, as a program would; whether the result serves is decided in fit.ts by what the kernel gave.
 */
import type { Answer, Why } from '#kernel/types.ts';
import { PAGE_SIZE } from '#kernel/types.ts';
import { frameAt } from '#kernel/arch/mmu.ts';
import { pagesEach } from './fit.ts';
import { hold, NOTHING, refuse, serve, type Taken } from './holdings.ts';
import { kernelCall, kernelPagesMax, PRIVATE, RW } from './process.ts';
import { isAlive, type Card, type Round, type SeatState } from './state.ts';
import type { ToolId } from './types.ts';

interface Tool {
  takesOrder: boolean;
  /** Asks the kernel; the answer is what it got, or why not. */
  ask(round: Round, seat: SeatState, card: Card | null, order: number): Taken | Why;
}

/** Without a card a tool asks for one frame. */
const ONE = { count: 1, each: PAGE_SIZE, bytes: PAGE_SIZE };
/** A child maps at most so many pages of its parent's for the game to list. */
const LISTED_PAGES_MAX = 65536;

/** [address, pages] of each mapping, neighbours joined, in order of address. */
function joined(addrs: number[], pages: number): number[] {
  const ranges: number[] = [];
  for (const addr of addrs.sort((a, b) => a - b)) {
    const last = ranges.length - 2;
    if (last >= 0 && ranges[last]! + ranges[last + 1]! * PAGE_SIZE === addr) ranges[last + 1]! += pages;
    else ranges.push(addr, pages);
  }
  return ranges;
}

const whyOf = (answer: Answer): Why => (answer.ok ? { code: 'BAD_ARGUMENT', argument: '', rule: '' } : answer.why);

function askMmap(round: Round, seat: SeatState, card: Card | null): Taken | Why {
  const { count, each } = card ?? ONE;
  const pages = pagesEach(each);
  const addrs: number[] = [];
  for (let i = 0; i < count; i++) {
    const answer = kernelCall(round, seat, seat.pid, { call: 'mmap', length: each, prot: RW, flags: PRIVATE });
    if (answer.ok) {
      addrs.push(answer.addr as number);
      continue;
    }
    for (const addr of addrs) kernelCall(round, seat, seat.pid, { call: 'munmap', addr, length: each });
    return answer.why;
  }
  return { ...NOTHING, kind: 'area', pages: pages * count, ranges: joined(addrs, pages) };
}

// Simplified: a program may leave the break inside a page; here each card's part of the heap begins on a page of its own.
/** The heap grows by whole pages for each card; its objects lie side by side. */
function askBrk(round: Round, seat: SeatState, card: Card | null): Taken | Why {
  const pages = pagesEach((card ?? ONE).bytes);
  const answer = kernelCall(round, seat, seat.pid, { call: 'sbrk', increment: pages * PAGE_SIZE });
  if (!answer.ok) return answer.why;
  return { ...NOTHING, kind: 'heap', pages, ranges: [answer.addr as number, pages] };
}

// Simplified: RLIMIT_KERNEL_PAGES is no limit of Linux; it stands for the kernel memory limit of a memory cgroup.
function askPages(round: Round, seat: SeatState, _card: Card | null, order: number): Taken | Why {
  const pages = (1 << order) >>> 0;
  const held = round.machine.tasks.get(seat.pid)!.kernelPages;
  const limit = kernelPagesMax(round, seat);
  if (order <= round.machine.config.maxOrder && held + pages > limit) {
    return { code: 'RLIMIT', resource: 'RLIMIT_KERNEL_PAGES', limit, wanted: held + pages };
  }
  const answer = kernelCall(round, seat, seat.pid, { call: 'alloc_pages', order, gfp: 'GFP_KERNEL' }, 'contiguous', pages);
  countAsk(round, seat, order, answer);
  if (!answer.ok) return answer.why;
  return { ...NOTHING, kind: 'block', pages, pfn: answer.pfn!, order };
}

function countAsk(round: Round, seat: SeatState, order: number, answer: Answer): void {
  if (order === 0) return;
  seat.asks += 1;
  round.game.tally.asks += 1;
  if (answer.ok || answer.errno !== 'ENOMEM') return;
  seat.failures += 1;
  round.game.tally.failures += 1;
}

function askFork(round: Round, seat: SeatState): Taken | Why {
  const ranges = residentRanges(round, seat);
  const answer = kernelCall(round, seat, seat.pid, { call: 'fork' });
  if (!answer.ok) return whyOf(answer);
  const pid = answer.pid!;
  round.game.seatOf.set(pid, seat.seat);
  let pages = 0;
  for (let i = 1; i < ranges.length; i += 2) pages += ranges[i]!;
  return { ...NOTHING, kind: 'child', pages, ranges, pid };
}

/** Where the process has frames now: what a child inherits. */
function residentRanges(round: Round, seat: SeatState): number[] {
  const { machine } = round;
  const { mm } = machine.tasks.get(seat.pid)!;
  const addrs: number[] = [];
  let listed = 0;
  for (const vma of mm.vmas) {
    for (let addr = vma.start; addr < vma.end && listed < LISTED_PAGES_MAX; addr += PAGE_SIZE, listed++) {
      if (frameAt(machine, mm, addr) >= 0) addrs.push(addr);
    }
  }
  return joined(addrs, 1);
}

export const TOOLS: Readonly<Record<ToolId, Tool>> = {
  mmap: { takesOrder: false, ask: askMmap },
  brk: { takesOrder: false, ask: askBrk },
  alloc_pages: { takesOrder: true, ask: askPages },
  fork: { takesOrder: false, ask: askFork },
};

const isRefused = (taken: Taken | Why): taken is Why => 'code' in taken;

/** A call of the tray for a card (or for none): granted it serves, or it lies about unused. */
export function use(round: Round, seat: SeatState, tool: ToolId, card: Card | null, order: number): void {
  const taken = TOOLS[tool].ask(round, seat, card, order);
  if (isRefused(taken)) return refuse(round, seat, card, taken);
  // The OOM killer may have taken the asker together with what it had just got.
  if (!isAlive(seat)) return;
  const holding = hold(round, seat, tool, taken);
  if (card !== null) serve(round, seat, card, holding, 0);
}
