import { type Operand } from '../analysis/predicate.js';
import { type WriteCost } from './advice.js';
import { type Candidate } from './candidate.js';
import { indexedFraction } from './size-model.js';
import { type TableCatalogue, type TableFacts } from './table-facts.js';
import { type AnalysedStatement } from './workload-statement.js';

/** Writes of the workload to one table. */
interface TableWrites {
  inserts: number;
  /** Rows of each UPDATE, with the columns that it sets. */
  readonly updates: { readonly rows: number; readonly columns: readonly string[] }[];
}

/** Header of a WAL record and of its block reference; PostgreSQL's XLogRecord and XLogRecordBlockHeader. */
const WAL_HEADER_BYTES = 24 + 20 + 8;
/** Share of the entries that are the first on their page after a checkpoint, and log the whole page. */
const FULL_PAGE_SHARE = 0.02;
const PAGE_BYTES = 8_192;
/** One page written costs about what `random_page_cost` says a page read costs. */
const COST_PER_PAGE = 4;
/** Comparisons on the way down, and the lock of a leaf. */
const DESCENT_COST = 0.05;

/** What indexes cost those who write. */
export class WriteModel {
  readonly #writes = new Map<number, TableWrites>();

  constructor(
    statements: readonly AnalysedStatement[],
    tables: TableCatalogue,
    searchPath: readonly string[],
    private readonly factor: number,
    private readonly rowsOf: (statement: AnalysedStatement) => number,
  ) {
    for (const statement of statements) {
      for (const write of statement.analysis.writes) {
        const schemas = write.relation.schema === null ? searchPath : [write.relation.schema];
        const table = schemas
          .map((it) => tables.named(it, write.relation.name))
          .find((it) => it !== undefined);
        if (table === undefined) continue;
        const rows = statement.given.calls * Math.max(1, this.rowsOf(statement));
        this.#add(tables.indexOwner(table), write.operations, write.updatedColumns, rows, write.assigned);
      }
    }
  }

  #add(
    table: TableFacts,
    operations: readonly string[],
    columns: readonly string[],
    rows: number,
    assigned: ReadonlyMap<string, readonly Operand[]>,
  ): void {
    const writes = this.#writes.get(table.oid) ?? { inserts: 0, updates: [] };
    this.#writes.set(table.oid, writes);
    const values = Math.max(1, ...[...assigned.values()].map((it) => it.length));
    if (operations.includes('insert')) writes.inserts += rows * (operations.includes('update') ? 1 : values);
    if (operations.includes('update')) writes.updates.push({ rows, columns });
  }

  /** @param sizeBytes of the whole index */
  costOf(candidate: Candidate, sizeBytes: number): WriteCost {
    const { table } = candidate;
    const writes = this.#writes.get(table.oid);
    const entryBytes = Math.max(16, sizeBytes / Math.max(1, table.rowCount));
    const walBytesPerEntry = Math.round(WAL_HEADER_BYTES + entryBytes + FULL_PAGE_SHARE * PAGE_BYTES);
    if (writes === undefined) return { entries: 0, walBytesPerEntry, lostHotUpdates: 0, cost: 0 };
    const held = new Set([
      ...candidate.keys.flatMap((it) => it.columns),
      ...candidate.included,
      ...candidate.predicateColumns,
    ]);
    const touching = writes.updates.filter(({ columns }) => columns.some((it) => held.has(it)));
    const isIndexed = (column: string) =>
      table.indexes.some((index) => [...index.keys, ...index.included].some((it) => it.includes(column)));
    // BRIN summarises blocks, and PostgreSQL 16 and later keep HOT with it.
    const lost = touching.filter(({ columns }) => candidate.method !== 'brin' && !columns.some(isIndexed));
    const lostHotUpdates = lost.reduce((sum, it) => sum + it.rows, 0);
    const updated = touching.reduce((sum, it) => sum + it.rows, 0);
    const entries = (writes.inserts + updated) * indexedFraction(candidate, table);
    const perEntry = DESCENT_COST + (walBytesPerEntry / PAGE_BYTES) * COST_PER_PAGE;
    // An update that is no longer HOT makes an entry in every index that the table has.
    const cost = this.factor * perEntry * (entries + lostHotUpdates * table.indexes.length);
    return { entries, walBytesPerEntry, lostHotUpdates, cost };
  }
}
