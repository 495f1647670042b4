import { type AdvisorSession, messageOf } from './advisor-session.js';
import { type Candidate, createIndexOn, quoteIdentifier } from './candidate.js';
import { type Clone } from './clone.js';
import { type TableCatalogue } from './table-facts.js';

interface Built {
  /** Qualified and quoted. */
  readonly relations: readonly string[];
  readonly oids: readonly number[];
  /** Extrapolated from the copies to the tables. */
  readonly sizeBytes: number;
  readonly buildMs: number;
}

const HIDDEN = 'SAVEPOINT peregrine_hidden';

/**
 * Indexes that are really built, on copies of the tables. All of them are built once; those that are not wanted are marked as
 * invalid, or without a superuser's rights dropped behind a savepoint, and are back when it is rolled back.
 */
export class BuiltIndexes {
  readonly #built = new Map<Candidate, Built>();
  readonly #candidates = new Map<string, Candidate>();
  #present: ReadonlySet<Candidate> | null = null;

  constructor(
    private readonly session: AdvisorSession,
    private readonly clone: Clone,
    private readonly tables: TableCatalogue,
  ) {}

  get all(): readonly Candidate[] {
    return [...this.#built.keys()];
  }

  /** Answers those that could not be built, with the reason. Stops at `deadline` (performance.now). */
  async build(
    candidates: readonly Candidate[],
    deadline: number,
  ): Promise<ReadonlyMap<Candidate, string | null>> {
    await this.#showAll();
    const failed = new Map<Candidate, string | null>();
    for (const it of candidates) {
      if (this.#built.has(it)) continue;
      if (performance.now() > deadline) {
        failed.set(it, null);
        continue;
      }
      const made = await this.session.attempt(() => this.#build(it));
      if (made instanceof Error) failed.set(it, messageOf(made));
      else this.#built.set(it, made);
    }
    await this.#analyseExpressions(candidates.filter((it) => this.#built.has(it)));
    await this.clone.markVisible();
    return failed;
  }

  /** Exactly these of the built ones are there afterwards. */
  async present(wanted: ReadonlySet<Candidate>): Promise<void> {
    const shown = new Set(this.all.filter((it) => wanted.has(it)));
    if (this.#present !== null && isSame(shown, this.#present)) return;
    if (this.#present === null && shown.size === this.#built.size) return;
    if (this.session.isSuperuser) {
      await this.#toggle(shown);
      return;
    }
    await this.#showAll();
    const hidden = this.all.filter((it) => !shown.has(it));
    if (hidden.length === 0) return;
    const relations = hidden.flatMap((it) => this.#built.get(it)?.relations ?? []);
    await this.session.rows(HIDDEN);
    await this.session.rows(`DROP INDEX ${relations.join(', ')}`);
    this.#present = shown;
  }

  named(name: string): Candidate | undefined {
    return this.#candidates.get(name);
  }

  sizeBytes(candidate: Candidate): number {
    return this.#built.get(candidate)?.sizeBytes ?? 0;
  }

  buildMs(candidate: Candidate): number {
    return this.#built.get(candidate)?.buildMs ?? 0;
  }

  /** The planner passes over an index that is not valid: a few rows of the catalogue, where hundreds of drops would be needed. */
  async #toggle(shown: ReadonlySet<Candidate>): Promise<void> {
    const before = this.#present ?? new Set(this.all);
    const changed = [...shown.symmetricDifference(before)].flatMap((it) => this.#built.get(it)?.oids ?? []);
    const valid = [...shown].flatMap((it) => this.#built.get(it)?.oids ?? []);
    await this.session.rows(
      `UPDATE pg_catalog.pg_index SET indisvalid = indexrelid = ANY ($2::oid[]) WHERE indexrelid = ANY ($1::oid[])`,
      [changed, valid],
    );
    this.#present = shown;
  }

  async #showAll(): Promise<void> {
    if (this.#present === null) return;
    if (this.session.isSuperuser) {
      await this.#toggle(new Set(this.all));
      this.#present = null;
      return;
    }
    await this.session.rows('ROLLBACK TO SAVEPOINT peregrine_hidden');
    await this.session.rows('RELEASE SAVEPOINT peregrine_hidden');
    this.#present = null;
  }

  async #build(candidate: Candidate): Promise<Built> {
    if (candidate.extension === 'pg_trgm' && (await this.session.extension('pg_trgm')) === null)
      throw new Error('the extension pg_trgm is not there, and could not be created');
    const relations: string[] = [];
    const oids: number[] = [];
    let sizeBytes = 0;
    let buildMs = 0;
    for (const leaf of this.tables.leavesOf(candidate.table)) {
      const copy = this.clone.of(leaf);
      if (copy === undefined)
        throw new Error(this.clone.failure(leaf) ?? `there is no copy of the table ${leaf.name}`);
      const name = `peregrine_advisor_${this.#candidates.size}`;
      const start = performance.now();
      await this.session.rows(createIndexOn(copy.relation, candidate, name));
      buildMs += (performance.now() - start) / copy.fraction;
      const relation = `${copy.relation.slice(0, copy.relation.lastIndexOf('.'))}.${quoteIdentifier(name)}`;
      const [row] = await this.session.rows<{ oid: number; bytes: string }>(
        'SELECT $1::regclass::oid AS oid, pg_catalog.pg_relation_size($1::regclass) AS bytes',
        [relation],
      );
      sizeBytes += Number(row?.bytes ?? 0) / copy.fraction;
      relations.push(relation);
      if (row !== undefined) oids.push(row.oid);
      this.#candidates.set(name, candidate);
    }
    return { relations, oids, sizeBytes: Math.round(sizeBytes), buildMs };
  }

  async #analyseExpressions(candidates: readonly Candidate[]): Promise<void> {
    const withExpressions = candidates.filter((it) => it.keys.some((key) => key.isExpression));
    const leaves = new Set(withExpressions.flatMap((it) => this.tables.leavesOf(it.table)));
    for (const leaf of leaves) {
      const relation = this.clone.of(leaf)?.relation;
      // Statistics of expressions come with the first ANALYZE after their index.
      if (relation !== undefined) await this.session.attempt(() => this.session.rows(`ANALYZE ${relation}`));
    }
  }
}

function isSame(one: ReadonlySet<Candidate>, other: ReadonlySet<Candidate>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
