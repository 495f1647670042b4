import { QueryPlannerInputError } from '../query-optimizer.errors.js';
import { type NumberedQuestion, type PlanQuestion } from './plan-question.js';

/** Checks questions, and puts numbers in the place of names. */
export class QuestionReader<Plan extends string> {
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(
    plans: readonly Plan[],
    private readonly features: readonly string[],
  ) {
    this.#numbers = new Map(plans.map((plan, number) => [plan, number]));
  }

  /** @throws {QueryPlannerInputError} */
  read({ features, allowed, fallback, buckets }: PlanQuestion<Plan>): NumberedQuestion {
    const row = this.#row(features);
    if (allowed.length === 0) throw new QueryPlannerInputError('no plan is allowed');
    let bits = 0;
    for (const plan of allowed) bits |= 1 << this.#numberOf(plan);
    const number = this.#numberOf(fallback);
    if (((bits >>> number) & 1) === 0)
      throw new QueryPlannerInputError(`the fallback ${fallback} is not among the plans that are allowed`);
    const wrong = buckets.find((it) => !Number.isFinite(it));
    if (wrong !== undefined) throw new QueryPlannerInputError(`a bucket is ${wrong}`);
    return { row, allowed: bits, fallback: number };
  }

  #row(values: ArrayLike<number>): Float64Array {
    const { features } = this;
    if (values.length !== features.length)
      throw new QueryPlannerInputError(`it has ${values.length} features instead of ${features.length}`);
    const row = values instanceof Float64Array ? values : Float64Array.from(values);
    for (let at = 0; at < row.length; at++) {
      const value = row[at] ?? NaN;
      if (!Number.isFinite(value))
        throw new QueryPlannerInputError(`the feature ${features[at]} is ${value}, no finite number`);
    }
    return row;
  }

  #numberOf(plan: Plan): number {
    const number = this.#numbers.get(plan);
    if (number === undefined) throw new QueryPlannerInputError(`there is no plan ${plan}`);
    return number;
  }
}
