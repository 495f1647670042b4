import { MODEL_PRICES, type ModelPrice } from './model-prices.data.js';
import { type TokenUsage } from './usage-event.js';

/** Nano-dollars in a dollar. Money is whole nano-dollars: sums stay exact. */
export const NANO = 1_000_000_000;
const MILLION = 1_000_000n;

/** `gpt-4o-2024-08-06` is a snapshot of `gpt-4o`. */
const SNAPSHOT = /-(?:\d{4}-\d{2}-\d{2}|\d{4})$/;

/** What tokens cost, by the prices that were in force on a day. */
export class PriceTable {
  /** By model, the latest first. */
  readonly #prices = new Map<string, ModelPrice[]>();

  /** @param own prices that go before the published ones */
  constructor(own: readonly ModelPrice[] = [], published: readonly ModelPrice[] = MODEL_PRICES) {
    const ownModels = new Set(own.map((it) => it.model));
    for (const price of [...own, ...published.filter((it) => !ownModels.has(it.model))]) {
      const ofModel = [...(this.#prices.get(price.model) ?? []), price];
      this.#prices.set(
        price.model,
        ofModel.sort((left, right) => (left.validFrom < right.validFrom ? 1 : -1)),
      );
    }
  }

  /**
   * Nano-dollars, rounded up; undefined for a model without a price, which is not the same as nothing.
   *
   * @param day UTC, `YYYY-MM-DD`. Before the first price of a model that one is taken
   */
  cost(model: string, tokens: TokenUsage, day: string): number | undefined {
    const price = this.#priceOf(model, day);
    if (!price) return undefined;
    const { promptTokens, cachedPromptTokens, completionTokens } = tokens;
    const millionths =
      BigInt(promptTokens - cachedPromptTokens) * nano(price.inputUsd) +
      BigInt(cachedPromptTokens) * nano(price.cachedInputUsd ?? price.inputUsd) +
      BigInt(completionTokens) * nano(price.outputUsd);
    return Number((millionths + MILLION - 1n) / MILLION);
  }

  #priceOf(model: string, day: string): ModelPrice | undefined {
    const ofModel = this.#prices.get(model) ?? this.#prices.get(model.replace(SNAPSHOT, ''));
    return ofModel?.find((it) => it.validFrom <= day) ?? ofModel?.at(-1);
  }
}

/** The day of a moment, UTC. */
export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

function nano(usd: number): bigint {
  return BigInt(Math.round(usd * NANO));
}
