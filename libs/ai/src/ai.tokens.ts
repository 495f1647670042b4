import { type Embeddings } from './embeddings/embeddings.service.js';

/** The `Embeddings` of the application. */
export const EMBEDDINGS = Symbol('@peregrine/ai:embeddings');
export type { Embeddings };
