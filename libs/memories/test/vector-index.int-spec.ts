import { PGlite } from '@electric-sql/pglite';
import { btree_gin } from '@electric-sql/pglite/contrib/btree_gin';
import { vector } from '@electric-sql/pglite-pgvector';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesOf, cosineToBytes } from '@peregrine/ai/vectors';
import { migrations } from '@peregrine/migrations';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { VectorIndexMissingError } from '../src/index.js';
import { chooseVectorIndex } from '../src/vectors/choose-vector-index.js';
import { type IndexedVector, type VectorIndex } from '../src/vectors/vector-index.js';
import { MemoriesFixture } from './memories-fixture.js';

const DIMENSIONS = 384;
const VECTORS = 1_000;
const PROBES = 20;
const EMBEDDER = 'test-384';

/** A database with the tables of the migration. */
interface Store {
  readonly manager: EntityManager;
  workspace(): Promise<string>;
  stop(): Promise<void>;
}

const stores: Record<'sign-codes' | 'pgvector', () => Promise<Store>> = {
  'sign-codes': async () => {
    const fixture = await MemoriesFixture.start();
    return {
      manager: fixture.get(DataSource).manager,
      workspace: () => fixture.workspace(),
      stop: () => fixture.stop(),
    };
  },
  pgvector: async () => {
    const database = await PGlite.create({ extensions: { vector, btree_gin } });
    // In the shape of TypeORM's, whose one method the library uses here.
    const query = async (sql: string, parameters: unknown[] = []) =>
      (await database.query(sql, parameters)).rows.map(fromPglite);
    await query('CREATE EXTENSION btree_gin');
    await query('CREATE TABLE workspaces (id uuid PRIMARY KEY)');
    const create = migrations.find((it) => it.name === 'CreateMemories1795000014000');
    if (create) await new create().up({ query } as unknown as QueryRunner);
    return {
      manager: { query } as unknown as EntityManager,
      workspace: async () => {
        const id = randomUUID();
        await query('INSERT INTO workspaces VALUES ($1)', [id]);
        return id;
      },
      stop: () => database.close(),
    };
  },
};

describe.each(['sign-codes', 'pgvector'] as const)('the vector index %s', (name) => {
  let store: Store;
  let index: VectorIndex;
  beforeAll(async () => {
    store = await stores[name]();
    index = await chooseVectorIndex(store.manager, 'auto');
  }, 120_000);
  afterAll(() => store?.stop());

  it('is the one that is chosen here', async () => {
    expect(index.name).toBe(name);
    expect((await chooseVectorIndex(store.manager, 'sign-codes')).name).toBe('sign-codes');
    const asked = chooseVectorIndex(store.manager, 'pgvector');
    if (name === 'pgvector') expect((await asked).name).toBe('pgvector');
    else await expect(asked).rejects.toThrow(VectorIndexMissingError);
  });

  it.each([
    ['clustered', 40],
    ['dense', 2],
    ['unclustered', 0],
  ])(
    'finds at least 95 % of the ten nearest of %s vectors',
    async (_, clusters) => {
      const random = normals(clusters + 7);
      const workspaceId = await store.workspace();
      const vectors = await save(store.manager, index, workspaceId, makeVectors(VECTORS, clusters, random));
      let found = 0;
      for (let probe = 0; probe < PROBES; probe++) {
        const [near] = makeVectors(1, 0, random);
        const base = vectors[(probe * 61) % VECTORS]?.vector ?? new Float32Array(DIMENSIONS);
        const asked =
          clusters === 0 ? (near?.vector ?? base) : base.map((it, at) => it + 0.5 * (near?.vector[at] ?? 0));
        const exact = vectors
          .map((it) => ({ memoryId: it.memoryId, cosine: cosineToBytes(asked, bytesOf(it.vector)) }))
          .sort((a, b) => b.cosine - a.cosine)
          .slice(0, 10);
        const { neighbours, certificate } = await index.nearest(store.manager, {
          ...{ workspaceId, embedder: EMBEDDER, vector: asked, limit: 10 },
        });
        if (name === 'sign-codes') expect(certificate).toBeGreaterThanOrEqual(2);
        const ids = new Set(neighbours.map((it) => it.memoryId));
        found += exact.filter((it) => ids.has(it.memoryId)).length;
        for (const it of neighbours.slice(1))
          expect(it.cosine).toBeLessThanOrEqual(neighbours[0]?.cosine ?? -1);
      }
      expect(found / (10 * PROBES)).toBeGreaterThanOrEqual(0.95);
    },
    120_000,
  );

  it('knows nothing of other workspaces and other embedders, and keeps the distance that is asked for', async () => {
    const random = normals(3);
    const [workspaceId, other] = [await store.workspace(), await store.workspace()];
    const [one] = await save(store.manager, index, workspaceId, makeVectors(1, 0, random));
    await save(store.manager, index, other, makeVectors(5, 0, random));
    const vector = one?.vector ?? new Float32Array(DIMENSIONS);
    const nearest = async (embedder: string, asked: Float32Array, minCosine?: number) => {
      const space = { workspaceId, embedder, vector: asked, limit: 10 };
      const answer = await index.nearest(store.manager, { ...space, ...(minCosine && { minCosine }) });
      return answer.neighbours.map((it) => it.memoryId);
    };
    expect(await nearest(EMBEDDER, vector)).toEqual([one?.memoryId]);
    expect(await nearest('another', vector)).toEqual([]);
    expect(await nearest(EMBEDDER, vector, 0.9)).toEqual([one?.memoryId]);
    expect(
      await nearest(
        EMBEDDER,
        vector.map((it, at) => (at % 2 === 0 ? it : -it)),
        0.9,
      ),
    ).toEqual([]);
  }, 60_000);

  it('offers the same as a part of a statement', async () => {
    const random = normals(5);
    const workspaceId = await store.workspace();
    const [first] = await save(store.manager, index, workspaceId, makeVectors(50, 5, random));
    const { sql, parameters } = index.candidates(
      { workspaceId, embedder: EMBEDDER },
      first?.vector ?? new Float32Array(DIMENSIONS),
      { firstParameter: 1, limit: 20 },
    );
    const rows = await store.manager.query<{ id: string }[]>(
      `WITH ${sql} SELECT memory_id AS id FROM near ORDER BY distance`,
      [...parameters],
    );
    expect(rows[0]?.id).toBe(first?.memoryId);
    expect(rows.length).toBeLessThanOrEqual(20);
  }, 60_000);
});

async function save(
  manager: EntityManager,
  index: VectorIndex,
  workspaceId: string,
  vectors: IndexedVector[],
): Promise<IndexedVector[]> {
  const ids = vectors.map((it) => it.memoryId);
  await manager.query(
    `INSERT INTO memories (id, workspace_id, kind, content, content_hash)
     SELECT id, $2, 'original', id::text, sha256(id::text::bytea) FROM unnest($1::uuid[]) AS id`,
    [ids, workspaceId],
  );
  await manager.query(
    `INSERT INTO memory_vectors (memory_id, workspace_id, embedder, dimensions, embedding)
     SELECT id, $2, $3, ${DIMENSIONS}, decode(hex, 'hex') FROM unnest($1::uuid[], $4::text[]) AS t (id, hex)`,
    [ids, workspaceId, EMBEDDER, vectors.map((it) => bytesOf(it.vector).toString('hex'))],
  );
  await index.add(manager, { workspaceId, embedder: EMBEDDER }, vectors);
  return vectors;
}

/** Around some centres, or, for none, everywhere. */
function makeVectors(count: number, clusters: number, random: () => number): IndexedVector[] {
  const any = () => Float32Array.from({ length: DIMENSIONS }, random);
  const centres = Array.from({ length: clusters }, any);
  return Array.from({ length: count }, (_, n) => {
    const centre = centres[n % Math.max(1, clusters)];
    const noise = any();
    return {
      memoryId: randomUUID(),
      vector: centre ? noise.map((it, at) => 0.6 * it + (centre[at] ?? 0)) : noise,
    };
  });
}

/** Normally distributed numbers, the same for the same seed. */
function normals(seed: number): () => number {
  let state = seed * 2_654_435_761;
  const uniform = () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 4_294_967_296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** PGlite gives bytes as a plain array of them. */
function fromPglite(row: unknown): unknown {
  const entries = Object.entries(row as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value) : value]),
  );
}
