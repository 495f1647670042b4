import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bitsOf, bytesOf, signCode } from '@peregrine/ai/vectors';
import { until } from '@peregrine/database/testing';
import { DataSource } from 'typeorm';
import { EdgeStore, RETRIEVAL_PLANS } from '../src/index.js';
import { NeighbourhoodCache } from '../src/graph/neighbourhood-cache.js';
import { PLANS } from '../src/plans/plans.js';
import { CertifiedSearch } from '../src/search/certified-search.js';
import { ExactRanking } from '../src/search/exact-ranking.js';
import { type Statements } from '../src/statements.js';
import { VectorCache } from '../src/vectors/vector-cache.js';
import { DIMENSIONS, RetrievalFixture } from './retrieval-fixture.js';

/** A million would take minutes to store; what is read does not depend on it. */
const SPOKES = 30_000;
const MAX_NEIGHBOURS = 200;
/** The key of an advisory lock. */
const LOCK = 4_711;

const axis = (at: number) => Float32Array.from({ length: DIMENSIONS }, (_, place) => Number(place === at));

describe('walks from seeds', () => {
  let fixture: RetrievalFixture;

  beforeAll(async () => {
    fixture = await RetrievalFixture.start({ maxNeighbours: MAX_NEIGHBOURS });
  }, 120_000);
  afterAll(() => fixture?.stop());

  /** A chunk that all others are linked with, the more heavily the later they are. */
  async function hub(): Promise<{ workspaceId: string; id: string }> {
    const workspaceId = await fixture.workspace();
    const { documentId, ids } = await fixture.add(workspaceId, ['the hub']);
    const [id = ''] = ids;
    const vector = axis(1);
    await fixture.query(
      `INSERT INTO retrieval_chunks (id, workspace_id, document_id, place, type, text, search, word_count, created_at)
       SELECT gen_random_uuid(), $1, $2, n, 'note', 'spoke', '', 0, now() FROM generate_series(1, ${SPOKES}) n`,
      [workspaceId, documentId],
    );
    const spokes = 'FROM retrieval_chunks WHERE workspace_id = $1 AND place > 0';
    await fixture.query(
      `INSERT INTO retrieval_vectors SELECT id, workspace_id, 'chosen-64', ${DIMENSIONS}, $2 ${spokes}`,
      [workspaceId, bytesOf(vector)],
    );
    await fixture.query(
      `INSERT INTO retrieval_codes
       SELECT id, workspace_id, 'chosen-64', document_id, type, created_at, $2::text::bit(384) ${spokes}`,
      [workspaceId, bitsOf(signCode(vector))],
    );
    await fixture.query(
      `INSERT INTO retrieval_edges
       SELECT $2::uuid, id, 'link', workspace_id, place::real / ${SPOKES} ${spokes} UNION ALL
       SELECT id, $2::uuid, 'link', workspace_id, place::real / ${SPOKES} ${spokes}`,
      [workspaceId, id],
    );
    await fixture.query(`INSERT INTO retrieval_degrees VALUES ($1, ${SPOKES}, ${SPOKES})`, [id]);
    await fixture.query('ANALYZE');
    return { workspaceId, id };
  }

  it('are bounded at a hub by what they may follow, with every plan, and the answer says so', async () => {
    const { workspaceId, id } = await hub();
    for (const plan of RETRIEVAL_PLANS.filter((it) => it !== 'vector-index')) {
      for (const mode of ['boost', 'within'] as const) {
        if (!PLANS[plan].modes.includes(mode)) continue;
        const { hits, explanation } = await fixture.service.query(workspaceId, {
          ...{ vector: axis(2), plan, mode, seeds: [id], limit: 5 },
        });
        expect(hits).toHaveLength(5);
        expect(explanation.neighbourhood).toEqual({
          ...{ expectedSize: SPOKES + 1, size: MAX_NEIGHBOURS + 1, truncated: true },
        });
        if (mode === 'within') expect(explanation.compared).toBeLessThanOrEqual(MAX_NEIGHBOURS + 1);
        // The heaviest edges are followed.
        const proximities = hits.map((it) => it.proximity).filter((it) => it > 0);
        expect(Math.min(...proximities)).toBeGreaterThan((SPOKES - MAX_NEIGHBOURS - 1) / SPOKES);
      }
    }
    const { explanation } = await fixture.service.query(workspaceId, {
      ...{ vector: axis(2), mode: 'within', seeds: [id] },
    });
    // What a hub would cost is not tried out.
    expect(['filtered-vector', 'cached-partial']).toContain(explanation.plan);
  }, 120_000);

  it('are kept while the workspace is not written to, for the same seeds in any order', async () => {
    const workspaceId = await fixture.workspace();
    const { ids } = await fixture.add(workspaceId, ['a', 'b', 'c']);
    const [a = '', b = '', c = ''] = ids;
    const link = (from: string, to: string) =>
      fixture.get(EdgeStore).link(workspaceId, [{ from, to, type: 'link', weight: 0.5 }]);
    await link(a, b);
    const cache = fixture.get(NeighbourhoodCache);
    let statements = 0;
    const { manager } = fixture.get(DataSource);
    const counted: Statements = {
      query: (sql, parameters) => {
        statements++;
        return manager.query(sql, parameters);
      },
    };
    const walk = (seeds: readonly string[], version: string | undefined, maxNeighbours = 10) =>
      cache.walk(counted, { workspaceId, seeds, version, maxNeighbours });
    expect([...(await walk([a], '7')).proximities.keys()].sort()).toEqual([a, b].sort());
    expect(statements).toBe(2);
    await walk([a], '7');
    expect(statements).toBe(2);
    await walk([a, c], '7');
    await walk([c, a], '7');
    expect(statements).toBe(4);
    await walk([a], '7', 11);
    await walk([a], '8');
    await walk([a], undefined);
    await walk([a], undefined);
    expect(statements).toBe(12);
    // The library's own versions: a link and a deletion are both seen by the next query.
    const reached = async () => {
      const query = { vector: axis(1), mode: 'within', seeds: [a] } as const;
      const { hits } = await fixture.service.query(workspaceId, { ...query, seeds: [a] });
      return hits.map((it) => it.chunkId).sort();
    };
    expect(await reached()).toEqual([a, b].sort());
    await link(b, c);
    expect(await reached()).toEqual([a, b, c].sort());
    await fixture.query('DELETE FROM retrieval_chunks WHERE id = $1', [b]);
    expect(await reached()).toEqual([a]);
  });

  it('are under way while codes are compared, each on a connection of its own', async () => {
    const workspaceId = await fixture.workspace();
    const { ids } = await fixture.add(workspaceId, ['a', 'b']);
    const { manager } = fixture.get(DataSource);
    const space = { workspaceId, embedder: 'chosen-64' };
    /** A statement that waits until the lock is given back. */
    const wait = () => manager.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`);
    const goal = { space, probe: signCode(axis(1)), filter: {}, limit: 5, z: 3, boost: 0.1 };
    const ranking = new ExactRanking(
      manager,
      { space, vector: axis(1), boost: 0.1, limit: 5 },
      fixture.get(VectorCache).of(fixture.embedder),
    );
    const search = new CertifiedSearch(
      { ...goal, mode: 'boost', isOverdue: () => false },
      ranking,
      async () => {
        await wait();
        return { proximities: new Map([[ids[0] ?? '', 1]]), truncated: false };
      },
    );
    const holder = fixture.get(DataSource).createQueryRunner();
    await holder.query(`SELECT pg_advisory_lock(${LOCK})`);
    const fetching = search.fetchFirstBesideWalk({
      nearest: async () => {
        await wait();
        return ids.map((chunkId) => ({ chunkId, distance: 1 }));
      },
    });
    await until(async () => {
      const waiting = await fixture.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${LOCK} AND NOT granted`,
      );
      return waiting.length === 2;
    });
    await holder.query(`SELECT pg_advisory_unlock(${LOCK})`);
    await holder.release();
    await fetching;
    expect(ranking.compared).toBe(2);
  });
});
