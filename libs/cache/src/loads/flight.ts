import { CacheLoadAbandonedError } from '../cache.errors.js';
import type { StoredValue } from '../memory/stored-value.js';
import type { Target } from '../target.js';

/** A value on its way to its readers: `stored` when it is in the form in which tiers keep values. */
export type Outcome = { readonly stored: StoredValue } | { readonly raw: unknown };

/** One load under way, and those who wait for it. */
export class Flight {
  readonly controller = new AbortController();
  /** The old value, once it is known and may be served. */
  stale: (() => StoredValue | undefined) | undefined;
  #waiters = 0;
  /** Set once, by whoever starts the flight. */
  promise!: Promise<Outcome>;

  constructor(readonly target: Target) {}

  /** It brings nothing any more: all who waited have gone, the hard timeout has passed, or the cache closes. */
  get aborted(): boolean {
    return this.controller.signal.aborted;
  }

  /** A caller who waits to the end; refreshes in the background count as one. */
  enter(): void {
    this.#waiters++;
  }

  /** A caller who does not wait any more. The loader is aborted when nobody is left. */
  leave(): void {
    if (--this.#waiters === 0) this.controller.abort(new CacheLoadAbandonedError(this.target.key));
  }
}
