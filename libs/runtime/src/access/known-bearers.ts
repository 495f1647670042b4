/** Then the list starts anew. */
const MAX_BEARERS = 10_000;
/** A header may have any number of spaces: longer ones would be a way to fill the memory. */
const MAX_LENGTH = 256;
/** The text of a key is kept for no longer, milliseconds. */
const REMEMBERED_MS = 60_000;

/**
 * What was found in the `Authorization` headers of callers who were let in lately: to find it anew, and to hash the key,
 * takes longer than all limits together. It opens nothing: a key that comes from here is checked like any other. Nobody
 * learns a key from the time that a look takes, since texts are compared only where their hashes are the same, and those of
 * V8 have a seed of their own in each process.
 */
export class KnownBearers<T> {
  readonly #found = new Map<string, T>();

  get(authorization: string): T | undefined {
    return this.#found.get(authorization);
  }

  /** Only for who was let in: others could fill it. */
  add(authorization: string, found: T): void {
    if (authorization.length > MAX_LENGTH) return;
    if (this.#found.size >= MAX_BEARERS) this.#found.clear();
    // One timer for all that come while it runs, so that a request needs none.
    else if (this.#found.size === 0) setTimeout(() => this.#found.clear(), REMEMBERED_MS).unref();
    this.#found.set(authorization, found);
  }
}
