import { callProvider } from './provider-http.js';
import { type VarnishOptions } from './provider.options.js';
import { type PurgeLimits, type PurgeProvider, type PurgeRequest } from './purge-provider.js';
import { PURGE_HEADERS } from '../varnish/varnish-vcl.js';

/** All of ours, so no provider's limits: as much as keeps one header of keys below Varnish's 8 KiB. */
const KEYS_PER_REQUEST = 25;
const RATE = { bucket: 'purge', ratePerSecond: 200, burst: 400, cost: 'request' } as const;

/**
 * Varnish with the VCL of `renderVarnishVcl`: `PURGE` for a path, `BAN` for wildcards, surrogate keys and everything; soft
 * purges leave the grace of a copy. Every server is asked; one that fails makes the purge be sent again to all.
 */
export class VarnishProvider implements PurgeProvider {
  readonly name: string;
  readonly limits: PurgeLimits;
  readonly #options: VarnishOptions;

  constructor(options: VarnishOptions) {
    this.name = options.name ?? 'varnish';
    this.#options = options;
    const bans = { escalateAbove: 1_000, rate: RATE, soft: false };
    this.limits = {
      path: { perRequest: 1, escalateAbove: 500, rate: RATE, soft: true },
      // A ban is checked by every later lookup of an older copy, so there should not be many.
      wildcard: { ...bans, perRequest: 1, escalateAbove: 50 },
      tag: { ...bans, perRequest: KEYS_PER_REQUEST },
      everything: { ...bans, perRequest: 1 },
    };
  }

  async purge(request: PurgeRequest, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.urls.map((url) => this.#purgeAt(url, request, signal)));
  }

  async #purgeAt(server: string, { kind, values, soft }: PurgeRequest, signal: AbortSignal): Promise<void> {
    const [value = '/'] = values;
    const isPath = kind === 'path';
    await callProvider(this.name, {
      url: new URL(isPath ? value : '/', server),
      method: isPath ? 'PURGE' : 'BAN',
      headers: {
        ...(this.#options.token !== undefined && { [PURGE_HEADERS.token]: this.#options.token }),
        ...(this.#options.host !== undefined && { [PURGE_HEADERS.host]: this.#options.host }),
        ...(isPath && soft && { [PURGE_HEADERS.soft]: '1' }),
        ...(kind === 'wildcard' && { [PURGE_HEADERS.url]: `^${escaped(value.slice(0, -1))}` }),
        ...(kind === 'tag' && { [PURGE_HEADERS.keys]: keysPattern(values) }),
        ...(kind === 'everything' && { [PURGE_HEADERS.url]: '^/' }),
      },
      signal,
    });
  }
}

/** One of the keys as a whole. A ban ends at a blank, so the blanks between keys are what is not visible. */
function keysPattern(keys: readonly string[]): string {
  return `(?:^|[^!-~])(?:${keys.map(escaped).join('|')})(?:[^!-~]|$)`;
}

/**
 * For a regular expression (PCRE) inside a ban. What separates the parts of a ban, and quotes, are written as codes: a
 * key must never end the expression and begin another.
 */
function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9/_:-]/g, (it) => `\\x${it.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
