import { formatRelationName } from '../analysis/relation-name.js';

const STATEMENTS = 'peregrine_slow_queries';
const PLANS = 'peregrine_query_plans';

export interface HistoryTables {
  readonly statements: string;
  readonly plans: string;
}

/** Names for a statement, quoted. */
export function historyTables(schema: string): HistoryTables {
  return {
    statements: formatRelationName({ schema, name: STATEMENTS }),
    plans: formatRelationName({ schema, name: PLANS }),
  };
}

/**
 * For a migration: SQL that makes, or brings up to date, the tables in which slow queries and their plans outlive the process. Texts are kept with
 * `$n` in the place of constants, parameters are not kept.
 */
export function installSlowQueryHistory(schema = 'public'): string[] {
  const { statements, plans } = historyTables(schema);
  return [
    // Each process has rows of its own, and writes what it counted since the hour began: to write it twice does no harm.
    `CREATE TABLE IF NOT EXISTS ${statements} (
       hour timestamptz NOT NULL,
       fingerprint text NOT NULL,
       process uuid NOT NULL,
       sql text NOT NULL,
       kind text NOT NULL,
       calls bigint NOT NULL,
       slow_calls bigint NOT NULL,
       errors bigint NOT NULL,
       rows bigint NOT NULL,
       total_ms double precision NOT NULL,
       max_ms double precision NOT NULL,
       latency jsonb NOT NULL,
       last_slow_at timestamptz,
       PRIMARY KEY (hour, fingerprint, process)
     )`,
    `COMMENT ON TABLE ${statements} IS 'Slow statements by hour and process; latency: runs by bucket of the histogram'`,
    `CREATE TABLE IF NOT EXISTS ${plans} (
       fingerprint text NOT NULL,
       hash text NOT NULL,
       outline text NOT NULL,
       is_generic boolean NOT NULL,
       first_seen_at timestamptz NOT NULL,
       last_seen_at timestamptz NOT NULL,
       samples bigint NOT NULL,
       total_cost double precision NOT NULL,
       mean_ms double precision,
       buffers jsonb,
       PRIMARY KEY (fingerprint, hash)
     )`,
    // In a version of its own: tables that were made before it get it, too.
    `ALTER TABLE ${plans} ADD COLUMN IF NOT EXISTS node_costs jsonb`,
    `COMMENT ON TABLE ${plans} IS 'Plans that slow statements had, by their structure'`,
  ];
}

/** The way back. */
export function removeSlowQueryHistory(schema = 'public'): string[] {
  const { statements, plans } = historyTables(schema);
  return [`DROP TABLE IF EXISTS ${plans}`, `DROP TABLE IF EXISTS ${statements}`];
}
