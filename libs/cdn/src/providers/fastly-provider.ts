import { ProviderAnswerError } from './provider.errors.js';
import { callProvider, parseJson } from './provider-http.js';
import { type FastlyOptions } from './provider.options.js';
import { type PurgeLimits, type PurgeProvider, type PurgeRequest } from './purge-provider.js';

/** Keys in one batch. */
const KEYS_PER_REQUEST = 256;
/** Fastly allows 100,000 purges an hour on average. */
const RATE_PER_SECOND = 100_000 / 3_600;

/**
 * Fastly: batches of surrogate keys, single URLs, everything. It knows no wildcard, and it cannot purge everything
 * softly unless all responses carry one key that says so (`everythingKey`).
 */
export class FastlyProvider implements PurgeProvider {
  readonly name: string;
  readonly limits: PurgeLimits;
  readonly #options: FastlyOptions;

  constructor(options: FastlyOptions) {
    this.name = options.name ?? 'fastly';
    this.#options = options;
    const rate = { bucket: 'purge', ratePerSecond: RATE_PER_SECOND, burst: 1_000 };
    this.limits = {
      // One request each, and one for each site.
      path: { perRequest: 1, escalateAbove: 500, rate: { ...rate, cost: 'request' }, soft: true },
      tag: {
        perRequest: KEYS_PER_REQUEST,
        escalateAbove: KEYS_PER_REQUEST * 20,
        rate: { ...rate, cost: 'value' },
        soft: true,
      },
      everything: {
        perRequest: 1,
        escalateAbove: 1,
        rate: { ...rate, cost: 'request' },
        soft: options.everythingKey !== undefined,
      },
    };
  }

  async purge(request: PurgeRequest, signal: AbortSignal): Promise<void> {
    const { everythingKey } = this.#options;
    const { kind, soft } = request;
    if (kind === 'path') return this.#purgeUrls(request, signal);
    const isSoftAll = kind === 'everything' && soft && everythingKey !== undefined;
    const keys = isSoftAll ? [everythingKey] : request.values;
    const isKeys = kind === 'tag' || isSoftAll;
    const answer = parseJson(
      this.name,
      await this.#call(
        isKeys ? 'purge' : 'purge_all',
        soft,
        signal,
        isKeys ? { surrogate_keys: keys } : undefined,
      ),
    );
    // A batch answers with the id of the purge of each key.
    if (isKeys && keys.some((key) => !(key in answer))) {
      throw new ProviderAnswerError(this.name, 'it does not have all keys');
    }
    if (!isKeys) this.#assertOk(answer);
  }

  async #purgeUrls({ values, soft }: PurgeRequest, signal: AbortSignal): Promise<void> {
    const { siteUrls, apiUrl } = this.#options;
    for (const site of siteUrls) {
      for (const path of values) {
        const cachedUrl = `${site.replace(/^https?:\/\//, '')}${path}`;
        const call = {
          url: `${apiUrl}/purge/${cachedUrl}`,
          method: 'POST',
          headers: this.#headers(soft),
          signal,
        };
        this.#assertOk(parseJson(this.name, await callProvider(this.name, call)));
      }
    }
  }

  #call(what: 'purge' | 'purge_all', soft: boolean, signal: AbortSignal, json: object | undefined) {
    const { apiUrl, serviceId } = this.#options;
    return callProvider(this.name, {
      url: `${apiUrl}/service/${encodeURIComponent(serviceId)}/${what}`,
      method: 'POST',
      headers: this.#headers(soft && what === 'purge'),
      ...(json && { json }),
      signal,
    });
  }

  #headers(soft: boolean): Record<string, string> {
    return {
      accept: 'application/json',
      'fastly-key': this.#options.apiToken,
      ...(soft && { 'fastly-soft-purge': '1' }),
    };
  }

  #assertOk({ status }: Record<string, unknown>): void {
    if (status !== 'ok') throw new ProviderAnswerError(this.name, 'its status is not ok');
  }
}
