import { hash } from 'node:crypto';

const MAX_KEYS = 10_000;
/** A key that is revoked counts for itself no longer than this; it opens nothing meanwhile. */
const REMEMBERED_MS = 300_000;

/** API keys that were let in lately, by hash: which bucket they have. It says nothing of whether they still hold. */
export class KnownKeys {
  readonly #ids = new Map<string, { readonly apiKeyId: string; readonly untilMs: number }>();

  constructor(private readonly now: () => number) {}

  idOf(key: string): string | undefined {
    const known = this.#ids.get(digest(key));
    return known && known.untilMs > this.now() ? known.apiKeyId : undefined;
  }

  add(key: string, apiKeyId: string): void {
    const id = digest(key);
    // Last in the order, so that the busy ones stay.
    this.#ids.delete(id);
    this.#ids.set(id, { apiKeyId, untilMs: this.now() + REMEMBERED_MS });
    const [oldest] = this.#ids.size > MAX_KEYS ? this.#ids.keys() : [];
    if (oldest !== undefined) this.#ids.delete(oldest);
  }

  remove(key: string): void {
    this.#ids.delete(digest(key));
  }
}

const digest = (key: string): string => hash('sha256', key, 'base64url');
