import { type PlausibleUsage } from './plausible-usage.js';
import { type TokenUsage } from './usage-event.js';

/** What a paid call brought, and used. */
export interface Spent<T> {
  readonly result: T;
  readonly usage: PlausibleUsage;
}

/** Every call that costs money goes through here. */
export interface Spending {
  /**
   * Does the call if the budget covers what it may use, and books what it has used. A call that fails is booked with nothing.
   *
   * @param estimate on the safe side
   * @throws {AiBudgetExceededError} {@link AiUnpricedModelError} before the call; what the call throws
   */
  spend<T>(model: string, estimate: TokenUsage, call: () => Promise<Spent<T>>): Promise<Spent<T>>;
}
