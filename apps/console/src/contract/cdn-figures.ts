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

/** A manifest of the assets that answers. */
export interface ReleaseFigures {
  readonly id: string;
  /** ISO 8601. */
  readonly publishedAt: string;
  readonly isCurrent: boolean;
  readonly files: number;
  /** Of all files as they are. */
  readonly sizeBytes: number;
  /** Of all files in a coding, by its name; what has no such form counts as it is. */
  readonly codedBytes: Readonly<Record<string, number>>;
}

/** A proxy in front, by its log. */
export interface EdgeFigures {
  readonly source: string;
  readonly requests: number;
  /** Share that the origin did not see, 0 to 1; null before the first. */
  readonly hitRatio: number | null;
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
  /** Not sent before, ISO 8601. */
  readonly notBefore: string;
  readonly soft: boolean;
  readonly error: string | null;
}

export interface CdnFigures {
  readonly providers: readonly string[];
  readonly origins: readonly OriginFigures[];
  readonly edges: readonly EdgeFigures[];
  /** Of the assets, the newest first; empty when none was built. */
  readonly releases: readonly ReleaseFigures[];
  /** Not done, oldest first. */
  readonly pending: readonly PurgeFigures[];
  /** Done or given up, newest first. */
  readonly ended: readonly PurgeFigures[];
  /** Why the purges are old or missing; null when they are not. */
  readonly problem: string | null;
}
