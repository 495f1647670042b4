import { QueryCatalogueError } from '../query-optimizer.errors.js';
import { CATALOGUE_QUERIES, SCHEMA_VERSION_QUERY, SESSION_QUERY } from './catalogue-queries.js';
import {
  type BuiltinFunctionRow,
  type CatalogueRows,
  type ForeignKeyRow,
  type FunctionRow,
  type InheritanceRow,
  type OperatorRow,
  type PolicyRow,
  type RelationRow,
  type RuleRow,
  type TriggerRow,
  type ViewDependencyRow,
} from './catalogue-rows.js';
import { CatalogueSnapshot, type SessionNames } from './snapshot.js';

/** A connection, as pg's `PoolClient`. */
export interface CatalogueClient {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>;
  /** `true` closes the connection instead of keeping it. */
  release(destroy?: boolean): void;
}

/** Where connections come from, as pg's `Pool`. */
export interface CatalogueSource {
  connect(): Promise<CatalogueClient>;
}

/** The same state for all queries, and names in definitions always qualified. */
const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog';

/** @throws {QueryCatalogueError} */
export function readSnapshot(source: CatalogueSource, version: number): Promise<CatalogueSnapshot> {
  return withClient(source, async (client) => {
    const read = async () => ({ schemaVersion: await versionOf(client), rows: await readRows(client) });
    const { schemaVersion, rows } = await inTransaction(client, read);
    // Afterwards: what is newer than the version is noticed as a change of it.
    const [session = { role: '', searchPath: [] }] = await rowsOf<SessionNames>(client, SESSION_QUERY);
    return new CatalogueSnapshot(rows, version, schemaVersion, session);
  });
}

/** @throws {QueryCatalogueError} */
export function readSchemaVersion(source: CatalogueSource): Promise<string> {
  return withClient(source, (client) => inTransaction(client, () => versionOf(client)));
}

async function versionOf(client: CatalogueClient): Promise<string> {
  const [row] = await rowsOf<{ version: string }>(client, SCHEMA_VERSION_QUERY);
  return row?.version ?? '';
}

async function readRows(client: CatalogueClient): Promise<CatalogueRows> {
  const queries = CATALOGUE_QUERIES;
  return {
    relations: await rowsOf<RelationRow>(client, queries.relations),
    inheritance: await rowsOf<InheritanceRow>(client, queries.inheritance),
    foreignKeys: await rowsOf<ForeignKeyRow>(client, queries.foreignKeys),
    triggers: await rowsOf<TriggerRow>(client, queries.triggers),
    rules: await rowsOf<RuleRow>(client, queries.rules),
    viewDependencies: await rowsOf<ViewDependencyRow>(client, queries.viewDependencies),
    policies: await rowsOf<PolicyRow>(client, queries.policies),
    functions: await rowsOf<FunctionRow>(client, queries.functions),
    builtins: await rowsOf<BuiltinFunctionRow>(client, queries.builtins),
    operators: await rowsOf<OperatorRow>(client, queries.operators),
  };
}

async function rowsOf<R>(client: CatalogueClient, text: string): Promise<readonly R[]> {
  const { rows } = await client.query(text);
  return rows as readonly R[];
}

async function inTransaction<T>(client: CatalogueClient, work: () => Promise<T>): Promise<T> {
  await client.query(BEGIN);
  const result = await work();
  await client.query('COMMIT');
  return result;
}

async function withClient<T>(
  source: CatalogueSource,
  work: (client: CatalogueClient) => Promise<T>,
): Promise<T> {
  let client: CatalogueClient | undefined;
  try {
    client = await source.connect();
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    // A connection in an unknown state is not kept.
    client?.release(true);
    throw new QueryCatalogueError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
