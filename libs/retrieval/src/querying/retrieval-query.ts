import { z } from 'zod';
import { InvalidRetrievalQueryError } from '../retrieval.errors.js';
import { RETRIEVAL_MODES } from '../search/certified-search.js';
import { type ChunkFilter, parseChunkFilter } from '../search/chunk-filter.js';
import { RETRIEVAL_PLANS } from '../plans/retrieval-plan.js';

/** Most chunks in an answer. */
export const MAX_RETRIEVAL_HITS = 100;
/** UTF-16 code units of a text. */
export const MAX_RETRIEVAL_TEXT_LENGTH = 4_000;
/** Chunks that a walk begins at. */
export const MAX_RETRIEVAL_SEEDS = 100;

const schema = z
  .strictObject({
    /** Words to look for; also what is embedded when there is no vector. */
    text: z.string().trim().min(1).max(MAX_RETRIEVAL_TEXT_LENGTH).optional(),
    vector: z
      .union([z.array(z.number().or(z.nan())), z.custom<Float32Array>((it) => it instanceof Float32Array)])
      .optional(),
    filter: z.unknown().default({}),
    /** Chunks that the walk of the graph begins at; needed by the modes `boost` and `within`. */
    seeds: z.array(z.uuid()).max(MAX_RETRIEVAL_SEEDS).default([]),
    mode: z.enum(RETRIEVAL_MODES).default('plain'),
    limit: z.number().int().min(1).max(MAX_RETRIEVAL_HITS).default(10),
    /** Expected share of the exact answer by vector; 1 compares everything. */
    recallFloor: z.number().min(0).max(1).default(0.95),
    /** After so many milliseconds nothing more is fetched: the answer is what there is, and says so. */
    budgetMs: z.number().int().positive().optional(),
    /** Instead of the one that the library chooses. */
    plan: z.enum(RETRIEVAL_PLANS).optional(),
  })
  .refine((it) => it.text !== undefined || it.vector !== undefined, 'it needs a text or a vector')
  .refine((it) => it.mode === 'plain' || it.seeds.length > 0, 'the modes boost and within need seeds');

export type RetrievalQueryInput = z.input<typeof schema>;
export type RetrievalQuery = Omit<z.output<typeof schema>, 'filter'> & { readonly filter: ChunkFilter };

/** @throws {InvalidRetrievalQueryError} {@link UnknownFilterFieldError} */
export function parseRetrievalQuery(input: RetrievalQueryInput): RetrievalQuery {
  const result = schema.safeParse(input);
  if (!result.success) throw new InvalidRetrievalQueryError(z.prettifyError(result.error));
  const { seeds, filter, ...query } = result.data;
  return { ...query, seeds: [...new Set(seeds)], filter: parseChunkFilter(filter) };
}
