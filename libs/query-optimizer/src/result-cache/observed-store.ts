import { type LoadedRows, type ResultStore, type Rows } from './result-store.js';

/** Whoever has to know what was written, beside the results. */
export interface InvalidationObserver {
  note(tags: readonly string[]): void;
  /** Anything may have been written. */
  noteAll(): void;
}

/** Tells others what is invalidated, before whoever invalidates goes on. */
export class ObservedStore implements ResultStore {
  constructor(
    private readonly store: ResultStore,
    private readonly observers: readonly InvalidationObserver[],
  ) {}

  peek(key: string): Rows | undefined {
    return this.store.peek?.(key);
  }

  getOrLoad(
    key: string,
    tags: readonly string[],
    ttlMs: number,
    load: () => Promise<LoadedRows>,
  ): Promise<{ readonly rows: Rows; readonly isHit: boolean }> {
    return this.store.getOrLoad(key, tags, ttlMs, load);
  }

  async invalidate(tags: readonly string[]): Promise<void> {
    for (const it of this.observers) it.note(tags);
    await this.store.invalidate(tags);
  }

  async clear(): Promise<void> {
    for (const it of this.observers) it.noteAll();
    await this.store.clear();
  }
}
