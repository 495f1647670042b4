import { CODE_BITS } from '@peregrine/ai/vectors';
import { SqlCodes } from '../codes/sql-codes.js';
import { CorpusTooLargeError } from '../retrieval.errors.js';
import { type SearchGoal } from '../search/certified-search.js';
import { filterCondition } from '../search/chunk-filter.js';
import { BATCH, ExactRanking, type RankedChunk } from '../search/exact-ranking.js';
import { type Statements } from '../statements.js';
import { type VectorCache } from '../vectors/vector-cache.js';
import { type ExactAnswer } from './needed-certainty.js';

export interface ExactQuestion {
  readonly goal: Pick<SearchGoal, 'space' | 'probe' | 'filter' | 'mode' | 'limit' | 'boost'>;
  readonly vector: Float32Array;
  /** Of what the seeds reach; empty in mode `plain`. */
  readonly proximities: ReadonlyMap<string, number>;
}

export interface ExactBounds {
  /** Chunks that pass, at most. */
  readonly maxRows: number;
  /** Ends the work between two statements. */
  readonly signal: AbortSignal;
  /** Not that of the queries: a pass over everything would drive out what they use. */
  readonly cache: VectorCache;
}

/** Scores nearer than this are equal, and so many equal ones beside the answer are looked at. */
const SAME = 1e-9;
const TIES = 32;

/**
 * The exact answer by vector and graph, with the distances of its codes: every chunk that passes is compared, a batch a statement.
 *
 * @throws {CorpusTooLargeError}, and the reason of the signal
 */
export async function exactAnswer(
  statements: Statements,
  question: ExactQuestion,
  { maxRows, signal, cache }: ExactBounds,
): Promise<ExactAnswer> {
  const { goal, vector, proximities } = question;
  const { space, boost } = goal;
  const limit = goal.limit + TIES;
  const known = cache.of({ id: space.embedder, dimensions: vector.length });
  const ids = await passing(statements, question, maxRows);
  let best: RankedChunk[] = [];
  for (let at = 0; at < ids.length; at += BATCH) {
    signal.throwIfAborted();
    const ranking = new ExactRanking(statements, { space, vector, boost, limit }, known);
    await ranking.rank(ids.slice(at, at + BATCH), proximities);
    best = [...best, ...ranking.best()].sort((a, b) => b.score - a.score).slice(0, limit);
  }
  const worst = best[goal.limit - 1]?.score ?? -Infinity;
  const answer = best.filter((it) => it.score >= worst - SAME);
  const distances = await distancesOf(statements, question, answer);
  const members = answer.flatMap(({ chunkId, score }) => {
    const distance = distances.get(chunkId);
    const bonus = proximities.has(chunkId) ? boost : 0;
    return distance === undefined ? [] : [{ chunkId, score, bonus, distance }];
  });
  return { members, limit: goal.limit };
}

async function passing(
  statements: Statements,
  { goal: { space, filter, mode }, proximities }: ExactQuestion,
  maxRows: number,
): Promise<string[]> {
  const condition = filterCondition(filter, 5);
  const rows = await statements.query<{ id: string }[]>(
    `SELECT c.chunk_id AS id FROM retrieval_codes c
      WHERE c.workspace_id = $1 AND c.embedder = $2 AND ($4::uuid[] IS NULL OR c.chunk_id = ANY ($4::uuid[]))${condition.sql} LIMIT $3`,
    [
      ...[space.workspaceId, space.embedder, maxRows + 1, mode === 'within' ? [...proximities.keys()] : null],
      ...condition.parameters,
    ],
  );
  if (rows.length > maxRows) throw new CorpusTooLargeError(space.workspaceId, maxRows);
  return rows.map((it) => it.id);
}

async function distancesOf(
  statements: Statements,
  { goal: { space, probe } }: ExactQuestion,
  chunks: readonly RankedChunk[],
): Promise<Map<string, number>> {
  const candidates = await new SqlCodes(statements, space, probe).nearest({
    ...{ filter: {}, maxDistance: CODE_BITS, limit: chunks.length },
    only: chunks.map((it) => it.chunkId),
  });
  return new Map(candidates.map((it) => [it.chunkId, it.distance]));
}
