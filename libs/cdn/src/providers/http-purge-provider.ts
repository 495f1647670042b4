import { ProviderAnswerError } from './provider.errors.js';
import { callProvider } from './provider-http.js';
import { type HttpPurgeOptions } from './provider.options.js';
import { type PurgeLimits, type PurgeProvider, type PurgeRequest } from './purge-provider.js';

const RATE = { bucket: 'purge', ratePerSecond: 200, burst: 400, cost: 'request' } as const;

/**
 * nginx Plus (`proxy_cache_purge`), the module ngx_cache_purge, Squid and others that take the method `PURGE`: paths, and,
 * where the server does it, wildcards with an asterisk at the end of the path. Tags become everything.
 */
export class HttpPurgeProvider implements PurgeProvider {
  readonly name: string;
  readonly limits: PurgeLimits;
  readonly #options: HttpPurgeOptions;

  constructor(options: HttpPurgeOptions) {
    this.name = options.name ?? 'http-purge';
    this.#options = options;
    const its = { perRequest: 1, escalateAbove: 500, rate: RATE, soft: false };
    this.limits = { path: its, wildcard: { ...its, escalateAbove: 50 }, everything: its };
  }

  async purge({ kind, values: [value = '/*'] }: PurgeRequest, signal: AbortSignal): Promise<void> {
    const path = kind === 'everything' ? '/*' : value;
    await Promise.all(this.#options.urls.map((server) => this.#purgeAt(server, path, signal)));
  }

  async #purgeAt(server: string, path: string, signal: AbortSignal): Promise<void> {
    const { token, tokenHeader } = this.#options;
    const headers = token === undefined ? {} : { [tokenHeader]: token };
    const call = { url: new URL(path, server), method: 'PURGE', headers, signal };
    const { status } = await callProvider(this.name, call).catch((error: unknown) => {
      // What it does not have needs no purge: that is how nginx and Squid say so.
      if (isNotFound(error)) return { status: 204 };
      throw error;
    });
    if (status > 204) throw new ProviderAnswerError(this.name, `the status ${status}`);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && /it refuses the purge: (?:404|412)\b/.test(error.message);
}
