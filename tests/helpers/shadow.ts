/**
 * What memory should hold, kept beside the machine as plainly as can be: each process has pages by number, a page is a
 * list of bytes, fork copies private pages and shares shared ones. No frame, no table, no fault: only what a program can
 * see. `peek` on the machine must agree.
 */
import type { Answer, Call, Machine, Refused } from '#kernel/machine.ts';
import { PAGE } from './check_base.ts';
import { Broken } from './check.ts';

type Page = Uint8Array;

/** A page of which nobody can say what it holds. */
const UNKNOWN: Page = new Uint8Array(PAGE);

interface Area {
  /** First page number and one past the last. */
  from: number;
  to: number;
  /** Pages of a shared object by their place in it, or null for private memory. */
  object: Map<number, Page> | null;
  /** Place in the object of the area's first page. */
  offset: number;
}

interface Space {
  areas: Area[];
  /** Private pages by number. */
  pages: Map<number, Page>;
  brk: number;
}

/** More than any allocator puts in front of a block. */
const LIBC_HEADER = 64;
const HEAP = 0x0804d000;

export class Shadow {
  private readonly spaces = new Map<number, Space>();
  /** Pages of segments of shared memory by shmid; numbers are never given twice. */
  private readonly segments = new Map<number, Map<number, Page>>();

  /** Takes note of what a call did; throws `Broken` when it saw something else than it should. */
  note(machine: Machine, pid: number, request: Call, answer: Answer): void {
    if (!answer.ok && answer.signal !== undefined) this.died(this.spaceOf(pid), request, answer);
    for (const dead of this.spaces.keys()) if (!machine.tasks.has(dead)) this.spaces.delete(dead);
    const space = this.spaceOf(pid);
    // The library moves the break by itself.
    const brk = machine.tasks.get(pid)?.mm.brk ?? space.brk;
    if (brk !== space.brk && !['brk', 'sbrk', 'execve'].includes(request.call)) this.moveBrk(space, brk);
    const number = (name: string) => request[name] as number;
    if (!answer.ok) {
      if (request.advice === 'MADV_DONTNEED' && answer.why.code !== 'BAD_ARGUMENT') this.halfDone(space, request, answer);
      if (answer.errno === 'ENOMEM' && (request.call === 'write' || request.call === 'poke') && machine.tasks.has(pid))
        this.believe(machine, pid, space, request);
      return;
    }
    switch (request.call) {
      case 'mmap':
        return this.map(space, answer.addr as number, number('length'), String(request.flags).includes('MAP_SHARED'));
      case 'munmap':
        return unmap(space, number('addr') / PAGE, Math.ceil((number('addr') + number('length')) / PAGE));
      // What the library writes into the heap: the machine's word is taken for it.
      case 'calloc':
      case 'realloc': {
        if (typeof answer.addr !== 'number') return;
        const length = (number('nmemb') || 1) * number('size') + LIBC_HEADER;
        return this.believe(machine, pid, space, { call: 'write', addr: answer.addr, length });
      }
      case 'shmat':
        return this.attach(machine, space, number('shmid'), answer.addr as number);
      case 'shmdt':
        return detach(space, number('addr') / PAGE, new Set(this.segments.values()));
      case 'execve':
        this.spaces.set(pid, { areas: [], pages: new Map(), brk: answer.brk as number });
        return;
      case 'mremap':
        return this.remap(space, number('addr'), number('old_length'), answer.addr as number, number('new_length'));
      case 'madvise':
        if (request.advice === 'MADV_DONTNEED') forget(space, number('addr') / PAGE, Math.ceil((number('addr') + number('length')) / PAGE));
        return;
      case 'brk':
        return this.moveBrk(space, answer.addr as number);
      case 'sbrk':
        return this.moveBrk(space, (answer.addr as number) + number('increment'));
      case 'write':
        if (request.value !== undefined) this.fill(space, number('addr'), number('length'), () => number('value'));
        return;
      case 'poke': {
        const bytes = request.bytes as number[];
        return this.fill(space, number('addr'), bytes.length, (n) => bytes[n]!);
      }
      case 'peek':
        return this.compare(space, pid, number('addr'), answer.bytes!);
      case 'fork':
        this.spaces.set(answer.pid!, {
          areas: space.areas.map((area) => ({ ...area })),
          pages: new Map([...space.pages].map(([page, bytes]) => [page, bytes.slice()])),
          brk: space.brk,
        });
    }
  }

  /** An address where the process holds something worth looking at; null when it holds nothing. */
  someByte(pid: number, pick: (n: number) => number): number | null {
    const space = this.spaces.get(pid);
    if (space === undefined || space.areas.length === 0) return null;
    const area = space.areas[pick(space.areas.length)]!;
    const held =
      area.object === null
        ? [...space.pages.keys()].filter((page) => page >= area.from && page < area.to)
        : [...area.object.keys()].map((at) => at - area.offset + area.from).filter((page) => page >= area.from && page < area.to);
    const page = held.length > 0 ? held[pick(held.length)]! : area.from + pick(area.to - area.from);
    return page * PAGE + [0, 1, pick(PAGE), PAGE - 2][pick(4)]!;
  }

  /** Advice that met a hole was taken by all areas, one that met a locked area by those before it. */
  private halfDone(space: Space, request: Call, answer: Refused): void {
    const addr = request.addr as number;
    const end = answer.why.code === 'AREA_LOCKED' ? Math.max(addr, answer.why.addr) : addr + (request.length as number);
    forget(space, addr / PAGE, Math.ceil(end / PAGE));
  }

  /** What a process wrote into shared memory before it died stays there: up to a bad address, or up to nobody knows where. */
  private died(space: Space, request: Call, answer: Refused): void {
    const addr = request.addr as number;
    const bytes = request.call === 'poke' ? (request.bytes as number[]) : null;
    const length = bytes?.length ?? (request.value === undefined ? 0 : (request.length as number));
    const reached = 'addr' in answer.why ? answer.why.addr : addr;
    if (reached > addr) this.fill(space, addr, Math.min(length, reached - addr), (n) => bytes?.[n] ?? (request.value as number));
    if (answer.signal !== 'SIGKILL') return;
    for (let page = Math.floor(addr / PAGE); page * PAGE < addr + length; page++) {
      const area = space.areas.find((each) => page >= each.from && page < each.to);
      area?.object?.set(page - area.from + area.offset, UNKNOWN);
    }
  }

  private spaceOf(pid: number): Space {
    let space = this.spaces.get(pid);
    if (space === undefined) this.spaces.set(pid, (space = { areas: [], pages: new Map(), brk: HEAP }));
    return space;
  }

  private map(space: Space, addr: number, length: number, isShared: boolean): void {
    const from = addr / PAGE;
    const to = from + Math.ceil(length / PAGE);
    unmap(space, from, to);
    space.areas.push({ from, to, object: isShared ? new Map() : null, offset: 0 });
  }

  /** The pages of [from, from + old) stand at `to` now, and there are as many as `size` bytes have. */
  private remap(space: Space, from: number, old: number, to: number, size: number): void {
    const [first, pages] = [from / PAGE, Math.ceil(old / PAGE)];
    const [target, room] = [to / PAGE, Math.ceil(size / PAGE)];
    const area = space.areas.find((each) => first >= each.from && first < each.to);
    if (room <= pages) return unmap(space, first + room, first + pages);
    const held = [...space.pages].filter(([page]) => page >= first && page < first + pages);
    const grown: Area = {
      from: target,
      to: target + room,
      object: area?.object ?? null,
      offset: (area?.offset ?? 0) + first - (area?.from ?? first),
    };
    unmap(space, first, first + pages);
    unmap(space, target, target + room);
    space.areas.push(grown);
    for (const [page, bytes] of held) space.pages.set(page - first + target, bytes);
  }

  private attach(machine: Machine, space: Space, shmid: number, addr: number): void {
    let object = this.segments.get(shmid);
    if (object === undefined) this.segments.set(shmid, (object = new Map()));
    const from = addr / PAGE;
    space.areas.push({ from, to: from + Math.ceil(machine.ipc.segments.get(shmid)!.bytes / PAGE), object, offset: 0 });
  }

  private moveBrk(space: Space, brk: number): void {
    const [before, after] = [Math.ceil(space.brk / PAGE), Math.ceil(brk / PAGE)];
    if (after > before) space.areas.push({ from: before, to: after, object: null, offset: 0 });
    else unmap(space, after, before);
    space.brk = brk;
  }

  private pageAt(space: Space, page: number, isWrite: boolean): Page | null {
    // A stack's area may have grown on the machine; its pages are private and are kept by number alone.
    const area = space.areas.find((each) => page >= each.from && page < each.to);
    const pages = area?.object ?? space.pages;
    const at = area?.object ? page - area.from + area.offset : page;
    let bytes = pages.get(at) ?? null;
    if (bytes === null && isWrite) pages.set(at, (bytes = new Uint8Array(PAGE)));
    return bytes;
  }

  private fill(space: Space, addr: number, length: number, value: (n: number) => number): void {
    for (let n = 0; n < length; n++) this.pageAt(space, Math.floor((addr + n) / PAGE), true)![(addr + n) % PAGE] = value(n);
  }

  private compare(space: Space, pid: number, addr: number, seen: readonly number[]): void {
    for (const [n, byte] of seen.entries()) {
      const page = this.pageAt(space, Math.floor((addr + n) / PAGE), false);
      const held = page?.[(addr + n) % PAGE] ?? 0;
      if (page !== UNKNOWN && byte !== held)
        throw new Broken(`pid ${pid} reads ${byte} at ${(addr + n).toString(16)}, where ${held} was written`);
    }
  }

  /** A write that ran out of memory half-way: what it wrote before that is taken from the machine itself. */
  private believe(machine: Machine, pid: number, space: Space, request: Call): void {
    const addr = request.addr as number;
    const length = request.call === 'poke' ? (request.bytes as number[]).length : (request.length as number);
    const { mm } = machine.tasks.get(pid)!;
    const { words } = machine.tables;
    for (let at = addr; at < addr + length; at++) {
      const pde = words[machine.frames.index[mm.pgd]! * 1024 + (at >>> 22)]!;
      const pte = pde === 0 ? 0 : words[machine.frames.index[pde >>> 12]! * 1024 + ((at >>> 12) & 1023)]!;
      const byte = pte === 0 || (pte & 0x200) !== 0 ? 0 : (machine.contents.get(pte >>> 12)?.[at % PAGE] ?? 0);
      this.fill(space, at, 1, () => byte);
    }
  }
}

/** The areas that shmat put at a page go, with what is left of them. */
function detach(space: Space, page: number, segments: ReadonlySet<Map<number, Page>>): void {
  const first = space.areas
    .filter((area) => area.object !== null && segments.has(area.object) && area.from - page === area.offset)
    .sort((a, b) => a.from - b.from)[0];
  if (first === undefined) return;
  const isPart = (area: Area) => area.object === first.object && area.from - page === area.offset;
  for (const area of space.areas.filter(isPart)) unmap(space, area.from, area.to);
}

/** Private pages read 0 again; shared ones are the object's. */
function forget(space: Space, from: number, to: number): void {
  for (const page of space.pages.keys()) if (page >= from && page < to) space.pages.delete(page);
}

function unmap(space: Space, from: number, to: number): void {
  space.areas = space.areas.flatMap((area) => {
    if (area.to <= from || area.from >= to) return [area];
    const left: Area = { ...area, to: from };
    const right: Area = { ...area, from: to, offset: area.offset + to - area.from };
    return [left, right].filter((part) => part.from < part.to);
  });
  for (const page of space.pages.keys()) if (page >= from && page < to) space.pages.delete(page);
}
