import { widen, type Scope } from './scopes.js';

/**
 * Invalidations that could not reach Redis, kept until they are replayed. Bounded: beyond `limit` scopes the
 * single keys and tags are widened to their namespaces (tags of all namespaces to everything).
 */
export class PendingInvalidations {
  #scopes = new Set<Scope>();

  constructor(private readonly limit = 10_000) {}

  get size(): number {
    return this.#scopes.size;
  }

  /** What is kept just now. */
  get scopes(): ReadonlySet<Scope> {
    return this.#scopes;
  }

  add(scopes: Iterable<Scope>): void {
    for (const scope of scopes) {
      this.#scopes.add(scope);
      if (this.#scopes.size > this.limit) this.#scopes = new Set([...this.#scopes].map(widen));
    }
  }

  /**
   * Takes up to `count` scopes out. They leave before they are sent, so that an invalidation of the same scope
   * that arrives meanwhile is remembered for another round; give them back with `add` when sending fails.
   */
  take(count: number): Scope[] {
    const taken: Scope[] = [];
    for (const scope of this.#scopes) {
      if (taken.length === count) break;
      taken.push(scope);
      this.#scopes.delete(scope);
    }
    return taken;
  }
}
