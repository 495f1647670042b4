import { type CodeLeg } from '../search/code-leg.js';
import { type CertifiedSearch, RETRIEVAL_MODES } from '../search/certified-search.js';
import { type SqlCodes } from '../codes/sql-codes.js';
import { type RetrievalPlan } from './retrieval-plan.js';

/** The first try, and by how much and how far the next ones go: as indexes of vectors with iterative scans do. */
const FIRST_COUNT = 400;
const GROWTH = 8;
const LAST_COUNT = 25_600;

/** The nearest codes of all, filtered afterwards, and more of them while too few pass. For filters that nearly all pass. */
export const vectorFirst: RetrievalPlan = {
  name: 'vector-first',
  modes: RETRIEVAL_MODES,
  async begin(search, { sql }) {
    await search.walkSeeds();
    for (const leg of search.legs) await scanAll(search, leg, sql);
    return sql;
  },
};

async function scanAll(search: CertifiedSearch, leg: CodeLeg, sql: SqlCodes): Promise<void> {
  for (let count = FIRST_COUNT; count <= LAST_COUNT; count *= GROWTH) {
    const { passing, scanned, last } = await sql.nearestThenFiltered(leg.options, count);
    await search.rank(passing.map((it) => it.chunkId));
    if (last) leg.advance(last);
    if (passing.length >= search.goal.limit || scanned < count || search.goal.isOverdue()) return;
  }
}
