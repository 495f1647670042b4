import { randomUUID } from 'node:crypto';
import { HashingModel } from '@peregrine/ai';
import { ChunkStore } from '@peregrine/retrieval';
import { Pool } from 'pg';

import { mean } from '../policies/judge.ts';
import { migrate, openRetrieval, type OpenedRetrieval } from '../store/application.ts';
import { FLOOR, LIMIT } from '../world/shape.ts';
import { dot } from '../world/vectors.ts';
import type { TextCorpus } from './corpora.ts';

export interface RealTextResult {
  readonly meanRecall: number;
  /** Share of the answers below the floor. */
  readonly under: number;
  /** Of the answers that are not complete. */
  readonly leastZ: number;
  /** Share of the embeddings that were compared. */
  readonly compared: number;
}

const TEXTS_OF_A_FILE = 200;
/** Equal texts have equal scores: which of them is found does not matter. */
const SAME = 1e-6;

/** Stores the passages as the library does, and asks. @param url of an empty database */
export async function askRealText(url: string, { passages, questions }: TextCorpus): Promise<RealTextResult> {
  await migrate(url);
  const model = new HashingModel();
  const embed = async (texts: readonly string[]) => (await model.embed(texts)).vectors;
  const app = await openRetrieval(url, { id: model.id, dimensions: model.dimensions, embed });
  try {
    const workspaceId = await store(url, app, passages);
    const vectors = await embed(passages);
    const answers: { recall: number; z: number | null; compared: number }[] = [];
    // A question without a word that the model knows has no direction, and nothing to be compared with.
    const asked = (await embed(questions)).filter((vector) => vector.some((it) => it !== 0));
    for (const vector of asked) {
      const query = { vector, limit: LIMIT, recallFloor: FLOOR };
      const { hits, explanation } = await app.service.query(workspaceId, query);
      const exact = vectors.map((it) => dot(it, vector)).sort((a, b) => b - a);
      const least = (exact[LIMIT - 1] ?? -Infinity) - SAME;
      const recall = hits.filter((it) => it.cosine >= least).length / Math.min(LIMIT, passages.length);
      answers.push({ recall, z: explanation.z, compared: explanation.compared });
    }
    return {
      meanRecall: mean(answers.map((it) => it.recall)),
      under: answers.filter((it) => it.recall < FLOOR).length / answers.length,
      leastZ: Math.min(...answers.map((it) => it.z ?? Infinity)),
      compared: mean(answers.map((it) => it.compared)) / passages.length,
    };
  } finally {
    await app.close();
  }
}

async function store(url: string, app: OpenedRetrieval, passages: readonly string[]): Promise<string> {
  const pool = new Pool({ connectionString: url, max: 1 });
  const workspaceId = randomUUID();
  await pool.query(`INSERT INTO workspaces (id, name) VALUES ($1::uuid, $1::text)`, [workspaceId]);
  for (let at = 0; at < passages.length; at += TEXTS_OF_A_FILE) {
    const documentId = randomUUID();
    await pool.query(
      `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
       VALUES ($1::uuid, $2, $1::text, 'text', 'text/markdown', 1, '', 'extracted')`,
      [documentId, workspaceId],
    );
    const texts = passages.slice(at, at + TEXTS_OF_A_FILE);
    const document = { documentId, type: 'text', createdAt: new Date(), texts };
    await app.get(ChunkStore).replace(workspaceId, document);
  }
  await pool.query('VACUUM ANALYZE');
  await pool.end();
  return workspaceId;
}
