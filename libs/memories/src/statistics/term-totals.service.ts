import { Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';

/** Changes that are counted in one statement. */
const CHANGES_AT_ONCE = 1_000;

/**
 * Takes a workspace's changes into its totals. One counter a workspace at a time, so that two never wait for each other's
 * rows; who does not get the lock leaves the work to the one who has it.
 */
const COUNT = `
WITH mine AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock(hashtext('memory_term_totals'), hashtext($1::uuid::text)) AS locked
), taken AS (
  DELETE FROM memory_term_changes WHERE id IN (
    SELECT c.id FROM memory_term_changes c WHERE c.workspace_id = $1 AND (SELECT locked FROM mine)
     ORDER BY c.id LIMIT ${CHANGES_AT_ONCE}
  ) RETURNING search, word_count, sign
), whole AS (
  INSERT INTO memory_totals AS t (workspace_id, memories, words)
  SELECT $1, sum(sign), sum(sign * word_count) FROM taken HAVING count(*) > 0
  ON CONFLICT (workspace_id) DO UPDATE SET memories = t.memories + excluded.memories, words = t.words + excluded.words
), terms AS (
  INSERT INTO memory_term_totals AS t (workspace_id, lexeme, memories)
  SELECT $1, w.lexeme, sum(taken.sign) FROM taken, unnest(taken.search) w GROUP BY w.lexeme ORDER BY w.lexeme
  ON CONFLICT (workspace_id, lexeme) DO UPDATE SET memories = t.memories + excluded.memories
)
SELECT count(*)::int AS changes FROM taken`;

/** How often each word occurs in a workspace, which BM25 weighs by. */
@Injectable()
export class TermTotals {
  constructor(private readonly transactions: Transactions) {}

  /** Counts all changes of a workspace that are there. @returns how many */
  async count(workspaceId: string): Promise<number> {
    let counted = 0;
    for (;;) {
      const [row] = await this.transactions.manager.query<{ changes: number }[]>(COUNT, [workspaceId]);
      counted += row?.changes ?? 0;
      if ((row?.changes ?? 0) < CHANGES_AT_ONCE) return counted;
    }
  }

  /** Workspaces with changes that nobody has counted. @returns some at a time */
  async uncounted(limit: number): Promise<string[]> {
    const rows = await this.transactions.manager.query<{ workspaceId: string }[]>(
      `SELECT DISTINCT workspace_id AS "workspaceId" FROM (
         SELECT workspace_id FROM memory_term_changes ORDER BY id LIMIT $1
       ) oldest`,
      [limit],
    );
    return rows.map((it) => it.workspaceId);
  }
}
