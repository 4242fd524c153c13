/** Wrong room codes: a budget for each address, and one for all together, so that codes cannot be guessed. */
import { Budget } from '../rooms/budget.ts';

/** A class behind one address may mistype for a while; 32^6 codes at one a second take 34 years. */
const PER_SECOND = 1;
const BURST = 60;
const ALL_PER_SECOND = 20;
const ALL_BURST = 600;
const ADDRESSES_MAX = 10_000;

export class Tries {
  private readonly all = new Budget(ALL_PER_SECOND, ALL_BURST);
  private readonly byAddress = new Map<string, Budget>();

  /** Whether the address may try a code now. */
  mayTry(address: string): boolean {
    return this.all.has() && (this.byAddress.get(address)?.has() ?? true);
  }

  wrong(address: string): void {
    let budget = this.byAddress.get(address);
    if (budget === undefined) {
      if (this.byAddress.size >= ADDRESSES_MAX) this.forget();
      budget = new Budget(PER_SECOND, BURST);
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
