import type { Readable } from 'node:stream';
import type {
  ByteRange,
  ListedObject,
  StorageCallOptions,
  StorageDriver,
} from '../src/storage/storage-driver.js';

/** A real driver whose reads are counted and can be made to wait or fail. */
export class ObservedStorage implements StorageDriver {
  /** Reads by key. */
  readonly reads = new Map<string, number>();
  /** Called before each read; what it throws, the read throws. */
  beforeRead: (key: string) => void | Promise<void> = () => undefined;

  /** How many objects were written. */
  writes = 0;
  /** How many times heads of several objects were read at once. */
  headReads = 0;
  readonly readHeads?: NonNullable<StorageDriver['readHeads']>;

  constructor(private readonly driver: StorageDriver) {
    if (!driver.readHeads) return;
    this.readHeads = (...args) => {
      this.headReads++;
      return driver.readHeads?.(...args) ?? Promise.resolve(new Map<string, Buffer>());
    };
  }

  get name() {
    return this.driver.name;
  }

  async read(key: string, range?: ByteRange, options?: StorageCallOptions): Promise<Readable> {
    this.reads.set(key, (this.reads.get(key) ?? 0) + 1);
    await this.beforeRead(key);
    return this.driver.read(key, range, options);
  }

  write(key: string, body: Readable, options?: StorageCallOptions): Promise<void> {
    this.writes++;
    return this.driver.write(key, body, options);
  }

  delete(key: string): Promise<void> {
    return this.driver.delete(key);
  }

  list(): AsyncIterable<ListedObject> {
    return this.driver.list();
  }

  check(signal?: AbortSignal): Promise<void> {
    return this.driver.check(signal);
  }
}
