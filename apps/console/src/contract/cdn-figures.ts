/** Files that the api serves below one path. */
export interface OriginFigures {
  readonly prefix: string;
  readonly answers: number;
  readonly failures: number;
  /** Share of answers from memory or 304, 0 to 1; null before the first. */
  readonly hitRatio: number | null;
  readonly sentBytes: number;
  readonly savedBytes: number;
  readonly memoryBytes: number;
  /** Id of the release that is current; null without one. */
  readonly release: string | null;
  readonly liveReleases: number;
}

export interface PurgeFigures {
  readonly id: string;
  readonly provider: string;
  readonly kind: string;
  readonly value: string;
  readonly state: string;
  readonly attempts: number;
  /** ISO 8601. */
  readonly requestedAt: string;
  readonly error: string | null;
}

export interface CdnFigures {
  readonly providers: readonly string[];
  readonly origins: readonly OriginFigures[];
  /** Not done, oldest first. */
  readonly pending: readonly PurgeFigures[];
  /** Done or given up, newest first. */
  readonly ended: readonly PurgeFigures[];
  /** Why the purges are old or missing; null when they are not. */
  readonly problem: string | null;
}
