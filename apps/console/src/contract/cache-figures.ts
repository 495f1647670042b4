/** A tier of the cache as a whole. */
export interface CacheTierFigures {
  readonly name: 'Memory' | 'Redis' | 'Object store';
  readonly state: 'up' | 'down' | 'off';
  /** Why it is not up, or what it is; one sentence. */
  readonly note: string;
  /** Hits of all namespaces since the start. */
  readonly hits: number;
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly maxBytes: number | null;
  readonly errors: number;
}

export interface CacheNamespaceFigures {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  readonly reads: number;
  /** 0 to 1, since the start. */
  readonly hitRate: number;
  /** 0 to 1, of five minutes; null without reads. */
  readonly recentHitRate: number | null;
  readonly evictions: number;
  /** Of a load, milliseconds. */
  readonly loadMs: number;
  /** Load time that hits have spared, estimated as hits times the mean load, milliseconds. */
  readonly savedMs: number;
}

export interface CacheFigures {
  readonly status: 'healthy' | 'warming' | 'warning' | 'critical';
  readonly recommendation: string;
  readonly hitRate: number;
  readonly recentHitRate: number | null;
  readonly tiers: readonly CacheTierFigures[];
  readonly namespaces: readonly CacheNamespaceFigures[];
}
