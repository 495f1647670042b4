import { type SampleReading } from '../probe/code-sample.js';
import { type ChunkFilter } from '../search/chunk-filter.js';
import { type RetrievalMode } from '../search/certified-search.js';

/** What is known of a query before its plan is chosen. */
export interface PlanFacts {
  readonly mode: RetrievalMode;
  readonly filter: ChunkFilter;
  readonly hasText: boolean;
  /** How many of the best are looked for. */
  readonly limit: number;
  /** Deviations it must be certain by; `Infinity`: everything is compared. */
  readonly wantedZ: number;
  readonly seeds: number;
  /** Chunks that two hops are expected to reach. */
  readonly twoHopSize: number;
  /** Chunks of the space. */
  readonly chunks: number;
  /** Chunks that pass the filter, where that is known. */
  readonly knownPassing: number | undefined;
  readonly reading: SampleReading;
  readonly isResident: boolean;
  readonly isNeighbourhoodKept: boolean;
  /** Whether there is an index of pgvector. */
  readonly hasVectorIndex: boolean;
  /** Embeddings in memory, of all spaces. */
  readonly keptVectors: number;
  /** Queries of this process that have not ended. */
  readonly queriesUnderWay: number;
}

/** The z that stands for "all": none that is asked for is as high. */
const ALL_Z = 10;

const log2 = (value: number) => Math.log2(1 + Math.max(0, value));
const flag = (value: unknown) => (value ? 1 : 0);
/** Share of the chunks that pass, as well as it is known; above 0. */
export const selectivityOf = ({ knownPassing, chunks, reading }: PlanFacts) =>
  knownPassing === undefined || chunks === 0 ? reading.selectivity : (knownPassing + 0.5) / (chunks + 1);
const isFilterKnown = (it: PlanFacts) => it.isResident && it.knownPassing !== undefined;

/** By its stable name: a model is trained by them, in this order. Counts as logarithms of base 2. */
const FEATURES = {
  chunks: (it: PlanFacts) => log2(it.chunks),
  selectivity: (it: PlanFacts) => Math.log2(selectivityOf(it)),
  candidates: (it: PlanFacts) => log2(it.chunks * selectivityOf(it)),
  limit: (it: PlanFacts) => log2(it.limit),
  twoHopSize: (it: PlanFacts) => log2(it.twoHopSize),
  cachedParts: (it: PlanFacts) =>
    flag(it.isResident) + flag(isFilterKnown(it)) + flag(it.isNeighbourhoodKept),
  queriesUnderWay: (it: PlanFacts) => log2(it.queriesUnderWay),
  embeddings: (it: PlanFacts) => log2(it.reading.embeddings),
  nearestDistance: (it: PlanFacts) => it.reading.nearest,
  tenthDistance: (it: PlanFacts) => it.reading.tenth,
  medianDistance: (it: PlanFacts) => it.reading.median,
  sampledPassing: (it: PlanFacts) => log2(it.reading.passing),
  isBoost: (it: PlanFacts) => flag(it.mode === 'boost'),
  isWithin: (it: PlanFacts) => flag(it.mode === 'within'),
  filtersTypes: (it: PlanFacts) => flag(it.filter.types),
  filtersDocuments: (it: PlanFacts) => flag(it.filter.documentIds),
  filtersTime: (it: PlanFacts) => flag(it.filter.createdFrom) + flag(it.filter.createdBefore),
  hasText: (it: PlanFacts) => flag(it.hasText),
  wantedZ: (it: PlanFacts) => Math.min(ALL_Z, it.wantedZ),
  seeds: (it: PlanFacts) => it.seeds,
  isResident: (it: PlanFacts) => flag(it.isResident),
  isFilterKnown: (it: PlanFacts) => flag(isFilterKnown(it)),
  isNeighbourhoodKept: (it: PlanFacts) => flag(it.isNeighbourhoodKept),
  keptVectors: (it: PlanFacts) => Math.min(1, it.keptVectors / Math.max(1, it.chunks)),
} as const satisfies Record<string, (facts: PlanFacts) => number>;

/** The names of the features, in their order. */
export const RETRIEVAL_FEATURES = Object.keys(FEATURES) as readonly (keyof typeof FEATURES)[];

const MEASURES = Object.values(FEATURES);

export function featuresOf(facts: PlanFacts): Float64Array {
  return Float64Array.from(MEASURES, (measure) => measure(facts));
}

/** What queries have in common that may share a remembered plan. */
export function shapeOf({
  mode,
  filter,
  hasText,
  isResident,
  isNeighbourhoodKept,
  wantedZ,
}: PlanFacts): string {
  const fields = Object.entries(filter).flatMap(([field, value]) => (value === undefined ? [] : [field]));
  // What is calibrated moves a little with every sample.
  const z = Math.round(4 * wantedZ);
  return [mode, ...fields.sort(), flag(hasText), flag(isResident), flag(isNeighbourhoodKept), z].join(' ');
}

/** Coarse measures, each twice the one before it. */
export function bucketsOf(facts: PlanFacts): number[] {
  const { chunks, twoHopSize, limit, reading } = facts;
  const counts = [chunks, twoHopSize, limit, reading.embeddings].map(log2);
  return [Math.log2(selectivityOf(facts)), ...counts].map(Math.round);
}
