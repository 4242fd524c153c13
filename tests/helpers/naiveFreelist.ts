/** A free list as one would first write it, slow and plain: what the kernel's is compared with. Nothing of it is shared with the kernel. */

export interface Entry {
  addr: number;
  size: number;
}

export interface NaiveRules {
  fit: 'first' | 'best' | 'worst' | 'next';
  order: 'address' | 'size+' | 'size-' | 'front' | 'back';
  coalesce: boolean;
  header: number;
  align: number;
}

export class NaiveFreelist {
  readonly rules: NaiveRules;
  free: Entry[];
  readonly blocks = new Map<number, number>();
  private lastEnd = 0;

  constructor(rules: NaiveRules, base: number, size: number) {
    this.rules = rules;
    this.free = [{ addr: base, size }];
  }

  /** The start of a block, −1 where none fits, and how many entries were looked at. */
  malloc(bytes: number): { addr: number; searched: number } {
    const { fit, header, align } = this.rules;
    const need = Math.ceil(bytes / align) * align + header;
    const fitting = this.free.filter(({ size }) => size >= need);
    let chosen = fitting[0];
    let searched = chosen === undefined ? this.free.length : this.free.indexOf(chosen) + 1;
    if (fit === 'best' || fit === 'worst') {
      const wanted = fit === 'best' ? Math.min(...fitting.map(({ size }) => size)) : Math.max(...fitting.map(({ size }) => size));
      chosen = fitting.find(({ size }) => size === wanted);
      searched = this.free.length;
    }
    if (fit === 'next') {
      const from = Math.max(
        0,
        this.free.findIndex(({ addr, size }) => addr <= this.lastEnd && this.lastEnd < addr + size),
      );
      const turned = [...this.free.slice(from), ...this.free.slice(0, from)];
      chosen = turned.find(({ size }) => size >= need);
      searched = chosen === undefined ? turned.length : turned.indexOf(chosen) + 1;
    }
    if (chosen === undefined) return { addr: -1, searched };
    const { addr } = chosen;
    const place = this.free.indexOf(chosen);
    if (chosen.size === need) {
      this.free.splice(place, 1);
      this.lastEnd = this.free[place]?.addr ?? 0;
    } else {
      this.free[place] = { addr: addr + need, size: chosen.size - need };
      this.lastEnd = addr + need;
    }
    this.blocks.set(addr, need);
    return { addr, searched };
  }

  release(addr: number): void {
    const { order, coalesce } = this.rules;
    const entry = { addr, size: this.blocks.get(addr)! };
    this.blocks.delete(addr);
    if (order === 'front') this.free.unshift(entry);
    else this.free.push(entry);
    if (order === 'address') this.free.sort((a, b) => a.addr - b.addr);
    if (order === 'size+') this.free.sort((a, b) => a.size - b.size);
    if (order === 'size-') this.free.sort((a, b) => b.size - a.size);
    while (coalesce && this.joinOnePair()) continue;
  }

  /** Joins the first two entries that follow each other in the list and in memory. */
  private joinOnePair(): boolean {
    const place = this.free.findIndex(({ addr, size }, n) => this.free[n + 1]?.addr === addr + size);
    if (place < 0) return false;
    const [left, right] = this.free.slice(place, place + 2) as [Entry, Entry];
    this.free.splice(place, 2, { addr: left.addr, size: left.size + right.size });
    return true;
  }
}
