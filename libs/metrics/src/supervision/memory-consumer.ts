/** What can do with less memory. Others satisfy this shape without importing it. */
export interface MemoryConsumer {
  /** Unique in one manager; becomes the label `consumer`. */
  readonly name: string;
  /**
   * From now on it keeps no more than this share of what it was configured for, and lets go of what is over. A later call
   * with a larger share lets it grow again.
   *
   * @param share 0 (keep nothing) to 1 (as configured)
   * @returns bytes that it let go of, as far as it knows
   */
  limit(share: number): number | Promise<number>;
}

/** Told when new work is refused, and when it is taken again. */
export type SheddingListener = (isShedding: boolean) => void | Promise<void>;
