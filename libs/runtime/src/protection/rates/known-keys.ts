const MAX_KEYS = 10_000;
/** A key that is revoked counts for itself no longer than this; it opens nothing meanwhile. */
const REMEMBERED_MS = 300_000;

/** API keys that were let in lately, by hash: which bucket they have. It says nothing of whether they still hold. */
export class KnownKeys {
  readonly #ids = new Map<string, { readonly apiKeyId: string; readonly untilMs: number }>();

  idOf(digest: string, nowMs: number): string | undefined {
    const known = this.#ids.get(digest);
    return known && known.untilMs > nowMs ? known.apiKeyId : undefined;
  }

  add(digest: string, apiKeyId: string, nowMs: number): void {
    // Last in the order, so that the busy ones stay.
    this.#ids.delete(digest);
    this.#ids.set(digest, { apiKeyId, untilMs: nowMs + REMEMBERED_MS });
    const [oldest] = this.#ids.size > MAX_KEYS ? this.#ids.keys() : [];
    if (oldest !== undefined) this.#ids.delete(oldest);
  }

  remove(digest: string): void {
    this.#ids.delete(digest);
  }
}
