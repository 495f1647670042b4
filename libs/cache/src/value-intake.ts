import { UncacheableValueError } from './cache.errors.js';
import { takeIn, type StoredValue } from './memory/stored-value.js';
import type { NamespaceCounters } from './statistics/counters.js';

/** Takes values into one namespace, and sees to it that one which can not be kept harms nobody. */
export class ValueIntake {
  #warned = false;

  constructor(
    private readonly namespace: string,
    private readonly maxEntryBytes: number,
    private readonly counters: NamespaceCounters,
    private readonly warn: (message: string) => void,
  ) {}

  /** The value in stored form; undefined, counted, and told once when its type or size forbids it. */
  takeIn(value: unknown): StoredValue | undefined {
    try {
      const stored = takeIn(value);
      if (stored.bytes <= this.maxEntryBytes) return stored;
      this.#refuse(`a value of about ${stored.bytes} bytes is over maxEntryBytes`);
    } catch (error) {
      // A getter or a proxy of the value may throw anything; the request has its value and must not fail.
      this.#refuse(error instanceof Error ? error.message : 'its copy failed');
      if (!(error instanceof UncacheableValueError)) this.warn(String(error));
    }
    return undefined;
  }

  #refuse(reason: string): void {
    this.counters.refused++;
    if (this.#warned) return;
    this.#warned = true;
    this.warn(`Namespace "${this.namespace}" could not keep a value: ${reason} (told once)`);
  }
}
