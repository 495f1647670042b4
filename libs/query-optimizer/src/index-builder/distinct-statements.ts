import { type WorkloadStatement } from '../advisor/advice.js';

/**
 * One object for each statement, however many copies there are: an advice that was read from JSON has one for each index that
 * serves it.
 */
export class DistinctStatements {
  readonly #byKey = new Map<string, WorkloadStatement>();

  /** The first copy of the statement that was asked for. */
  of(statement: WorkloadStatement): WorkloadStatement {
    const key = keyOf(statement);
    const known = this.#byKey.get(key) ?? statement;
    this.#byKey.set(key, known);
    return known;
  }

  all(): readonly WorkloadStatement[] {
    return [...this.#byKey.values()];
  }
}

/** By values as well: the same text with others is another measurement. */
function keyOf({ id, text, parameters = [] }: WorkloadStatement): string {
  return JSON.stringify([id, text, parameters], (_, it: unknown) => (typeof it === 'bigint' ? `${it}n` : it));
}
