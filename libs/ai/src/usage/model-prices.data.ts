/** Prices of a model from a day on, US dollars for a million tokens. */
export interface ModelPrice {
  readonly model: string;
  /** The first day, UTC, as `YYYY-MM-DD`. */
  readonly validFrom: string;
  readonly inputUsd: number;
  /** Of prompt tokens that the provider had cached; absent: as the others. */
  readonly cachedInputUsd?: number;
  readonly outputUsd: number;
  readonly source: string;
}

const OPENAI = 'openai.com/api/pricing';
const MISTRAL = 'mistral.ai/pricing';
const DEEPSEEK = 'api-docs.deepseek.com/quick_start/pricing';
const GOOGLE = 'ai.google.dev/pricing';
const XAI = 'docs.x.ai/docs/models';

type Row = readonly [model: string, validFrom: string, input: number, cached: number | null, output: number];

/**
 * List prices of the standard tier, as they were published on the day they are valid from. Prices change and contracts differ: check them
 * against your bill, and put what differs into the setting AI_MODEL_PRICES. A model that is not here is unpriced, never free.
 */
const rows: Readonly<Record<string, readonly Row[]>> = {
  [OPENAI]: [
    ['gpt-5', '2025-08-07', 1.25, 0.125, 10],
    ['gpt-5-mini', '2025-08-07', 0.25, 0.025, 2],
    ['gpt-5-nano', '2025-08-07', 0.05, 0.005, 0.4],
    ['gpt-4.1', '2025-04-14', 2, 0.5, 8],
    ['gpt-4.1-mini', '2025-04-14', 0.4, 0.1, 1.6],
    ['gpt-4.1-nano', '2025-04-14', 0.1, 0.025, 0.4],
    ['gpt-4o', '2024-08-06', 2.5, 1.25, 10],
    ['gpt-4o-2024-05-13', '2024-05-13', 5, null, 15],
    ['gpt-4o-mini', '2024-07-18', 0.15, 0.075, 0.6],
    ['o1', '2024-12-17', 15, 7.5, 60],
    ['o1-mini', '2025-01-31', 1.1, 0.55, 4.4],
    ['o3', '2025-06-10', 2, 0.5, 8],
    ['o3-mini', '2025-01-31', 1.1, 0.55, 4.4],
    ['o4-mini', '2025-04-16', 1.1, 0.275, 4.4],
    ['gpt-4-turbo', '2024-04-09', 10, null, 30],
    ['gpt-4', '2023-06-13', 30, null, 60],
    ['gpt-3.5-turbo', '2024-01-25', 0.5, null, 1.5],
    ['text-embedding-3-small', '2024-01-25', 0.02, null, 0],
    ['text-embedding-3-large', '2024-01-25', 0.13, null, 0],
    ['text-embedding-ada-002', '2023-06-13', 0.1, null, 0],
  ],
  [MISTRAL]: [
    ['mistral-large-latest', '2024-11-18', 2, null, 6],
    ['mistral-medium-latest', '2025-05-07', 0.4, null, 2],
    ['mistral-small-latest', '2025-03-17', 0.1, null, 0.3],
    ['codestral-latest', '2025-01-13', 0.3, null, 0.9],
    ['mistral-embed', '2023-12-11', 0.1, null, 0],
  ],
  [DEEPSEEK]: [
    ['deepseek-chat', '2025-09-29', 0.28, 0.028, 0.42],
    ['deepseek-reasoner', '2025-09-29', 0.28, 0.028, 0.42],
  ],
  [GOOGLE]: [
    ['gemini-2.5-pro', '2025-06-17', 1.25, null, 10],
    ['gemini-2.5-flash', '2025-06-17', 0.3, null, 2.5],
    ['gemini-2.5-flash-lite', '2025-07-22', 0.1, null, 0.4],
    ['gemini-2.0-flash', '2025-02-05', 0.1, 0.025, 0.4],
  ],
  [XAI]: [
    ['grok-4', '2025-07-09', 3, 0.75, 15],
    ['grok-3', '2025-04-09', 3, 0.75, 15],
    ['grok-3-mini', '2025-04-09', 0.3, 0.075, 0.5],
  ],
};

export const MODEL_PRICES: readonly ModelPrice[] = Object.entries(rows).flatMap(([source, ofSource]) =>
  ofSource.map(([model, validFrom, inputUsd, cached, outputUsd]) => ({
    ...{ model, validFrom, inputUsd, outputUsd, source },
    ...(cached === null ? {} : { cachedInputUsd: cached }),
  })),
);
