import { randomUUID } from 'node:crypto';
import { type Embedder } from '@peregrine/memories';
import { type DataSource } from 'typeorm';

interface Found {
  readonly id: string;
  readonly cosine: number;
}

const ROWS_AT_ONCE = 5_000;

/**
 * Memories as they are often built first: the embedding is made while the caller waits, all vectors of the workspace are
 * read and compared, and every hit and every pair is written by a statement of its own before the answer. On the same rows.
 */
export class NaiveMemories {
  private readonly source: DataSource;
  private readonly embedder: Embedder;

  constructor(source: DataSource, embedder: Embedder) {
    this.source = source;
    this.embedder = embedder;
  }

  async add(workspaceId: string, content: string): Promise<void> {
    const [vector] = await this.embedder.embed([content], { workspaceId });
    const [same] = await this.source.query<unknown[]>(
      'SELECT id FROM memories WHERE workspace_id = $1 AND content = $2',
      [workspaceId, content],
    );
    if (same) return;
    const id = randomUUID();
    await this.source.query(
      `INSERT INTO memories (id, workspace_id, kind, content, content_hash) VALUES ($1, $2, 'original', $3, sha256($1::uuid::text::bytea))`,
      [id, workspaceId, content],
    );
    await this.source.query(
      'INSERT INTO memory_vectors (memory_id, workspace_id, embedder, dimensions, embedding) VALUES ($1, $2, $3, 384, $4)',
      [id, workspaceId, this.embedder.id, Buffer.from(vector?.buffer ?? new ArrayBuffer(0))],
    );
  }

  async query(workspaceId: string, text: string, limit: number): Promise<number> {
    const [vector] = await this.embedder.embed([text], { workspaceId });
    const best = await this.#nearest(workspaceId, vector ?? new Float32Array(384), limit);
    for (const { id } of best) {
      await this.source.query('SELECT content FROM memories WHERE id = $1', [id]);
      await this.source.query(
        'UPDATE memory_states SET accesses = accesses + 1, accessed_at = now() WHERE memory_id = $1',
        [id],
      );
      await this.source.query(`UPDATE memory_states SET tier = tier WHERE memory_id = $1`, [id]);
    }
    for (const [at, one] of best.entries()) {
      for (const other of best.slice(at + 1)) await this.#associate(workspaceId, one.id, other.id);
    }
    return best.length;
  }

  async bootstrap(workspaceId: string, limit: number): Promise<number> {
    let found = 0;
    for (const tier of ['active', 'thread', 'stable']) {
      const rows = await this.source.query<{ id: string }[]>(
        `SELECT m.id, m.content FROM memories m JOIN memory_states s ON s.memory_id = m.id
          WHERE m.workspace_id = $1 AND s.tier = $2 ORDER BY s.accessed_at DESC NULLS LAST LIMIT $3`,
        [workspaceId, tier, Math.ceil(limit / 3)],
      );
      for (const { id } of rows) {
        await this.source.query('UPDATE memory_states SET accessed_at = now() WHERE memory_id = $1', [id]);
      }
      found += rows.length;
    }
    return found;
  }

  async #nearest(workspaceId: string, vector: Float32Array, limit: number): Promise<Found[]> {
    const best: Found[] = [];
    for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
      const rows = await this.source.query<{ id: string; embedding: Buffer }[]>(
        `SELECT memory_id AS id, embedding FROM memory_vectors
          WHERE workspace_id = $1 AND memory_id > $2 ORDER BY memory_id LIMIT ${ROWS_AT_ONCE}`,
        [workspaceId, after],
      );
      const last = rows.at(-1);
      if (!last) return best;
      after = last.id;
      best.push(...rows.map(({ id, embedding }) => ({ id, cosine: productOf(embedding, vector) })));
      best.sort((a, b) => b.cosine - a.cosine).splice(limit);
    }
  }

  async #associate(workspaceId: string, one: string, other: string): Promise<void> {
    await this.source.query(
      `INSERT INTO memory_associations (first_id, second_id, workspace_id, times, last_at)
       VALUES (least($1::uuid, $2::uuid), greatest($1::uuid, $2::uuid), $3, 1, now())
       ON CONFLICT (first_id, second_id) DO UPDATE SET times = memory_associations.times + 1`,
      [one, other, workspaceId],
    );
  }
}

/** Of vectors of length 1, the cosine. */
function productOf(bytes: Buffer, vector: Float32Array): number {
  let product = 0;
  for (let at = 0; at < vector.length; at++) product += bytes.readFloatLE(at * 4) * (vector[at] ?? 0);
  return product;
}
