import { Lottery, normal } from './draw.ts';
import { sharedBytes, sharedFloats, sharedShorts } from './shared.ts';
import { clustersOf, CODE_BYTES, DAYS, DIMENSIONS, documentsOf, TYPES, type WorldShape } from './shape.ts';

/** The columns of all chunks; a chunk is a place in them. Threads share them. */
export interface Chunks {
  readonly cluster: Uint16Array;
  /** Place in `TYPES`. */
  readonly type: Uint8Array;
  /** From `FIRST_DAY` on. */
  readonly day: Uint16Array;
  readonly document: Uint16Array;
  readonly documents: number;
  /** Of each cluster, and how far its chunks stray from it. */
  readonly centres: Float32Array;
  readonly noises: Float32Array;
  /** Of length 1, one after another. Filled by threads, see `vectors.ts`. */
  readonly vectors: Float32Array;
  readonly codes: Uint8Array;
}

/** Some files are about one thing, so that a filter and a vector ask for the same or for what excludes each other. */
const SHARE_OF_CLUSTERED_DOCUMENTS = 0.4;
const NOISE = { least: 0.5, most: 1.3 } as const;

/** Everything of the chunks but their vectors. */
export function makeChunks(shape: WorldShape, random: () => number): Chunks {
  const clusters = clustersOf(shape);
  const documents = documentsOf(shape);
  const clusterOf = Lottery.zipf(clusters, 0.8);
  const documentOf = Lottery.zipf(documents, 0.9);
  const typeOf = new Lottery(TYPES.map(([, share]) => share));
  const columns = emptyChunks(shape.chunks, clusters, documents);
  columns.centres.forEach((_, at) => (columns.centres[at] = normal(random)));
  columns.noises.forEach(
    (_, at) => (columns.noises[at] = NOISE.least + (NOISE.most - NOISE.least) * random()),
  );
  for (let place = 0; place < shape.chunks; place++) {
    const cluster = clusterOf.draw(random);
    columns.cluster[place] = cluster;
    columns.type[place] = typeOf.draw(random);
    columns.day[place] = Math.floor(DAYS * Math.sqrt(random()));
    columns.document[place] =
      random() < SHARE_OF_CLUSTERED_DOCUMENTS ? (cluster * 7) % documents : documentOf.draw(random);
  }
  return columns;
}

function emptyChunks(count: number, clusters: number, documents: number): Chunks {
  return {
    documents,
    cluster: sharedShorts(count),
    type: sharedBytes(count),
    day: sharedShorts(count),
    document: sharedShorts(count),
    centres: sharedFloats(clusters * DIMENSIONS),
    noises: sharedFloats(clusters),
    vectors: sharedFloats(count * DIMENSIONS),
    codes: sharedBytes(count * CODE_BYTES),
  };
}
