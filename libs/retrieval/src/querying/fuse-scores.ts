import { type RankedChunk } from '../search/exact-ranking.js';

export interface FusedChunk extends RankedChunk {
  /** BM25; null when the query has no words, or none of them is in the chunk. */
  readonly keyword: number | null;
}

export interface FusionWeights {
  readonly keyword: number;
  readonly vector: number;
}

/**
 * Each score over the best one of the answer, weighed and added, best first. Fusing ranks instead would lower the better list to the
 * worse one.
 */
export function fuseScores(
  chunks: readonly RankedChunk[],
  keywords: ReadonlyMap<string, number>,
  weights: FusionWeights,
): FusedChunk[] {
  const bestKeyword = chunks.reduce((best, it) => Math.max(best, keywords.get(it.chunkId) ?? 0), 0);
  const bestScore = chunks.reduce((best, it) => Math.max(best, it.score), 0);
  const shareOf = (value: number, best: number) => (best <= 0 ? 0 : Math.max(0, value / best));
  return chunks
    .map((chunk) => {
      const keyword = keywords.get(chunk.chunkId) ?? null;
      const words = weights.keyword * shareOf(keyword ?? 0, bestKeyword);
      return { ...chunk, keyword, score: words + weights.vector * shareOf(chunk.score, bestScore) };
    })
    .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1));
}
