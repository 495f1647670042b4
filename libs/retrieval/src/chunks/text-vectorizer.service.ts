import { Inject, Injectable } from '@nestjs/common';
import { bitsOf, bytesOf, signCode } from '@peregrine/ai/vectors';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { embedAll, type Embedder, type EmbedOptions, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';

/** The embedding of a text as it is stored. */
export interface TextVector {
  readonly embedding: Buffer;
  /** 384 bits, as PostgreSQL reads them. */
  readonly code: string;
}

/** By text. */
export type TextVectors = Map<string, TextVector>;

/** A code takes a third of a millisecond: others have their turn after so many. */
const CODES_PER_TURN = 16;

/** Makes embeddings of texts, in the form in which they are stored. */
@Injectable()
export class TextVectorizer {
  constructor(@Inject(RETRIEVAL_EMBEDDER) readonly embedder: Embedder) {}

  /**
   * Adds those that `vectors` does not have, in one call.
   *
   * @throws {InvalidVectorError} and what the embedder throws
   */
  async add(vectors: TextVectors, texts: readonly string[], options: EmbedOptions): Promise<void> {
    const lacking = [...new Set(texts)].filter((it) => !vectors.has(it));
    if (lacking.length === 0) return;
    const embeddings = await embedAll(this.embedder, lacking, options);
    for (const [at, vector] of embeddings.entries()) {
      if (at % CODES_PER_TURN === CODES_PER_TURN - 1) await nextTurn();
      vectors.set(lacking[at] ?? '', { embedding: bytesOf(vector), code: bitsOf(signCode(vector)) });
    }
  }
}
