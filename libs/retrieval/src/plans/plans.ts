import { RETRIEVAL_MODES } from '../search/certified-search.js';
import { type RetrievalPlan, type RetrievalPlanName } from './retrieval-plan.js';
import { vectorIndex } from './vector-index.plan.js';
import { vectorFirst } from './vector-first.plan.js';

/** Codes of what the filter leaves, compared by PostgreSQL; the first scores say how many. */
const filteredVector: RetrievalPlan = {
  name: 'filtered-vector',
  modes: RETRIEVAL_MODES,
  async begin(search, { sql }) {
    await search.walkSeeds();
    await search.fetchFirst(sql);
    await search.certify(sql);
    return sql;
  },
};

/** The same with codes and passing places of filters in memory. */
const cachedPartial: RetrievalPlan = {
  name: 'cached-partial',
  modes: RETRIEVAL_MODES,
  async begin(search, { resident }) {
    const codes = await resident();
    await search.walkSeeds();
    await search.fetchFirst(codes);
    await search.certify(codes);
    return codes;
  },
};

/** All that the seeds reach, compared exactly: complete in mode `within`, a high threshold for the rest in mode `boost`. */
const graphFirst: RetrievalPlan = {
  name: 'graph-first',
  modes: ['boost', 'within'],
  async begin(search, { sql }) {
    await search.walkSeeds();
    await search.rankNeighbours((chunkIds) => sql.passing(search.goal.filter, chunkIds));
    return sql;
  },
};

/** The nearest codes on one connection while the seeds are walked from on another. */
const hybridParallel: RetrievalPlan = {
  name: 'hybrid-parallel',
  modes: ['boost'],
  async begin(search, { sql }) {
    await search.fetchFirstBesideWalk(sql);
    return sql;
  },
};

/** Every plan by its name. */
export const PLANS: Readonly<Record<RetrievalPlanName, RetrievalPlan>> = {
  'filtered-vector': filteredVector,
  'cached-partial': cachedPartial,
  'vector-first': vectorFirst,
  'graph-first': graphFirst,
  'hybrid-parallel': hybridParallel,
  'vector-index': vectorIndex,
};
