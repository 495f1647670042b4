import { type Degradation } from '../slow-queries/slow-query.js';

export type IndexFindingKind =
  'duplicate' | 'overlapping' | 'unused' | 'invalid' | 'bloated' | 'missing foreign key';

/** What an index costs those who write to its table, since the statistics began. */
export interface IndexWriteCost {
  /** Entries that were written to the index: inserted rows, and updated rows that were not HOT. */
  readonly entries: number;
  /** Share of the table's updates that touched no index at all (HOT), 0 to 1; null without updates. */
  readonly hotShare: number | null;
  /**
   * Whether updates that were captured set a column of the index, so that they cannot be HOT because of it; null when no
   * update of the table was captured.
   */
  readonly blocksHot: boolean | null;
}

/** One thing to mend. */
export interface IndexFinding {
  readonly kind: IndexFindingKind;
  readonly schema: string;
  readonly table: string;
  /** Null for one that is missing. */
  readonly index: string | null;
  /** Columns and expressions in their order, INCLUDE left out. */
  readonly columns: readonly string[];
  /** One sentence for a person. */
  readonly reason: string;
  /** What to look at before it is mended; null when nothing stands against it. */
  readonly caution: string | null;
  /** What mending frees; of a missing index: what it will take, estimated. */
  readonly sizeBytes: number;
  /** `measured` by PostgreSQL or by pgstattuple, or `estimated` from the statistics. */
  readonly sizeSource: 'measured' | 'estimated';
  readonly writeCost: IndexWriteCost;
  /** The index that does its work; of `duplicate` and `overlapping` only. */
  readonly coveredBy: string | null;
  /** How often it was used since `statisticsSince`, by all servers that could be asked. */
  readonly scans: number;
  /** Mends it: one statement, to be run outside of a transaction. */
  readonly statement: string;
}

/** One index of the database, whatever may be said of it. That of a partitioned table stands for those of its partitions. */
export interface IndexUse {
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  /** `btree`, `gin`, … */
  readonly method: string;
  /** Columns and expressions in their order, INCLUDE left out. */
  readonly columns: readonly string[];
  readonly isUnique: boolean;
  readonly isValid: boolean;
  readonly sizeBytes: number;
  /** How often it was used since `statisticsSince`, by all servers that could be asked. */
  readonly scans: number;
}

export interface IndexReport {
  readonly analysedAt: Date;
  /** How many there are, those of the system left out. */
  readonly indexes: number;
  readonly sizeBytes: number;
  /** From when uses and writes are counted; null when the server does not tell. */
  readonly statisticsSince: Date | null;
  /** Servers whose use of the indexes counts. */
  readonly servers: number;
  /** All of them, the largest first. */
  readonly all: readonly IndexUse[];
  /** Largest first, within each kind. */
  readonly findings: readonly IndexFinding[];
  readonly degraded: readonly Degradation[];
}
