/**
 * The buddy allocator once more, as slow and plain as can be: arrays instead of linked lists, read off the fidelity
 * spec, section 5, sentence by sentence. Tests compare every list of the kernel with these.
 */
export class NaiveBuddy {
  /** Free blocks by order, head of the list first. */
  readonly lists: number[][];
  private readonly start: number;
  private readonly end: number;
  private readonly maxOrder: number;

  /** Frames from `start` to `end` (exclusive), freed ascending in maximal aligned blocks, each to the tail. */
  constructor(start: number, end: number, maxOrder: number) {
    this.start = start;
    this.end = end;
    this.maxOrder = maxOrder;
    this.lists = Array.from({ length: maxOrder + 1 }, () => []);
    for (let pfn = start; pfn < end;) {
      let order = maxOrder;
      while (pfn % 2 ** order !== 0 || pfn + 2 ** order > end) order -= 1;
      this.lists[order]!.push(pfn);
      pfn += 2 ** order;
    }
  }

  get free(): number {
    return this.lists.reduce((sum, list, order) => sum + list.length * 2 ** order, 0);
  }

  /** The lowest piece of the first block of the smallest order that will do; null when there is none. */
  alloc(order: number): number | null {
    for (let high = order; high <= this.maxOrder; high++) {
      const pfn = this.lists[high]!.shift();
      if (pfn === undefined) continue;
      while (high > order) {
        high -= 1;
        this.lists[high]!.unshift(pfn + 2 ** high);
      }
      return pfn;
    }
    return null;
  }

  freeBlock(pfn: number, order: number): void {
    while (order < this.maxOrder) {
      const buddy = this.buddyOf(pfn, order);
      if (!this.isFree(buddy, order)) break;
      this.lists[order]!.splice(this.lists[order]!.indexOf(buddy), 1);
      pfn = Math.min(pfn, buddy);
      order += 1;
    }
    const parent = pfn - (pfn % 2 ** (order + 1));
    const mergesSoon = order < this.maxOrder - 1 && this.isFree(this.buddyOf(parent, order + 1), order + 1);
    if (mergesSoon) this.lists[order]!.push(pfn);
    else this.lists[order]!.unshift(pfn);
  }

  private buddyOf(pfn: number, order: number): number {
    return Math.floor(pfn / 2 ** order) % 2 === 0 ? pfn + 2 ** order : pfn - 2 ** order;
  }

  private isFree(pfn: number, order: number): boolean {
    return pfn >= this.start && pfn < this.end && this.lists[order]!.includes(pfn);
  }
}
