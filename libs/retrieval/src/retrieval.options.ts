import { type PlannerModel } from '@peregrine/query-optimizer';
import { z } from 'zod';

/** Options of the workload. */
export const retrievalOptionsSchema = z.strictObject({
  /**
   * An answer is certified when a chunk that it misses would have to stray by so many standard deviations. At 3, one answer in 74 of ten
   * chunks misses one, in the worst case; at 2, one in 5. Holds until the embedding model is calibrated.
   */
  certainty: z.number().min(2).max(6).default(3),
  /**
   * How that is learned for each embedding model: some queries are answered again exactly in the background. What other processes
   * have learned holds in any case.
   */
  calibration: z
    .strictObject({
      /** Of the queries; 0: none. */
      share: z.number().min(0).max(1).default(0.01),
      /** Queries that more chunks than this pass are left out: each is compared. */
      maxRows: z.number().int().positive().default(100_000),
      /** What the certainty never goes below. */
      minCertainty: z.number().min(0).max(6).default(2),
      /** Share of the queries that may need more certainty than there is. A tenth takes 9 samples, 0.005 takes 199. */
      missRate: z.number().min(0.001).max(0.5).default(0.005),
      /** Of an embedding model; the oldest go. */
      keptSamples: z.number().int().min(1).max(100_000).default(2_000),
      /** How old what a process knows may be, milliseconds. */
      refreshMs: z.number().int().nonnegative().default(5_000),
    })
    .prefault({}),
  /** What a seed's neighbour gains in mode `boost`, times its proximity. */
  boost: z.number().min(0).max(1).default(0.15),
  /** How many chunks a walk from the seeds reaches at each hop, at most; the answer says when there were more. */
  maxNeighbours: z.number().int().min(1).max(50_000).default(5_000),
  /** How many chunks' codes a process keeps in memory, of all workspaces together: 64 bytes each, and their ids. */
  maxResidentChunks: z.number().int().positive().default(500_000),
  /** For queries without one of their own, milliseconds. @default none */
  budgetMs: z.number().int().positive().optional(),
  /** Bytes of embeddings that a process remembers, of all workspaces together. */
  maxVectorBytes: z
    .number()
    .int()
    .positive()
    .default(64 * 1024 * 1024),
  /** How many chunks with a word of the query are ranked by words. */
  keywordReach: z.number().int().positive().default(5_000),
  /** How many of the best by words, and of the nearest, are fused. */
  legHits: z.number().int().positive().max(1_000).default(100),
  /** Of the score by words, and of the score by vector, each over the best of the answer. */
  weights: z
    .strictObject({
      keyword: z.number().nonnegative().default(1),
      vector: z.number().nonnegative().default(0.3),
    })
    .prefault({}),
  /** How often a worker looks for files that were not ingested, milliseconds. */
  sweepIntervalMs: z.number().int().positive().default(60_000),
  /** After so many milliseconds the sample of a workspace that was written to is drawn anew. */
  sampleMaxAgeMs: z.number().int().nonnegative().default(30_000),
  /** Of the planner that chooses a plan by what the plans have taken; its other options as it has them. */
  chooser: z
    .strictObject({
      /** Without it the plan that computes how much to fetch answers everything. */
      enabled: z.boolean().default(true),
      /** What it knows at the start. @default the model that comes with the library; false: nothing */
      prior: z.union([z.literal(false), z.custom<PlannerModel>((it) => typeof it === 'object')]).optional(),
      /** What exploration may lose, as a share of all time. */
      regretBudget: z.number().min(0).max(0.5).default(0.02),
      /** Samples between two trainings. */
      retrainEvery: z.number().int().min(20).default(200),
      /** 0 to 1; for tests and benches that are to be repeated. */
      random: z.custom<() => number>((it) => typeof it === 'function').default(() => Math.random),
      /** The program of the thread that trains. @default the one of the planner */
      program: z.instanceof(URL).optional(),
    })
    .prefault({}),
  /** The program of the thread that compares codes. @default the built one of this package */
  codeProgram: z.instanceof(URL).optional(),
});

export type RetrievalOptionsInput = z.input<typeof retrievalOptionsSchema>;
export type RetrievalOptions = Readonly<z.output<typeof retrievalOptionsSchema>>;

/** The parsed options. */
export const RETRIEVAL_OPTIONS = Symbol('@peregrine/retrieval:options');
