import { type AdvisorSession } from './advisor-session.js';

const SLOTS = ['stakind', 'staop', 'stacoll', 'stanumbers', 'stavalues'].flatMap((it) =>
  [1, 2, 3, 4, 5].map((slot) => `${it}${slot}`),
);
const COLUMNS = ['stainherit', 'stanullfrac', 'stawidth', 'stadistinct', ...SLOTS];

/**
 * Gives a copy the statistics of its table's columns, which come from all of its rows, and the number of rows that it has. What
 * ANALYZE would find instead is a matter of chance, and with it the advice. Only for superusers.
 *
 * @param oid of the table
 * @param relation the copy, quoted; it was analysed already
 */
export async function giveStatistics(session: AdvisorSession, oid: number, relation: string): Promise<void> {
  await session.rows(
    `DELETE FROM pg_catalog.pg_statistic c USING pg_catalog.pg_statistic s, pg_catalog.pg_attribute o, pg_catalog.pg_attribute a
     WHERE s.starelid = $1::oid AND o.attrelid = s.starelid AND o.attnum = s.staattnum AND a.attrelid = $2::regclass
       AND a.attname = o.attname AND c.starelid = a.attrelid AND c.staattnum = a.attnum`,
    [oid, relation],
  );
  await session.rows(
    `INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, ${COLUMNS.join(', ')})
     SELECT a.attrelid, a.attnum, ${COLUMNS.map((it) => `s.${it}`).join(', ')}
     FROM pg_catalog.pg_statistic s
     JOIN pg_catalog.pg_attribute o ON o.attrelid = s.starelid AND o.attnum = s.staattnum
     JOIN pg_catalog.pg_attribute a ON a.attrelid = $2::regclass AND a.attname = o.attname
     WHERE s.starelid = $1::oid`,
    [oid, relation],
  );
}

/** After rows came behind ANALYZE's back. @param rowCount of the copy */
export async function giveRowCount(session: AdvisorSession, relation: string): Promise<void> {
  await session.rows(
    `UPDATE pg_catalog.pg_class
     SET relpages = pg_catalog.pg_relation_size(oid) / 8192, reltuples = (SELECT count(*) FROM ONLY ${relation})
     WHERE oid = $1::regclass AND relkind <> 'p'`,
    [relation],
  );
}
