import { signCode, vectorOf } from '@peregrine/ai/vectors';
import { type CodeSpace } from '../codes/code-source.js';
import { type Statements } from '../statements.js';
import { unitOf } from '../vectors/vector-cache.js';
import { type ExactQuestion } from './exact-search.js';

/** How far a made query leans towards another chunk: it is about 27 degrees from its own when the two have nothing in common. */
const LEAN = 0.5;

/**
 * Queries made of random chunks: the direction of each one, leaning towards that of another. So they are where the embeddings of this
 * model are, as real queries would be.
 */
export async function chunkQuestions(
  statements: Statements,
  space: CodeSpace,
  { queries, limit }: { readonly queries: number; readonly limit: number },
): Promise<ExactQuestion[]> {
  const rows = await statements.query<{ embedding: Buffer }[]>(
    `SELECT v.embedding FROM retrieval_vectors v JOIN (
       SELECT c.chunk_id FROM retrieval_codes c WHERE c.workspace_id = $1 AND c.embedder = $2 ORDER BY random() LIMIT $3
     ) r ON r.chunk_id = v.chunk_id`,
    [space.workspaceId, space.embedder, queries],
  );
  const directions = rows.map((it) => unitOf(vectorOf(it.embedding)));
  return directions.map((own, at) => {
    const other = directions[(at + 1) % directions.length] ?? own;
    const vector = own.map((it, place) => it + LEAN * (other[place] ?? 0));
    const goal = { space, probe: signCode(vector), filter: {}, mode: 'plain' as const, limit, boost: 0 };
    return { goal, vector, proximities: new Map<string, number>() };
  });
}
