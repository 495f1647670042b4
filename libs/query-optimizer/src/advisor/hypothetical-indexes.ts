import { type AdvisorSession, messageOf } from './advisor-session.js';
import { type Candidate, createIndexOn, quoteIdentifier } from './candidate.js';

/** HypoPG borrows some 2,500 object ids and takes them back only when it is reset. */
const MAX_CREATED = 1_500;

/** Tables on which an index has to be pretended: the leaves of the candidate's table, and their copies. */
export type PlacesOf = (candidate: Candidate) => readonly string[];

interface Pretended {
  readonly oids: readonly number[];
  readonly names: readonly string[];
}

/** Indexes that only the planner of this connection sees. */
export class HypotheticalIndexes {
  readonly #present = new Map<Candidate, Pretended>();
  readonly #candidates = new Map<string, Candidate>();
  readonly #schema: string;
  #created = 0;

  /** @param schema where HypoPG's functions are */
  constructor(
    private readonly session: AdvisorSession,
    schema: string,
    private readonly placesOf: PlacesOf,
  ) {
    this.#schema = quoteIdentifier(schema);
  }

  /** Exactly these are there afterwards. Answers those that HypoPG refused, with its reason. */
  async present(wanted: ReadonlySet<Candidate>): Promise<ReadonlyMap<Candidate, string>> {
    const refused = new Map<Candidate, string>();
    const superfluous = [...this.#present.keys()].filter((it) => !wanted.has(it));
    if (superfluous.length === this.#present.size || this.#created > MAX_CREATED) await this.#reset();
    else await this.#drop(superfluous);
    const missing = [...wanted].filter((it) => !this.#present.has(it));
    if (missing.length === 0) return refused;
    const together = await this.session.attempt(() => this.#create(missing));
    if (!(together instanceof Error)) return refused;
    for (const it of missing) {
      const made = await this.session.attempt(() => this.#create([it]));
      if (made instanceof Error) refused.set(it, messageOf(made));
    }
    return refused;
  }

  /** The candidate behind the name of an index in a plan. */
  named(name: string): Candidate | undefined {
    return this.#candidates.get(name);
  }

  async #create(candidates: readonly Candidate[]): Promise<void> {
    const places = candidates.flatMap((it) => this.placesOf(it).map((place) => [it, place] as const));
    const rows = await this.session.rows<{ oid: number; name: string }>(
      `SELECT h.indexrelid AS oid, h.indexname AS name
       FROM unnest($1::text[]) WITH ORDINALITY AS t (statement, place),
            LATERAL ${this.#schema}.hypopg_create_index(t.statement) AS h
       ORDER BY t.place`,
      [places.map(([it, place]) => createIndexOn(place, it))],
    );
    this.#created += rows.length;
    const made = new Map<Candidate, { oids: number[]; names: string[] }>();
    for (const [i, [candidate]] of places.entries()) {
      const row = rows[i];
      if (row === undefined) throw new Error('HypoPG made no index of it');
      const entry = made.get(candidate) ?? { oids: [], names: [] };
      made.set(candidate, { oids: [...entry.oids, row.oid], names: [...entry.names, row.name] });
      this.#candidates.set(row.name, candidate);
    }
    for (const [candidate, it] of made) this.#present.set(candidate, it);
  }

  async #drop(candidates: readonly Candidate[]): Promise<void> {
    const oids = candidates.flatMap((it) => this.#present.get(it)?.oids ?? []);
    if (oids.length === 0) return;
    await this.session.rows(`SELECT ${this.#schema}.hypopg_drop_index(oid) FROM unnest($1::oid[]) AS oid`, [
      oids,
    ]);
    for (const it of candidates) this.#present.delete(it);
  }

  async #reset(): Promise<void> {
    await this.session.rows(`SELECT ${this.#schema}.hypopg_reset()`);
    this.#present.clear();
    this.#created = 0;
  }
}
