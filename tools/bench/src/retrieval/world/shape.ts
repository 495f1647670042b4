/** How large a world is, and which one of its size. */
export interface WorldShape {
  /** The same number, the same world, on every machine. */
  readonly seed: number;
  readonly chunks: number;
  readonly questions: number;
}

export const DIMENSIONS = 384;
/** Bytes of a sign code. */
export const CODE_BYTES = 48;
/** From what nearly half of all are to what one of a thousand is. */
export const TYPES = [
  ['page', 0.5],
  ['note', 0.25],
  ['mail', 0.12],
  ['issue', 0.07],
  ['log', 0.03],
  ['table', 0.02],
  ['slide', 0.009],
  ['law', 0.001],
] as const;
export const DAYS = 730;
export const FIRST_DAY = Date.UTC(2025, 0, 1);
/** What the library adds for a proximity of 1; its default. */
export const BOOST = 0.15;
/** Edges a hop, as the library is told: nothing that a question asks for is cut off but at hubs. */
export const MAX_NEIGHBOURS = 50_000;
/** Hits of an answer, and the share of them that it must have. */
export const LIMIT = 10;
export const FLOOR = 0.95;

const CHUNKS_OF_A_CLUSTER = 333;
const MIN_CLUSTERS = 12;
const CHUNKS_OF_A_DOCUMENT = 333;

export const clustersOf = ({ chunks }: WorldShape): number =>
  Math.max(MIN_CLUSTERS, Math.round(chunks / CHUNKS_OF_A_CLUSTER));

export const documentsOf = ({ chunks }: WorldShape): number =>
  Math.max(MIN_CLUSTERS, Math.round(chunks / CHUNKS_OF_A_DOCUMENT));

export const dateOf = (day: number): Date => new Date(FIRST_DAY + day * 86_400_000);
