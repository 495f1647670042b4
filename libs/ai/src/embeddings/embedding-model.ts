/** What an upstream, or a computation here, brings for some texts. */
export interface EmbeddedTexts {
  /** In the order of the texts, each of the model's length. */
  readonly vectors: readonly Float32Array[];
  /** By the provider's count, put right; of each text, in their order. 0 for a model that costs nothing. */
  readonly promptTokens: readonly number[];
}

/** Brings embeddings; knows no cache. */
export interface EmbeddingModel {
  /** Names the model and all that changes its vectors; part of every key. */
  readonly id: string;
  /** As price tables know it. */
  readonly name: string;
  /** Length of a vector. */
  readonly dimensions: number;
  /** Computed here: cheaper than a look into another tier, and never paid for. */
  readonly isLocal: boolean;
  /** Texts are not empty and differ from each other; any number. */
  embed(texts: readonly string[], options: { readonly signal?: AbortSignal }): Promise<EmbeddedTexts>;
}
