import { type ChunkFilter, EdgeStore } from '../src/index.js';
import { DIMENSIONS, type RetrievalFixture } from './retrieval-fixture.js';
import { randomNumbers } from './random-numbers.js';

const CLUSTERS = 12;
const CHUNKS = 2_400;
const CHUNKS_PER_FILE = 40;
const TYPES = ['note', 'note', 'note', 'note', 'note', 'page', 'page', 'rare'];

export interface KnownChunk {
  readonly id: string;
  readonly vector: Float32Array;
  readonly type: string;
  readonly createdAt: Date;
}

/** A workspace with clusters, skewed types, and a graph whose first chunks have most edges. */
export class ClusteredCorpus {
  readonly #random = randomNumbers(11).uniform;
  readonly #centres = Array.from({ length: CLUSTERS }, () => this.#normal());
  readonly chunks: KnownChunk[] = [];
  readonly neighbours = new Map<string, Map<string, number>>();

  private constructor(readonly workspaceId: string) {}

  /** @param chunks a multiple of 40 */
  static async create(fixture: RetrievalFixture, chunks = CHUNKS): Promise<ClusteredCorpus> {
    const corpus = new ClusteredCorpus(await fixture.workspace());
    for (let at = 0; at < chunks; at += CHUNKS_PER_FILE) await corpus.#addFile(fixture, at);
    await corpus.#link(fixture);
    return corpus;
  }

  /** A vector near a cluster, whose chunks need not pass a filter. */
  probe(): Float32Array {
    return this.#near(Math.floor(this.#random() * CLUSTERS));
  }

  /** The best by definition: every chunk compared. */
  exact(
    vector: Float32Array,
    { filter = {}, limit, seeds = [], mode = 'plain', boost = 0.15 }: ExactQuestion,
  ): { id: string; score: number }[] {
    const near = this.#proximities(seeds);
    return this.chunks
      .filter((it) => !filter.types || filter.types.includes(it.type))
      .filter((it) => !filter.createdFrom || it.createdAt >= filter.createdFrom)
      .filter((it) => mode !== 'within' || near.has(it.id))
      .map((it) => {
        const bonus = mode === 'boost' ? boost * (near.get(it.id) ?? 0) : 0;
        return { id: it.id, score: cosine(vector, it.vector) + bonus };
      })
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  async #addFile(fixture: RetrievalFixture, start: number): Promise<void> {
    const file = start / CHUNKS_PER_FILE;
    const type = TYPES[file % TYPES.length] ?? '';
    const createdAt = new Date(Date.UTC(2026, 0, 1 + file));
    const vectors = Array.from({ length: CHUNKS_PER_FILE }, () =>
      this.#near(Math.floor(this.#random() ** 2 * CLUSTERS)),
    );
    const texts = vectors.map((it, at) => fixture.embedder.choose(`chunk ${start + at}`, it));
    const { ids } = await fixture.add(this.workspaceId, texts, { type, createdAt });
    vectors.forEach((vector, at) => this.chunks.push({ id: ids[at] ?? '', vector, type, createdAt }));
  }

  async #link(fixture: RetrievalFixture): Promise<void> {
    const edges = this.chunks.slice(1).map(({ id }, at) => {
      const other = this.chunks[Math.floor(this.#random() ** 2 * (at + 1))]?.id ?? '';
      // A number that 32 bits hold.
      const weight = Math.ceil(this.#random() * 8) / 8;
      for (const [from, to] of [
        [id, other],
        [other, id],
      ] as const) {
        this.neighbours.set(from, (this.neighbours.get(from) ?? new Map()).set(to, weight));
      }
      return { from: id, to: other, type: 'link', weight };
    });
    await fixture.get(EdgeStore).link(this.workspaceId, edges);
  }

  #proximities(seeds: readonly string[]): Map<string, number> {
    let reached = new Map(seeds.map((it) => [it, 1]));
    for (let hop = 0; hop < 2; hop++) {
      const next = new Map(reached);
      for (const [id, proximity] of reached) {
        for (const [other, weight] of this.neighbours.get(id) ?? []) {
          next.set(other, Math.max(next.get(other) ?? 0, proximity * weight));
        }
      }
      reached = next;
    }
    return reached;
  }

  #near(cluster: number): Float32Array {
    const centre = this.#centres[cluster];
    const noise = 0.5 + cluster / CLUSTERS;
    return this.#normal().map((it, at) => noise * it + (centre?.[at] ?? 0));
  }

  #normal(): Float32Array {
    return Float32Array.from(
      { length: DIMENSIONS },
      () => Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random()),
    );
  }
}

export interface ExactQuestion {
  readonly filter?: ChunkFilter;
  readonly limit: number;
  readonly seeds?: readonly string[];
  readonly mode?: 'plain' | 'boost' | 'within';
  readonly boost?: number;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  const product = (x: Float32Array, y: Float32Array) => x.reduce((sum, it, at) => sum + it * (y[at] ?? 0), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}
