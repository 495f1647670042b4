import { type SqlCodes } from '../codes/sql-codes.js';
import { type CodeSource } from '../codes/code-source.js';
import { type CertifiedSearch, type RetrievalMode } from '../search/certified-search.js';

export const RETRIEVAL_PLANS = [
  'filtered-vector',
  'cached-partial',
  'vector-first',
  'graph-first',
  'hybrid-parallel',
  'vector-index',
] as const;
export type RetrievalPlanName = (typeof RETRIEVAL_PLANS)[number];

/** Where the codes are. */
export interface PlanSources {
  readonly sql: SqlCodes;
  /** Those in memory; loads them when they are not there. */
  readonly resident: () => Promise<CodeSource>;
  /** Those among so many near chunks that pass, by an index of pgvector. */
  readonly indexed: (count: number) => Promise<readonly string[]>;
}

/**
 * What is looked at first. Whatever that is, the search goes on from there until its answer is certain enough: a plan decides
 * how long an answer takes, never how good it is. Every plan passes `test/plans.int-spec.ts`.
 */
export interface RetrievalPlan {
  readonly name: RetrievalPlanName;
  readonly modes: readonly RetrievalMode[];
  /** @returns where the search goes on, if it must */
  begin(search: CertifiedSearch, sources: PlanSources): Promise<CodeSource>;
}
