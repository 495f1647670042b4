import { cosineToBytes } from '@peregrine/ai/vectors';
import { type MemoryKind, type MemoryTier, type MemoryUse } from '../memory.js';
import { type RankingWeights } from '../memories.options.js';
import { associationStrength, linkWeight } from './association-strength.js';
import { baseLevel, recency, resonance } from './base-level.js';

/** A row of the search statement. */
export interface Candidate extends MemoryUse {
  readonly id: string;
  readonly kind: MemoryKind;
  readonly tier: MemoryTier;
  readonly createdAt: Date;
  /** Answers that it was in. */
  readonly accesses: number;
  /** BM25; null when no word of the query is in it. */
  readonly keywordScore: number | null;
  readonly embedding: Buffer | null;
  /** Answers of the workspace. */
  readonly answers: number;
  readonly links: readonly CandidateLink[] | null;
}

interface CandidateLink {
  readonly source: string;
  readonly times: number;
  readonly fan: number;
  readonly accesses: number;
}

/** Why a memory stands where it does. `score` is `relevance` times `boost`. */
export interface MemoryScore {
  score: number;
  /** Words and vector together, before use has its say. */
  relevance: number;
  /** BM25, and its share of the best one of this answer; null when no word matches. */
  keyword: { score: number; share: number } | null;
  /** Cosine, and its share of the best one of this answer; null when the query or the memory has no embedding yet. */
  vector: { cosine: number; share: number } | null;
  /** Bounded: use, recency and associations shift a memory, and never hide it. */
  boost: number;
  /** ACT-R's base level, and the chance that follows from it. */
  resonance: { activation: number; probability: number };
  recency: number;
  /** From the most relevant memories of this answer, 0 to 1. */
  association: number;
}

export interface RankedMemory {
  readonly candidate: Candidate;
  readonly explanation: MemoryScore;
}

/** Best first. Without a vector by words alone. */
export function rankMemories(
  candidates: readonly Candidate[],
  options: { readonly vector: Float32Array | null; readonly weights: RankingWeights; readonly now: Date },
): RankedMemory[] {
  const related = relate(candidates, options.vector, options.weights);
  const sourceShares = shareOfSources(related);
  return related
    .map((it) => explain(it, association(it.candidate, sourceShares), options))
    .filter((it) => it.explanation.score > 0)
    .sort((a, b) => b.explanation.score - a.explanation.score || (a.candidate.id < b.candidate.id ? -1 : 1));
}

type Related = {
  readonly candidate: Candidate;
  readonly relevance: number;
} & Pick<MemoryScore, 'keyword' | 'vector'>;

/** Scores over the best one of the answer: ranks would lower the better of the two lists to the worse one. */
function relate(
  candidates: readonly Candidate[],
  vector: Float32Array | null,
  weights: RankingWeights,
): Related[] {
  const cosines = candidates.map(({ embedding }) =>
    vector && embedding && embedding.length === vector.length * 4 ? cosineToBytes(vector, embedding) : null,
  );
  const bestKeyword = candidates.reduce((best, it) => Math.max(best, it.keywordScore ?? 0), 0);
  const bestCosine = cosines.reduce<number>((best, it) => Math.max(best, it ?? 0), 0);
  return candidates.map((candidate, at) => {
    const near = cosines[at] ?? null;
    const keyword = shareOf(candidate.keywordScore, bestKeyword);
    const nearness = shareOf(near, bestCosine);
    return {
      candidate,
      keyword: candidate.keywordScore === null ? null : { score: candidate.keywordScore, share: keyword },
      vector: near === null ? null : { cosine: near, share: nearness },
      relevance: weights.keyword * keyword + weights.vector * nearness,
    };
  });
}

function shareOf(value: number | null, best: number): number {
  return value === null || best <= 0 ? 0 : Math.max(0, value / best);
}

/** How much of the activation that spreads comes from each memory which others are linked to. */
function shareOfSources(related: readonly Related[]): Map<string, number> {
  const sources = new Set(related.flatMap((it) => it.candidate.links?.map(({ source }) => source) ?? []));
  const relevant = related.filter((it) => sources.has(it.candidate.id));
  const sum = relevant.reduce((total, it) => total + it.relevance, 0);
  return new Map(relevant.map((it) => [it.candidate.id, sum === 0 ? 0 : it.relevance / sum]));
}

/** Spreading activation, in the words of ACT-R the sum of W_j S_ji. */
function association({ links, accesses, answers }: Candidate, sourceShares: Map<string, number>): number {
  return (links ?? []).reduce((sum, link) => {
    const counts = { together: link.times, one: accesses, other: link.accesses, answers };
    return sum + (sourceShares.get(link.source) ?? 0) * linkWeight(associationStrength(counts), link.fan);
  }, 0);
}

function explain(
  { candidate, keyword, vector, relevance }: Related,
  associated: number,
  { weights, now }: { weights: RankingWeights; now: Date },
): RankedMemory {
  const activation = baseLevel(candidate, now);
  const probability = resonance(activation);
  const newness = recency(candidate.createdAt, now);
  // Around 1 for what is half forgotten, half old and not linked.
  const wanted =
    1 +
    weights.resonance * (probability - 0.5) +
    weights.recency * (newness - 0.5) +
    weights.association * associated;
  const boost = Math.min(weights.maxBoost, Math.max(weights.minBoost, wanted));
  return {
    candidate,
    explanation: {
      score: relevance * boost,
      ...{ relevance, keyword, vector, boost },
      resonance: { activation, probability },
      recency: newness,
      association: associated,
    },
  };
}
