import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { onCacheEvent } from '@peregrine/cache';
import { CdnInvalidation, type InvalidationRequest } from '@peregrine/cdn';

/**
 * Results of queries are invalidated by every write to their tables, the one of the purges included; no answer carries
 * their tags.
 */
const ROWS = 'query';
const RETRY_MS = 1_000;
/** As many as a request to the queue takes. */
const MOST_TAGS = 5_000;

/**
 * Makes one invalidation clear the CDN too: what this process invalidates by tag in the cache is purged by the same tag,
 * and a flush purges everything. Entries by their own key are the cache's alone. Other processes see to their own.
 */
@Injectable()
export class CachePurges implements OnModuleInit, OnApplicationShutdown {
  readonly #log = new Logger('CdnPurges');
  readonly #tags = new Set<string>();
  #everything = false;
  #running: Promise<void> | undefined;
  #stop: (() => void) | undefined;
  #closed = false;

  constructor(private readonly cdn: CdnInvalidation) {}

  onModuleInit(): void {
    if (this.cdn.providers.length === 0) return;
    this.#stop = onCacheEvent('invalidate', ({ scopes, origin }) => {
      if (origin === 'local') this.#note(scopes);
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    this.#stop?.();
    await this.#running;
  }

  /** Inside the call of the cache: what is noted is queued together, right after it. */
  #note(scopes: readonly string[]): void {
    for (const scope of scopes) {
      const [, kind, namespace, tag = ''] = /^([ftn])(?::([^:]*))?(?::([\s\S]+))?$/.exec(scope) ?? [];
      if (kind === undefined || namespace === ROWS) continue;
      if (kind === 't') this.#tags.add(tag);
      // A namespace has no tag that its responses carry.
      else this.#everything = true;
    }
    if (this.#tags.size === 0 && !this.#everything) return;
    this.#running ??= this.#queueAll().finally(() => (this.#running = undefined));
  }

  /** Until nothing is left; while the database is away what is noted waits in memory. */
  async #queueAll(): Promise<void> {
    await new Promise(setImmediate);
    for (let request = this.#next(); request; request = this.#next()) {
      try {
        await this.cdn.queueInvalidation(request);
      } catch (error) {
        this.#takeBack(request);
        this.#log.warn(`Purges could not be queued and will be tried again: ${String(error)}`);
        if (this.#closed) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  #next(): InvalidationRequest | undefined {
    if (this.#everything) {
      this.#everything = false;
      this.#tags.clear();
      return { everything: true };
    }
    const tags = [...this.#tags].slice(0, MOST_TAGS);
    for (const tag of tags) this.#tags.delete(tag);
    return tags.length === 0 ? undefined : { tags };
  }

  #takeBack({ everything, tags = [] }: InvalidationRequest): void {
    this.#everything ||= everything === true;
    for (const tag of tags) this.#tags.add(tag);
  }
}
