/** Rows as the driver gave them; shared by all who read them, so frozen. */
export type Rows = readonly Readonly<Record<string, unknown>>[];

export interface LoadedRows {
  readonly rows: Rows;
  /** Too large, or for another reason nobody else's business. */
  readonly isStorable: boolean;
}

/**
 * Where results are kept. The contract that makes results correct: a value is handed out only if none of its tags was
 * invalidated after its load had begun; callers that come together share one load, unless a tag was invalidated since it
 * began.
 */
export interface ResultStore {
  /**
   * What is at hand in this process, for a hit that waits for nothing. Undefined says little: `getOrLoad` is asked then.
   * Left out by a store that has nothing at hand.
   */
  peek?(key: string): Rows | undefined;

  /** @throws what `load` throws; nothing is kept then */
  getOrLoad(
    key: string,
    tags: readonly string[],
    ttlMs: number,
    load: () => Promise<LoadedRows>,
  ): Promise<{ readonly rows: Rows; readonly isHit: boolean }>;

  /** Resolves when no process hands out what carried one of the tags, or as soon as that is certain to happen. */
  invalidate(tags: readonly string[]): Promise<void>;

  /** Everything. */
  clear(): Promise<void>;
}
