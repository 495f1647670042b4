import { type Bloat } from './bloat.js';
import { type ForeignKeyRow, serves } from './foreign-keys.js';
import { type IndexFinding, type IndexWriteCost } from './index-finding.js';
import { type IndexRow } from './index-rows.js';
import { btreeBytes } from './index-size.js';
import { usageKey } from './index-usage.js';
import { createStatement, dropStatement, rebuildStatement } from './mending.js';
import { findRedundant } from './redundancy.js';

/** What the server and its replicas say. */
export interface IndexFacts {
  readonly indexes: readonly IndexRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
  readonly bloated: readonly Bloat[];
  readonly statisticsSince: Date | null;
  /** Why the count of uses is not the whole truth; null when it is. */
  readonly usageCaution: string | null;
  /** Columns that captured updates of the table set; undefined when none was captured. */
  updatedColumns(schema: string, table: string): ReadonlySet<string> | undefined;
}

/** A table of so few pages is read as a whole, whatever indexes it has. */
const SMALL_TABLE_PAGES = 10;
/** A covering index that is this many times as large is slower to read. */
const MUCH_LARGER = 4;
/** What REINDEX CONCURRENTLY leaves behind when it fails. */
const LEFTOVER = /_cc(new|old)\d*$/;
const UNKNOWN_WIDTH_BYTES = 8;

/** Largest first within each kind; an index that is to go is in one of them only. Pure. */
export function indexFindings(facts: IndexFacts): IndexFinding[] {
  const redundant = redundantFindings(facts);
  const others = without(facts.indexes, redundant);
  const unused = unusedFindings(others, facts);
  return [
    ...invalidFindings(others, facts),
    ...redundant,
    ...unused,
    ...bloatFindings(without(others, unused), facts),
    ...foreignKeyFindings(facts),
  ];
}

function without(indexes: readonly IndexRow[], findings: readonly IndexFinding[]): IndexRow[] {
  const gone = new Set(findings.map((it) => usageKey(it.schema, it.index ?? '')));
  return indexes.filter((it) => !gone.has(usageKey(it.schema, it.name)));
}

function redundantFindings(facts: IndexFacts): IndexFinding[] {
  const findings = findRedundant(facts.indexes).map(({ index, coveredBy, kind }) => ({
    ...base(index, facts),
    kind,
    coveredBy: coveredBy.name,
    reason:
      kind === 'duplicate'
        ? `${coveredBy.name} has the same columns and does the same work`
        : `${coveredBy.name} begins with the same columns and does its work`,
    caution:
      index.scans > 0 && coveredBy.sizeBytes > index.sizeBytes * MUCH_LARGER
        ? `${coveredBy.name} is much larger, so reads of many rows may take longer`
        : null,
    statement: dropStatement(index),
  }));
  return largestFirst(findings);
}

function invalidFindings(indexes: readonly IndexRow[], facts: IndexFacts): IndexFinding[] {
  const findings = indexes
    .filter((it) => !it.isValid && !it.isBeingBuilt && !it.isAttached)
    .map((index) => {
      const isLeftover = LEFTOVER.test(index.name);
      const reason = index.isPartitioned
        ? 'partitions without an index of theirs attached: it is not used'
        : 'a build of it has failed: it is written to and never read';
      return {
        ...base(index, facts),
        kind: 'invalid' as const,
        reason,
        caution: index.isPartitioned ? 'attach the indexes that are missing instead, if it is wanted' : null,
        statement: isLeftover || index.isPartitioned ? dropStatement(index) : rebuildStatement(index),
      };
    });
  return largestFirst(findings);
}

function unusedFindings(indexes: readonly IndexRow[], facts: IndexFacts): IndexFinding[] {
  const findings = indexes
    .filter((it) => it.scans === 0 && mayBeUnused(it) && !isForForeignKey(it, facts))
    .map((index) => ({
      ...base(index, facts),
      kind: 'unused' as const,
      reason: facts.statisticsSince
        ? `never used since ${facts.statisticsSince.toISOString()}`
        : 'never used since its statistics began',
      caution: facts.usageCaution,
      statement: dropStatement(index),
    }));
  return largestFirst(findings);
}

function mayBeUnused(index: IndexRow): boolean {
  const { isUnique, isPrimary, isExclusion, isReplicaIdentity, isValid, isAttached, constraint } = index;
  const isNeeded = isUnique || isPrimary || isExclusion || isReplicaIdentity || constraint !== null;
  return (
    isValid && !isNeeded && !isAttached && (index.isPartitioned || index.tablePages >= SMALL_TABLE_PAGES)
  );
}

/** Deleting a referenced row would read the whole table without it. */
function isForForeignKey(index: IndexRow, { foreignKeys }: IndexFacts): boolean {
  return foreignKeys.some((it) => serves(index, it));
}

function bloatFindings(indexes: readonly IndexRow[], facts: IndexFacts): IndexFinding[] {
  const oids = new Set(indexes.map((it) => it.oid));
  const findings = facts.bloated
    .filter(({ index }) => oids.has(index.oid))
    .map(({ index, freedBytes, source }) => ({
      ...base(index, facts),
      kind: 'bloated' as const,
      reason: `${Math.round((freedBytes / index.sizeBytes) * 100)} % of it is empty (${
        source === 'measured' ? 'measured by pgstattuple' : 'estimated from the statistics'
      })`,
      caution: null,
      sizeBytes: Math.round(freedBytes),
      sizeSource: source,
      statement: rebuildStatement(index),
    }));
  return largestFirst(findings);
}

function foreignKeyFindings(facts: IndexFacts): IndexFinding[] {
  const { foreignKeys, indexes } = facts;
  const missing = foreignKeys.filter((key) => !indexes.some((it) => serves(it, key)));
  const once = new Map(missing.map((it) => [`${it.tableOid} ${it.columns.join('\0')}`, it]));
  const findings = [...once.values()].map((key): IndexFinding => {
    const { schema, table, columns, name, referenced, rows, widthBytes, isPartitioned } = key;
    return {
      kind: 'missing foreign key',
      schema,
      table,
      index: null,
      columns,
      reason: `${name}: each delete in ${referenced} reads the whole of ${table}, and so do joins by it`,
      caution: isPartitioned
        ? 'writers wait while it is built; build it on each partition first to avoid that'
        : null,
      sizeBytes: btreeBytes({ rows, widthBytes: widthBytes ?? UNKNOWN_WIDTH_BYTES, distinctKeys: null }),
      sizeSource: 'estimated',
      writeCost: writeCost(key, columns, facts),
      coveredBy: null,
      scans: 0,
      statement: createStatement(key, columns),
    };
  });
  return largestFirst(findings);
}

function base(index: IndexRow, facts: IndexFacts) {
  const columns = index.keys.map((it) => it.column ?? it.text);
  const written = index.keys.map((it) => it.column).filter((it) => it !== null);
  return {
    schema: index.schema,
    table: index.table,
    index: index.name,
    columns,
    sizeBytes: index.sizeBytes,
    sizeSource: 'measured' as const,
    writeCost: writeCost(index, written, facts),
    coveredBy: null,
    scans: index.scans,
  };
}

function writeCost(
  it: Pick<IndexRow, 'schema' | 'table' | 'inserts' | 'updates' | 'hotUpdates'>,
  columns: readonly string[],
  facts: IndexFacts,
): IndexWriteCost {
  const updated = facts.updatedColumns(it.schema, it.table);
  return {
    entries: it.inserts + it.updates - it.hotUpdates,
    hotShare: it.updates > 0 ? it.hotUpdates / it.updates : null,
    blocksHot: updated ? columns.some((column) => updated.has(column)) : null,
  };
}

function largestFirst(findings: readonly IndexFinding[]): IndexFinding[] {
  return findings.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
}
