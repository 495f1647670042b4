import type { Readable } from 'node:stream';
import type {
  FoundObject,
  ObjectGetOptions,
  ObjectHead,
  ObjectMetadata,
  ObjectPutOptions,
  ObjectStore,
  ObjectStoreStatistics,
} from '../object-store/object-store.js';
import { chaosOf, type Chaos, type ChaosFaults } from './chaos.js';

/** A store that fails, waits and hangs as the faults say before the real one is asked. */
class ChaosObjectStore implements ObjectStore {
  constructor(
    private readonly store: ObjectStore,
    private readonly chaos: Chaos,
  ) {}

  async put(
    key: string,
    body: Readable | Uint8Array,
    metadata?: ObjectMetadata,
    options?: ObjectPutOptions,
  ): Promise<void> {
    try {
      await this.chaos.meet(options?.signal);
    } catch (error) {
      // As the contract of a store says: a stream is read to its end or destroyed.
      if (!(body instanceof Uint8Array)) body.destroy();
      throw error;
    }
    return this.store.put(key, body, metadata, options);
  }

  async get(key: string, options?: ObjectGetOptions): Promise<FoundObject | 'not-modified' | undefined> {
    await this.chaos.meet(options?.signal);
    return this.store.get(key, options);
  }

  async head(key: string, options?: Pick<ObjectGetOptions, 'signal'>): Promise<ObjectHead | undefined> {
    await this.chaos.meet(options?.signal);
    return this.store.head(key, options);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.chaos.meet();
    return this.store.delete(keys);
  }

  async clear(prefix: string): Promise<number> {
    await this.chaos.meet();
    return this.store.clear(prefix);
  }

  stats(): ObjectStoreStatistics | undefined {
    return this.store.stats();
  }

  async sweep(): Promise<void> {
    await this.chaos.meet();
    await this.store.sweep?.();
  }

  /** Closing always works, so that a test can end. */
  close(): Promise<void> {
    return this.store.close();
  }
}

/** The store with trouble in front of it. `close` and `stats` are spared. */
export const chaosObjectStore = (store: ObjectStore, faults: Chaos | ChaosFaults): ObjectStore =>
  new ChaosObjectStore(store, chaosOf(faults));
