import { type PlanDecision } from '@peregrine/query-optimizer';
import { type ChoiceReason } from '../planning/plan-chooser.service.js';
import { type RetrievalPlanName } from '../plans/retrieval-plan.js';

export interface RetrievalHit {
  readonly chunkId: string;
  readonly documentId: string;
  /** Of the chunk in its document, from 0. */
  readonly place: number;
  readonly type: string;
  readonly createdAt: Date;
  readonly text: string;
  /** What the hits are ordered by. */
  readonly score: number;
  readonly cosine: number;
  /** To the seeds, 0 to 1. */
  readonly proximity: number;
  /** BM25; null when the query has no text, or none of its words is in the chunk. */
  readonly keyword: number | null;
}

export interface StageTime {
  readonly name: string;
  readonly durationMs: number;
  /** What it took lately with this plan and mode; null when it was never taken. */
  readonly predictedMs: number | null;
}

/** A question to the planner, and its answer. */
export interface PlannerAnswer {
  /** In the order of `RETRIEVAL_FEATURES`. */
  readonly features: readonly number[];
  readonly shape: string;
  readonly buckets: readonly number[];
  /** Plans that may be tried. */
  readonly allowed: readonly RetrievalPlanName[];
  readonly fallback: RetrievalPlanName;
  /** Null when it was not asked: the query named a plan, or the chooser is off. */
  readonly decision: Omit<PlanDecision<RetrievalPlanName>, 'trace' | 'fallback'> | null;
}

/** How an answer came about, and what is known of its recall. */
export interface RetrievalExplanation {
  readonly plan: RetrievalPlanName;
  readonly reason: ChoiceReason;
  /** The reason in words. */
  readonly why: string;
  /** The plan that was tried before, and given up. */
  readonly givenUp: RetrievalPlanName | null;
  /** What the planner was asked and what it said; null while nothing is known of the workspace's chunks. */
  readonly chooser: PlannerAnswer | null;
  /**
   * `complete`: every chunk that passes was compared. `certified`: at least as certain as the floor asks for. `uncertified`: the time was
   * up before. Of the part by vector; the part by words is exact unless `keywords.truncated`.
   */
  readonly status: 'complete' | 'certified' | 'uncertified';
  /** Standard deviations that a missed chunk's code would have to stray by; null when it is not finite. */
  readonly z: number | null;
  /** What `z` had to be; null: everything was to be compared. */
  readonly wantedZ: number | null;
  /** True when what the plan had fetched was not certain enough, and more was. */
  readonly escalated: boolean;
  /** How many embeddings were compared. */
  readonly compared: number;
  /** How many of them PostgreSQL sent: the others were in memory. */
  readonly read: number;
  /** In their order. */
  readonly stages: readonly StageTime[];
  /** Of the seeds; null in mode `plain`. `truncated`: a hop had more edges than are walked. */
  readonly neighbourhood: {
    readonly expectedSize: number;
    readonly size: number;
    readonly truncated: boolean;
  } | null;
  /** Null when the query has no text. `truncated`: more chunks have a word of it than are ranked. */
  readonly keywords: { readonly truncated: boolean } | null;
}

export interface RetrievalAnswer {
  /** Best first. */
  readonly hits: readonly RetrievalHit[];
  readonly explanation: RetrievalExplanation;
}
