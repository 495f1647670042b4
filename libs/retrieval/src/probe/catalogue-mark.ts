import { type Statements } from '../statements.js';

/** Changes when an index of the searched tables comes, goes or breaks, and when one of the tables is analysed. */
export async function readCatalogueMark(statements: Statements): Promise<string> {
  const [row] = await statements.query<{ mark: string | null }[]>(
    `SELECT string_agg(t.name || ' ' || coalesce(greatest(s.last_analyze, s.last_autoanalyze)::text, '') || ' ' || coalesce(i.indexes, ''), ',' ORDER BY t.name) AS mark
       FROM unnest(ARRAY['retrieval_codes', 'retrieval_vectors', 'retrieval_edges']) AS t (name)
       JOIN pg_stat_user_tables s ON s.relid = t.name::regclass
      CROSS JOIN LATERAL (SELECT string_agg(x.indexrelid || ':' || x.indisvalid, ' ' ORDER BY x.indexrelid) AS indexes
                            FROM pg_index x WHERE x.indrelid = s.relid) i`,
  );
  return row?.mark ?? '';
}
