import { randomUUID } from 'node:crypto';
import { type DataSource, type Logger } from 'typeorm';

/** A statement as a test has sent it. */
export interface SentStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** What the plans of some statements have in common. */
export interface IndexUse {
  /** Names of the indexes that at least one plan uses, also to find a conflict. */
  readonly used: ReadonlySet<string>;
  /** Tables that a plan reads as a whole, each with the statement. */
  readonly scans: readonly { readonly table: string; readonly sql: string }[];
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Conflict Arbiter Indexes'?: readonly string[];
  readonly Plans?: readonly PlanNode[];
}

/** The statements that `work` sends through a data source, each text once, with the last of its parameters. */
export async function recordStatements(
  source: DataSource,
  work: () => Promise<void>,
): Promise<SentStatement[]> {
  const sent = new Map<string, SentStatement>();
  const before = source.logger;
  source.logger = queryLogger((sql, parameters) => {
    if (/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(sql)) sent.set(sql, { sql, parameters });
  });
  try {
    await work();
  } finally {
    source.logger = before;
  }
  return [...sent.values()];
}

/**
 * What PostgreSQL asks by itself of the tables that refer to a row, when that row goes. For keys whose first column is a UUID.
 *
 * @param tables names of the tables that refer
 */
export async function foreignKeyChecks(
  source: DataSource,
  tables: (name: string) => boolean,
): Promise<SentStatement[]> {
  const keys = await source.query<{ table: string; column: string }[]>(
    `SELECT f.conrelid::regclass::text AS table, a.attname AS column FROM pg_constraint f
       JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
      WHERE f.contype = 'f' AND f.connamespace = 'public'::regnamespace`,
  );
  return keys
    .filter(({ table }) => tables(table))
    .map(({ table, column }) => ({
      sql: `DELETE FROM ONLY ${table} WHERE $1::uuid = ${column}`,
      parameters: [randomUUID()],
    }));
}

/** The indexes and the scans of whole tables in the plans of the statements; nothing is run. */
export async function indexUse(source: DataSource, statements: Iterable<SentStatement>): Promise<IndexUse> {
  const used = new Set<string>();
  const scans: { table: string; sql: string }[] = [];
  for (const statement of statements) {
    for (const node of await planNodes(source, statement)) {
      if (node['Node Type'] === 'Seq Scan')
        scans.push({ table: node['Relation Name'] ?? '', sql: statement.sql });
      for (const name of [node['Index Name'], ...(node['Conflict Arbiter Indexes'] ?? [])])
        if (name !== undefined) used.add(name);
    }
  }
  return { used, scans };
}

/** All indexes of the schema `public`, by table and name. */
export function listIndexes(source: DataSource): Promise<{ name: string; table: string }[]> {
  return source.query(
    `SELECT indexname AS name, tablename AS table FROM pg_indexes WHERE schemaname = 'public' ORDER BY 2, 1`,
  );
}

async function planNodes(source: DataSource, { sql, parameters }: SentStatement): Promise<PlanNode[]> {
  const [row] = await source.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }[]>(
    `EXPLAIN (FORMAT JSON) ${sql}`,
    [...parameters],
  );
  const walk = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(walk)];
  return (row?.['QUERY PLAN'] ?? []).flatMap((it) => walk(it.Plan));
}

function queryLogger(onQuery: (sql: string, parameters: readonly unknown[]) => void): Logger {
  const nothing = () => undefined;
  return {
    logQuery: (sql, parameters: readonly unknown[] = []) => onQuery(sql, parameters),
    ...{ logQueryError: nothing, logQuerySlow: nothing, logSchemaBuild: nothing, logMigration: nothing },
    log: nothing,
  };
}
