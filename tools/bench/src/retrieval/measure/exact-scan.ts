import { Client } from 'pg';

import { APPLICATION_NAME } from '../store/application-name.ts';
import type { StoredWorld } from '../store/bench-world.ts';
import { filterOf } from '../store/load-world.ts';
import { recallOf } from '../world/exact.ts';
import { DIMENSIONS, LIMIT } from '../world/shape.ts';
import { dot } from '../world/vectors.ts';
import type { CpuMeter } from './cpu-meter.ts';
import type { Run } from './run.ts';

/** Few enough that none of them holds much memory. */
const ROWS_AT_ONCE = 2_000;

/** What databases of vectors do with a narrow filter: everything that passes is compared, without codes, in one scan. */
export class ExactScan {
  readonly #stored: StoredWorld;
  readonly #client: Client;

  constructor(stored: StoredWorld) {
    this.#stored = stored;
    this.#client = new Client({ connectionString: stored.url, application_name: APPLICATION_NAME });
  }

  async open(): Promise<void> {
    await this.#client.connect();
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  /** @param index of a question of mode `plain` */
  async run(meter: CpuMeter, index: number): Promise<Run> {
    const { world, loaded } = this.#stored;
    const question = world.questions[index]!;
    const { result, wallMs, cpuMs } = await meter.measure(() => this.#scan(index));
    const found = result.best.flatMap(({ id }) => loaded.places.get(id) ?? []);
    return {
      ...{ plan: 'filtered-vector', wallMs, cpuMs, z: Infinity, status: 'complete', stages: [] },
      recall: recallOf(world.chunks, world.graph, question, world.exact[index]!, found),
      ...{ compared: result.compared, question: null },
    };
  }

  async #scan(index: number): Promise<{ best: Scored[]; compared: number }> {
    const { vector } = this.#stored.world.questions[index]!;
    let best: Scored[] = [];
    let compared = 0;
    await this.#client.query('BEGIN');
    await this.#declare(index);
    for (let rows = ROWS_AT_ONCE; rows === ROWS_AT_ONCE;) {
      const page = await this.#client.query<{ id: string; embedding: Buffer }>(
        `FETCH ${ROWS_AT_ONCE} FROM scan`,
      );
      rows = page.rows.length;
      compared += rows;
      const scored = page.rows.map(({ id, embedding }) => ({ id, score: dot(vector, floatsOf(embedding)) }));
      best = [...best, ...scored].sort((a, b) => b.score - a.score).slice(0, LIMIT);
    }
    await this.#client.query('COMMIT');
    return { best, compared };
  }

  async #declare(index: number): Promise<void> {
    const { world, loaded } = this.#stored;
    const { types, documentIds, createdFrom, createdBefore } = filterOf(
      world.questions[index]!.filter,
      loaded,
    );
    const conditions: [string, unknown][] = [
      ['c.workspace_id = ?', loaded.workspaceId],
      ['c.embedder = ?', loaded.embedder],
      ['c.type = ANY (?::text[])', types],
      ['c.document_id = ANY (?::uuid[])', documentIds],
      ['c.created_at >= ?::timestamptz', createdFrom],
      ['c.created_at < ?::timestamptz', createdBefore],
    ];
    const used = conditions.filter(([, value]) => value !== undefined);
    await this.#client.query(
      `DECLARE scan NO SCROLL CURSOR FOR
       SELECT v.chunk_id AS id, v.embedding FROM retrieval_codes c JOIN retrieval_vectors v ON v.chunk_id = c.chunk_id
        WHERE ${used.map(([sql], at) => sql.replace('?', `$${at + 1}`)).join(' AND ')}`,
      used.map(([, value]) => value),
    );
  }
}

interface Scored {
  readonly id: string;
  readonly score: number;
}

/** A copy: the driver's bytes begin where they like. */
function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer, 0, DIMENSIONS);
}
