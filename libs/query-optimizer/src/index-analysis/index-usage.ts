import { Client } from 'pg';
import { type Ask } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';

/** How often a server used the indexes. */
export interface ServerUsage {
  /** By schema and name, since a logical replica has other oids. */
  readonly scans: ReadonlyMap<string, number>;
  readonly since: Date | null;
}

interface ScanRow {
  readonly schema: string;
  readonly name: string;
  readonly scans: number;
}

const SINCE = `
  SELECT stats_reset AS since FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()`;
const SCANS = `
  SELECT schemaname AS schema, indexrelname AS name, idx_scan::float8 AS scans FROM pg_catalog.pg_stat_user_indexes`;

export function usageKey(schema: string, name: string): string {
  return `${schema}\0${name}`;
}

/** @throws the driver's error */
export async function readStatisticsSince(ask: Ask): Promise<Date | null> {
  const [row] = await ask<{ since: Date | null }>(SINCE);
  return row?.since ?? null;
}

/** Over a connection of its own. @returns the reason, without the password, when the replica cannot be asked */
export async function readReplica(
  connectionString: string,
  timeoutMs: number,
): Promise<ServerUsage | string> {
  const client = new Client({
    connectionString,
    application_name: 'peregrine index analysis',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const ask: Ask = async <R>(text: string) => (await client.query(text)).rows as readonly R[];
    const rows = await ask<ScanRow>(SCANS);
    return {
      scans: new Map(rows.map((it) => [usageKey(it.schema, it.name), it.scans])),
      since: await readStatisticsSince(ask),
    };
  } catch (error) {
    return problemText(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}
