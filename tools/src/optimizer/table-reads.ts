import type pg from 'pg';

/** How one table is read, since its statistics began. */
export interface TableReads {
  readonly name: string;
  readonly rows: number;
  readonly sizeBytes: number;
  /** How often it was read as a whole, and how many rows of it each time. */
  readonly wholeReads: number;
  readonly rowsEach: number;
  readonly indexReads: number;
}

/** Below this a table is read as a whole, whatever indexes it has. */
const MIN_ROWS = 1_000;
const MOST = 5;

/** Tables that cost the most by being read as a whole. @throws the driver's error */
export async function readTableReads(pool: pg.Pool): Promise<readonly TableReads[]> {
  const { rows } = await pool.query<TableReads>(
    `SELECT relid::regclass::text AS name, n_live_tup::float8 AS rows, pg_table_size(relid)::float8 AS "sizeBytes",
            seq_scan::float8 AS "wholeReads", seq_tup_read::float8 / seq_scan AS "rowsEach",
            coalesce(idx_scan, 0)::float8 AS "indexReads"
       FROM pg_stat_user_tables WHERE seq_scan > 0 AND n_live_tup >= $1
      ORDER BY seq_tup_read DESC LIMIT $2`,
    [MIN_ROWS, MOST],
  );
  return rows;
}

export interface DatabaseFacts {
  readonly name: string;
  readonly version: string;
  readonly sizeBytes: number;
}

/** @throws the driver's error */
export async function readDatabaseFacts(pool: pg.Pool): Promise<DatabaseFacts> {
  const { rows } = await pool.query<DatabaseFacts>(
    `SELECT current_database() AS name, split_part(current_setting('server_version'), ' ', 1) AS version,
            pg_database_size(current_database())::float8 AS "sizeBytes"`,
  );
  return rows[0] ?? { name: '', version: '', sizeBytes: 0 };
}
