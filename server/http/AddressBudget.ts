/** A budget for each address, and one for all together: for guesses of room codes, and for rooms made. */
import { Budget } from '../rooms/budget.ts';

const ADDRESSES_MAX = 10_000;

export interface Allowance {
  perSecond: number;
  burst: number;
}

export class AddressBudget {
  private readonly one: Allowance;
  private readonly all: Budget;
  private readonly byAddress = new Map<string, Budget>();

  constructor(one: Allowance, all: Allowance) {
    this.one = one;
    this.all = new Budget(all.perSecond, all.burst);
  }

  has(address: string): boolean {
    return this.all.has() && (this.byAddress.get(address)?.has() ?? true);
  }

  take(address: string): void {
    let budget = this.byAddress.get(address);
    if (budget === undefined) {
      if (this.byAddress.size >= ADDRESSES_MAX) this.forget();
      budget = new Budget(this.one.perSecond, this.one.burst);
      this.byAddress.set(address, budget);
    }
    budget.take();
    this.all.take();
  }

  /** Addresses whose budget is full again are as if never seen; if none is, all are forgotten: the common budget still holds. */
  private forget(): void {
    for (const [address, budget] of this.byAddress) if (budget.isFull()) this.byAddress.delete(address);
    if (this.byAddress.size >= ADDRESSES_MAX) this.byAddress.clear();
  }
}
