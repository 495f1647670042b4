import { formatRelationName } from '../analysis/relation-name.js';

const RECOMMENDATIONS = 'peregrine_index_recommendations';
const ROUNDS = 'peregrine_index_rounds';

export interface AdaptiveTables {
  readonly recommendations: string;
  readonly rounds: string;
}

/** Names for a statement, quoted. */
export function adaptiveTables(schema: string): AdaptiveTables {
  return {
    recommendations: formatRelationName({ schema, name: RECOMMENDATIONS }),
    rounds: formatRelationName({ schema, name: ROUNDS }),
  };
}

/**
 * For a migration: SQL that makes the tables of adaptive indexing. A round makes them too when they are missing and may be
 * made. The ledger is a table of its own: `installIndexLedger`.
 */
export function installAdaptiveIndexing(schema = 'public'): string[] {
  const { recommendations, rounds } = adaptiveTables(schema);
  return [
    `CREATE TABLE IF NOT EXISTS ${recommendations} (
       id text PRIMARY KEY,
       state text NOT NULL
         CHECK (state IN ('open', 'applied', 'kept', 'dropped', 'reverted', 'failed', 'obsolete')),
       plan jsonb NOT NULL,
       statement text NOT NULL,
       reasons jsonb NOT NULL,
       improvement jsonb NOT NULL,
       size_bytes double precision NOT NULL,
       build_ms_estimate double precision NOT NULL,
       write_cost jsonb NOT NULL,
       serves jsonb NOT NULL,
       rank integer NOT NULL,
       decision text,
       decided_at timestamptz,
       revert_proposal text,
       used_at timestamptz,
       watched jsonb,
       ledger_id bigint,
       first_seen_at timestamptz NOT NULL DEFAULT now(),
       last_seen_at timestamptz NOT NULL DEFAULT now()
     )`,
    `COMMENT ON TABLE ${recommendations} IS 'Indexes that rounds of adaptive indexing have recommended, and what became of them'`,
    `CREATE TABLE IF NOT EXISTS ${rounds} (
       id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       mode text NOT NULL,
       outcome text NOT NULL,
       details jsonb NOT NULL DEFAULT '{}',
       started_at timestamptz NOT NULL DEFAULT now(),
       ended_at timestamptz
     )`,
    `COMMENT ON TABLE ${rounds} IS 'What each round of adaptive indexing has looked at, done, and not been able to do'`,
  ];
}

/** The way back; indexes and ledger stay. */
export function removeAdaptiveIndexing(schema = 'public'): string[] {
  const { recommendations, rounds } = adaptiveTables(schema);
  return [`DROP TABLE IF EXISTS ${rounds}`, `DROP TABLE IF EXISTS ${recommendations}`];
}
