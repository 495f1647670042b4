import { type ChunkFilter } from '../search/chunk-filter.js';

/** Whose codes are searched. */
export interface CodeSpace {
  readonly workspaceId: string;
  readonly embedder: string;
}

/** A chunk whose embedding is worth a look. */
export interface Candidate {
  readonly chunkId: string;
  /** Hamming distance of its code to the query's. */
  readonly distance: number;
}

export interface CodeRequest {
  readonly filter: ChunkFilter;
  /** Only these chunks. */
  readonly only?: readonly string[] | undefined;
  readonly maxDistance: number;
  /** Only what comes after this one by distance and id. */
  readonly after?: Candidate | undefined;
  readonly limit: number;
}

/** The nearest codes of a space to a query's code, by distance, equal ones by id. */
export interface CodeSource {
  nearest(request: CodeRequest): Promise<Candidate[]>;
}
