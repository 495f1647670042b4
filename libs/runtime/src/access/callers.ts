import { type CacheNamespace } from '@peregrine/cache';
import { type Caller } from './caller.js';
import { type PresentedKey } from './presented-key.js';

/** No key of ours comes near. */
const MAX_KEY_LENGTH = 200;

/** Who holds which API key, kept in the cache by the hash of the key. */
export class Callers {
  /** @param load asks who holds the key with this hash; undefined when nobody does */
  constructor(
    private readonly cached: CacheNamespace,
    private readonly load: (digest: string) => Promise<Caller | undefined>,
  ) {}

  /** Who holds this key; undefined when nobody does any more. At once when it is in memory. */
  holderOf(key: PresentedKey): Caller | undefined | Promise<Caller | undefined> {
    if (key.length > MAX_KEY_LENGTH) return undefined;
    const { digest } = key;
    const known = this.cached.peek<Caller>(digest);
    if (known) return unlessExpired(known);
    // Undefined is not cached: unknown keys must not fill the cache.
    return this.cached.getOrSet(digest, () => this.load(digest)).then(unlessExpired);
  }

  /** From now on the key is asked about again, in all processes. */
  forget(digest: string): Promise<void> {
    return this.cached.invalidate(digest);
  }
}

function unlessExpired(caller: Caller | undefined): Caller | undefined {
  const isOver = caller?.expiresAt !== null && caller !== undefined && caller.expiresAt <= Date.now();
  return isOver ? undefined : caller;
}
