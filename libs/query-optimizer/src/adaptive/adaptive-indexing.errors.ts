import { QueryOptimizerError } from '../query-optimizer.errors.js';

/** Why nothing can be done with a recommendation. */
export type RecommendationFailure =
  /** There is none with this id: it was never made, or is forgotten. */
  | 'unknown'
  /** It is in a state in which this cannot be asked for. */
  | 'state';

/** A recommendation can not be applied, or not be reverted. Nothing was changed. */
export class RecommendationError extends QueryOptimizerError {
  readonly code = 'QUERY_RECOMMENDATION';
  constructor(
    readonly id: string,
    readonly failure: RecommendationFailure,
    problem: string,
  ) {
    super(`The recommendation ${id} ${problem}`);
  }
}
