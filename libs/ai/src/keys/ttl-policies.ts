const HOUR_MS = 3_600_000;

/** The kinds of results. Each has a life of its own. */
export type AiResultKind = 'analysis' | 'embedding' | 'model' | 'chat';

/** How long results are kept, milliseconds. */
export const AI_TTL_MS: Readonly<Record<AiResultKind, number>> = Object.freeze({
  analysis: 24 * HOUR_MS,
  embedding: 7 * 24 * HOUR_MS,
  model: HOUR_MS,
  chat: HOUR_MS,
});

/** Above it two answers to one question are meant to differ. */
export const MAX_CACHED_TEMPERATURE = 0.3;
