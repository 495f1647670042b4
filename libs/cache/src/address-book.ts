import { InvalidKeyError } from './cache.errors.js';
import { addressOf } from './coherence/scopes.js';
import { shorten } from './target.js';

/** Addresses that are remembered; then the list starts anew. */
const MAX_ADDRESSES = 1 << 16;

/**
 * Where the entries of a namespace live in memory. Remembers the addresses of the keys in use: to look for a text that was
 * just joined costs five times as much, as it has to be flattened and hashed first.
 */
export class AddressBook {
  readonly #prefix: string;
  readonly #addresses = new Map<string, string>();

  constructor(namespace: string) {
    this.#prefix = addressOf(namespace, '');
  }

  /** @throws {InvalidKeyError} */
  addressOf(key: string): string {
    return this.#addresses.get(key) ?? this.#add(key);
  }

  #add(key: string): string {
    if (typeof key !== 'string') throw new InvalidKeyError(`A cache key must be a string, not ${typeof key}`);
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.clear();
    const address = this.#prefix + shorten(key);
    this.#addresses.set(key, address);
    return address;
  }
}
