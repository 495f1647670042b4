import { type CodeSpace } from '../codes/code-source.js';
import { type RetrievalQuery } from './retrieval-query.js';
import { type StageClock } from './stage-clock.js';

/** What one query works with. */
export interface SearchRun {
  readonly space: CodeSpace;
  readonly query: RetrievalQuery;
  readonly vector: Float32Array;
  /** The sign code of the vector. */
  readonly code: Uint32Array;
  readonly clock: StageClock;
  /** Of the workspace, taken before anything was read. Undefined inside a transaction: nothing is kept of what that sees. */
  readonly version: string | undefined;
  /** Whether it is answered again, from one snapshot. */
  readonly isRepeated: boolean;
  /** Chunks that two hops from the seeds are expected to reach. */
  readonly expectedSize: number;
  /** How many of the best by vector are looked for. */
  readonly limit: number;
  /** Deviations that the answer must be certain by; `Infinity`: everything is compared. */
  readonly wantedZ: number;
}
