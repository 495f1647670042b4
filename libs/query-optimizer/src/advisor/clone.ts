import { randomBytes } from 'node:crypto';

import { formatRelationName } from '../analysis/relation-name.js';
import { type AdvisorSession, messageOf } from './advisor-session.js';
import { quoteIdentifier } from './candidate.js';
import { type NamedRelation, namedRelations, withRelations } from './clone-text.js';
import { giveRowCount, giveStatistics } from './copied-statistics.js';
import { type TableCatalogue, type TableFacts } from './table-facts.js';

/** A copy of a table, with its indexes and statistics, that only this transaction sees. */
export interface ClonedTable {
  readonly relation: string;
  /** Share of the rows that were copied, above 0 and up to 1. */
  readonly fraction: number;
  /** Indexes are built while the copy has one of so many of its rows; the others come afterwards, past the indexes. */
  readonly divisor: number;
}

const RESTORE_STATISTICS_VERSION = 180_000;
/** Of tables with fewer rows an index is built in no time. */
const MIN_DIVIDED_ROWS = 10_000;
/** Leaves that are filled to 11 % instead of 90 % make an index of an eighth of the rows as large as that of all. */
const MAX_DIVISOR = 8;
/** ANALYZE reads up to 30,000 rows whole: its statistics are the same every time. */
const ANALYSED_ROWS = 25_000;

/** Copies of tables and views, and texts that are turned to them. All of it ends with the transaction. */
export class Clone {
  readonly #tables = new Map<number, ClonedTable>();
  readonly #views = new Map<string, string>();
  readonly #failures = new Map<number, string>();
  #schema: string | undefined;

  constructor(
    private readonly session: AdvisorSession,
    private readonly tables: TableCatalogue,
    private readonly maxBytes: number,
  ) {}

  of(table: TableFacts): ClonedTable | undefined {
    return this.#tables.get(table.oid);
  }

  failure(table: TableFacts): string | null {
    return this.#failures.get(table.oid) ?? null;
  }

  /** Tables of which only a part was copied. */
  get sampled(): readonly (readonly [TableFacts, number])[] {
    return [...this.#tables].flatMap(([oid, { fraction }]) => {
      const table = this.tables.byOid(oid);
      return table === undefined || fraction === 1 ? [] : [[table, fraction] as const];
    });
  }

  /** Copies the tables, parents before children. One that cannot be copied is left out, with a reason. */
  async add(wanted: readonly TableFacts[]): Promise<void> {
    const missing = wanted.filter((it) => !this.#tables.has(it.oid) && !this.#failures.has(it.oid));
    if (missing.length === 0) return;
    // Outside of the steps that may fail and be undone. On a server that only reads there is no place for copies.
    const place = await this.session.attempt(() => this.#place());
    if (place instanceof Error) {
      for (const { oid } of missing) this.#failures.set(oid, messageOf(place));
      return;
    }
    const depth = (it: TableFacts): number =>
      Math.max(0, ...it.parents.flatMap((oid) => this.tables.byOid(oid) ?? []).map((up) => depth(up) + 1));
    for (const table of missing.toSorted((a, b) => depth(a) - depth(b))) {
      const made = await this.session.attempt(() => this.#copy(table));
      if (made instanceof Error) this.#failures.set(table.oid, messageOf(made));
      else this.#tables.set(table.oid, made);
    }
  }

  /** The text for the copies. Views are followed, tables without a copy stay as they are. */
  async textFor(text: string): Promise<string> {
    for (const it of namedRelations(text)) await this.#addView(it);
    return withRelations(text, (it) => this.#replacement(it));
  }

  async #copy(table: TableFacts): Promise<ClonedTable> {
    const relation = `${await this.#place()}.${quoteIdentifier(`t${table.oid}`)}`;
    const source = formatRelationName(table);
    const partitionBy = table.partitionKey === null ? '' : ` PARTITION BY ${table.partitionKey}`;
    await this.session.rows(
      `CREATE ${this.#persistence(table)} TABLE ${relation}
       (LIKE ${source} INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STATISTICS)${partitionBy}`,
    );
    const fraction = Math.min(1, this.maxBytes / Math.max(1, table.sizeBytes));
    const copied = { relation, fraction, divisor: this.#divisorFor(table, fraction) };
    if (table.kind !== 'p') await this.session.rows(insertInto(copied, table, '='));
    await this.#attach(table, relation);
    return copied;
  }

  /** Only a superuser may keep an index out of the way while rows come. */
  #divisorFor(table: TableFacts, fraction: number): number {
    const rowCount = table.rowCount * fraction;
    if (table.kind === 'p' || !this.session.isSuperuser || rowCount < MIN_DIVIDED_ROWS) return 1;
    return Math.min(MAX_DIVISOR, Math.ceil((rowCount / ANALYSED_ROWS) * 2));
  }

  /** Before {@link fill}, and after the indexes: their expressions have statistics only then. */
  async analyse(): Promise<void> {
    for (const { relation } of this.#tables.values())
      await this.session.attempt(() => this.session.rows(`ANALYZE ${relation}`));
  }

  /** Brings the rest of the rows, and what ANALYZE knows of the tables themselves. */
  async fill(): Promise<void> {
    for (const [oid, copied] of this.#tables) {
      const table = this.tables.byOid(oid);
      if (table === undefined || copied.divisor === 1) continue;
      const filled = await this.session.attempt(() => this.session.rows(insertInto(copied, table, '<>')));
      if (!(filled instanceof Error)) continue;
      this.#failures.set(oid, messageOf(filled));
      this.#tables.delete(oid);
    }
    if (!this.session.isSuperuser) return;
    for (const [oid, { relation, divisor }] of this.#tables) {
      await this.session.attempt(() => giveStatistics(this.session, oid, relation));
      if (divisor > 1) await this.session.attempt(() => giveRowCount(this.session, relation));
    }
  }

  async #attach(table: TableFacts, relation: string): Promise<void> {
    for (const oid of table.parents) {
      const parent = this.#tables.get(oid);
      if (parent === undefined) continue;
      await this.session.rows(
        table.partitionBound === null
          ? `ALTER TABLE ${relation} INHERIT ${parent.relation}`
          : `ALTER TABLE ${parent.relation} ATTACH PARTITION ${relation} ${table.partitionBound}`,
      );
    }
  }

  /** VACUUM cannot run here, and without it no page counts as visible to an index-only scan. After the last CREATE INDEX. */
  async markVisible(): Promise<void> {
    for (const [oid, { relation }] of this.#tables) {
      const table = this.tables.byOid(oid);
      if (table === undefined || table.visibleFraction === 0 || table.kind === 'p') continue;
      await this.session.attempt(() => this.#markVisible(relation, table.visibleFraction));
    }
  }

  async #markVisible(relation: string, fraction: number): Promise<void> {
    if (this.session.isSuperuser) {
      await this.session.rows(
        `UPDATE pg_catalog.pg_class SET relallvisible = (relpages * $2::float8)::int WHERE oid = $1::regclass`,
        [relation, fraction],
      );
    } else if (this.session.serverVersion >= RESTORE_STATISTICS_VERSION) {
      await this.session.rows(
        `SELECT pg_catalog.pg_restore_relation_stats('schemaname', n.nspname, 'relname', c.relname,
                'relallvisible', (c.relpages * $2::float8)::int)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::regclass`,
        [relation, fraction],
      );
    }
  }

  /** Temporary tables allow no parallel plan, so they are only for those who may create no schema. */
  async #place(): Promise<string> {
    if (this.#schema !== undefined) return this.#schema;
    if (!this.session.mayCreateSchema) return (this.#schema = 'pg_temp');
    const schema = quoteIdentifier(`peregrine_advisor_${randomBytes(6).toString('hex')}`);
    await this.session.rows(`CREATE SCHEMA ${schema}`);
    return (this.#schema = schema);
  }

  #persistence(table: TableFacts): string {
    if (!this.session.mayCreateSchema) return 'TEMPORARY';
    return table.kind === 'p' ? '' : 'UNLOGGED';
  }

  #replacement(it: NamedRelation): string | null {
    const table = this.#find(it);
    if (table !== undefined) return this.#tables.get(table.oid)?.relation ?? null;
    return this.#views.get(formatRelationName(it)) ?? null;
  }

  #find({ schema, name }: NamedRelation): TableFacts | undefined {
    const schemas = schema === null ? this.session.searchPath : [schema];
    return schemas.map((it) => this.tables.named(it, name)).find((it) => it !== undefined);
  }

  async #addView(relation: NamedRelation): Promise<void> {
    const key = formatRelationName(relation);
    if (this.#find(relation) !== undefined || this.#views.has(key)) return;
    const [row] = await this.session.rows<{ definition: string | null }>(
      `SELECT pg_catalog.pg_get_viewdef(oid) AS definition FROM pg_catalog.pg_class
       WHERE oid = pg_catalog.to_regclass($1) AND relkind = 'v' AND relnamespace <> 'pg_catalog'::regnamespace`,
      [key],
    );
    if (row?.definition == null) return;
    const definition = await this.textFor(row.definition.replace(/;\s*$/, ''));
    const view = `${await this.#place()}.${quoteIdentifier(`v${this.#views.size}`)}`;
    await this.session.rows(
      `CREATE ${this.session.mayCreateSchema ? '' : 'TEMPORARY '}VIEW ${view} AS ${definition}`,
    );
    this.#views.set(key, view);
  }
}

/** A part of the rows of the sample: `=` those for which indexes are built, `<>` the others. */
function insertInto(
  { relation, fraction, divisor }: ClonedTable,
  table: TableFacts,
  part: '=' | '<>',
): string {
  const sample = fraction < 1 ? ` TABLESAMPLE SYSTEM (${100 * fraction}) REPEATABLE (1)` : '';
  const where = divisor === 1 ? '' : ` WHERE pg_catalog.hashtid(ctid) % ${divisor} ${part} 0`;
  return `INSERT INTO ${relation} SELECT * FROM ONLY ${formatRelationName(table)}${sample}${where}`;
}
