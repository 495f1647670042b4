import { type AdvisorSession, messageOf } from './advisor-session.js';
import { type Candidate, createIndexOn, quoteIdentifier } from './candidate.js';
import { type Clone, type ClonedTable } from './clone.js';
import { estimatedSizeBytes } from './size-model.js';
import { type TableCatalogue, type TableFacts } from './table-facts.js';

interface Built {
  /** Qualified and quoted. */
  readonly relations: readonly string[];
  readonly oids: readonly number[];
  /** Extrapolated from the copies to the tables. */
  readonly sizeBytes: number;
  readonly buildMs: number;
}

interface Part {
  readonly relation: string;
  readonly oid: number;
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
    const failed = new Map<Candidate, string | null>();
    for (const it of candidates) {
      if (performance.now() > deadline) {
        failed.set(it, null);
        continue;
      }
      const made = await this.session.attempt(() => this.#build(it));
      if (made instanceof Error) failed.set(it, messageOf(made));
      else this.#built.set(it, made);
    }
    await this.#fill();
    return failed;
  }

  /** The copies get the rest of their rows, which would be slow through hundreds of indexes. */
  async #fill(): Promise<void> {
    await this.clone.analyse();
    const isDivided = this.session.isSuperuser && this.#built.size > 0;
    if (isDivided) await this.#letRowsPass();
    await this.clone.fill();
    // GIN knows no fill factor.
    for (const [candidate, built] of this.#built) {
      if (isDivided && candidate.method === 'gin') await this.#rebuild(candidate, built);
    }
    await this.clone.markVisible();
  }

  async #letRowsPass(): Promise<void> {
    await this.session.rows(
      'UPDATE pg_catalog.pg_index SET indisready = false WHERE indexrelid = ANY ($1::oid[])',
      [[...this.#built.values()].flatMap((it) => it.oids)],
    );
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
    const parts: Part[] = [];
    for (const leaf of this.tables.leavesOf(candidate.table)) {
      const copy = this.clone.of(leaf);
      if (copy === undefined)
        throw new Error(this.clone.failure(leaf) ?? `there is no copy of the table ${leaf.name}`);
      const name = `peregrine_advisor_${this.#candidates.size}`;
      parts.push(await this.#buildOn(leaf, copy, candidate, name));
      this.#candidates.set(name, candidate);
    }
    return {
      relations: parts.map((it) => it.relation),
      oids: parts.map((it) => it.oid),
      sizeBytes: Math.round(parts.reduce((sum, it) => sum + it.sizeBytes, 0)),
      buildMs: parts.reduce((sum, it) => sum + it.buildMs, 0),
    };
  }

  async #buildOn(leaf: TableFacts, copy: ClonedTable, candidate: Candidate, name: string): Promise<Part> {
    const { fraction, divisor } = copy;
    const start = performance.now();
    await this.session.rows(createIndexOn(copy.relation, candidate, name, stretched(candidate, divisor)));
    const buildMs = ((performance.now() - start) * divisor) / fraction;
    const schema = copy.relation.slice(0, copy.relation.lastIndexOf('.'));
    const relation = `${schema}.${quoteIdentifier(name)}`;
    const [row] = await this.session.rows<{ oid: number; bytes: string }>(
      'SELECT $1::regclass::oid AS oid, pg_catalog.pg_relation_size($1::regclass) AS bytes',
      [relation],
    );
    if (row === undefined) throw new Error('the index is gone');
    const measured = Number(row.bytes) / fraction;
    // A stretched index does not show its size, nor GIN before it has all rows.
    const sizeBytes =
      divisor === 1 || candidate.method === 'gin' ? measured : estimatedSizeBytes(candidate, leaf);
    return { relation, oid: row.oid, sizeBytes, buildMs };
  }

  /** With all rows of the copies. */
  async #rebuild(candidate: Candidate, built: Built): Promise<void> {
    const leaves = this.tables.leavesOf(candidate.table);
    const made = await this.session.attempt(async () => {
      let sizeBytes = 0;
      for (const [i, relation] of built.relations.entries()) {
        await this.session.rows(`REINDEX INDEX ${relation}`);
        const [row] = await this.session.rows<{ bytes: string }>(
          'SELECT pg_catalog.pg_relation_size($1::regclass) AS bytes',
          [relation],
        );
        const leaf = leaves[i];
        sizeBytes += Number(row?.bytes ?? 0) / ((leaf && this.clone.of(leaf)?.fraction) ?? 1);
      }
      return Math.round(sizeBytes);
    });
    if (!(made instanceof Error)) this.#built.set(candidate, { ...built, sizeBytes: made });
  }
}

/** An index of a part of the rows with as many pages as one of all of them has. */
function stretched({ method }: Candidate, divisor: number): string {
  if (divisor === 1 || (method !== 'btree' && method !== 'hash')) return '';
  const usual = method === 'btree' ? 90 : 75;
  return ` WITH (fillfactor = ${Math.max(10, Math.round(usual / divisor))})`;
}

function isSame(one: ReadonlySet<Candidate>, other: ReadonlySet<Candidate>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
