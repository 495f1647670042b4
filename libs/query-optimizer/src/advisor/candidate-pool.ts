import { type Candidate, candidateOf } from './candidate.js';
import { candidatesFor } from './candidates.js';
import { ConstantUse } from './constant-use.js';
import { coveredBy } from './covering.js';
import { type PlannedStatement, type PlannedWorkload } from './planned-workload.js';

/** All candidates of a workload, each once. */
export class CandidatePool {
  readonly #byId = new Map<string, Candidate>();
  readonly #covered = new Map<Candidate, string>();
  readonly #ofStatement = new Map<PlannedStatement, readonly Candidate[]>();

  constructor({ statements, tables }: PlannedWorkload) {
    const constants = new ConstantUse();
    for (const { uses, text, statement } of statements)
      constants.add(uses, text.parameterValues, statement.given.calls);
    for (const statement of statements) {
      const found = new Set<Candidate>();
      for (const use of statement.uses) {
        for (const candidate of candidatesFor(use, tables, constants)) {
          const known = this.#byId.get(candidate.id) ?? candidate;
          if (!this.#byId.has(candidate.id)) {
            this.#byId.set(candidate.id, candidate);
            const reason = coveredBy(candidate, tables.leavesOf(candidate.table));
            if (reason !== null) this.#covered.set(candidate, reason);
          }
          if (!this.#covered.has(known)) found.add(known);
        }
      }
      this.#ofStatement.set(statement, [...found]);
    }
  }

  /** Without those that an index of the database already covers. */
  get candidates(): readonly Candidate[] {
    return [...this.#byId.values()].filter((it) => !this.#covered.has(it));
  }

  /** With the reason. */
  get covered(): ReadonlyMap<Candidate, string> {
    return this.#covered;
  }

  of(statement: PlannedStatement): readonly Candidate[] {
    return this.#ofStatement.get(statement) ?? [];
  }

  /** The same index without INCLUDE; null when it has none, or when that is covered. */
  narrowed(candidate: Candidate): Candidate | null {
    if (candidate.included.length === 0) return null;
    const narrow = this.#byId.get(candidateOf({ ...candidate, included: [] }).id);
    return narrow === undefined || this.#covered.has(narrow) ? null : narrow;
  }
}
