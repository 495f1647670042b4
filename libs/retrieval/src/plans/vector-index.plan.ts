import { type RetrievalPlan } from './retrieval-plan.js';

/** Enough for a threshold that is near the final one, also when some do not pass. */
const FIRST_COUNT = 100;

/**
 * The nearest by an HNSW index of pgvector, ranked exactly; their scores say how far codes must be fetched. What the index misses, is found
 * there.
 */
export const vectorIndex: RetrievalPlan = {
  name: 'vector-index',
  modes: ['plain', 'boost'],
  async begin(search, { sql, indexed }) {
    await search.walkSeeds();
    await search.rank(await indexed(Math.max(FIRST_COUNT, 2 * search.goal.limit)));
    await search.certify(sql);
    return sql;
  },
};
