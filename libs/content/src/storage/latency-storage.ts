import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { ByteRange, ListedObject, StorageCallOptions, StorageDriver } from './storage-driver.js';

/** Waits before every read of another driver, as a distant storage would. For demonstrations and tests. */
export class LatencyStorage implements StorageDriver {
  readonly #driver: StorageDriver;
  readonly #readLatencyMs: number;
  readonly readHeads?: NonNullable<StorageDriver['readHeads']>;

  constructor(driver: StorageDriver, options: { readLatencyMs: number }) {
    this.#driver = driver;
    this.#readLatencyMs = options.readLatencyMs;
    if (driver.readHeads) this.readHeads = (...args) => this.#readHeads(...args);
  }

  get name() {
    return this.#driver.name;
  }

  async read(key: string, range?: ByteRange, options: StorageCallOptions = {}): Promise<Readable> {
    await setTimeout(this.#readLatencyMs, undefined, { signal: options.signal });
    return this.#driver.read(key, range, options);
  }

  async #readHeads(...args: Parameters<NonNullable<StorageDriver['readHeads']>>) {
    await setTimeout(this.#readLatencyMs);
    return (await this.#driver.readHeads?.(...args)) ?? new Map<string, Buffer>();
  }

  write(key: string, body: Readable, options?: StorageCallOptions): Promise<void> {
    return this.#driver.write(key, body, options);
  }

  delete(key: string): Promise<void> {
    return this.#driver.delete(key);
  }

  list(): AsyncIterable<ListedObject> {
    return this.#driver.list();
  }

  check(signal?: AbortSignal): Promise<void> {
    return this.#driver.check(signal);
  }

  async close(): Promise<void> {
    await this.#driver.close?.();
  }
}
