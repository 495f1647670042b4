import { ProviderAnswerError, ProviderRateLimitedError, PurgeRejectedError } from './provider.errors.js';
import { callProvider, parseJson, shortened } from './provider-http.js';
import { type CloudflareOptions } from './provider.options.js';
import { type PurgeLimits, type PurgeProvider, type PurgeRequest } from './purge-provider.js';

/** Values in one request; Enterprise takes more URLs. */
const PER_REQUEST = 100;
/** By plan, for everything but URLs. */
const RATES = {
  free: { ratePerSecond: 5 / 60, burst: 25 },
  pro: { ratePerSecond: 5, burst: 25 },
  business: { ratePerSecond: 10, burst: 50 },
  enterprise: { ratePerSecond: 50, burst: 500 },
} as const;
/** URLs a second; every plan has at least this. */
const URLS_PER_SECOND = 800;

/**
 * Cloudflare: `POST /zones/{zone_id}/purge_cache`. It has no soft purge. Limits:
 * developers.cloudflare.com/cache/how-to/purge-cache.
 */
export class CloudflareProvider implements PurgeProvider {
  readonly name: string;
  readonly limits: PurgeLimits;
  readonly #options: CloudflareOptions;

  constructor(options: CloudflareOptions) {
    this.name = options.name ?? 'cloudflare';
    this.#options = options;
    const granular = {
      perRequest: PER_REQUEST,
      escalateAbove: PER_REQUEST * 10,
      rate: { bucket: 'purge', ...RATES[options.plan], cost: 'request' as const },
      soft: false,
    };
    const urls = options.siteUrls.length;
    this.limits = {
      path: {
        // Each path is a URL on each site.
        perRequest: Math.max(1, Math.floor(PER_REQUEST / urls)),
        escalateAbove: PER_REQUEST * 20,
        rate: {
          bucket: 'urls',
          ratePerSecond: URLS_PER_SECOND / urls,
          burst: URLS_PER_SECOND,
          cost: 'value',
        },
        soft: false,
      },
      wildcard: { ...granular, perRequest: Math.max(1, Math.floor(PER_REQUEST / urls)) },
      tag: granular,
      everything: granular,
    };
  }

  async purge(request: PurgeRequest, signal: AbortSignal): Promise<void> {
    const { apiUrl, zoneId, apiToken } = this.#options;
    const answer = await callProvider(this.name, {
      url: `${apiUrl}/zones/${encodeURIComponent(zoneId)}/purge_cache`,
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}` },
      json: this.#body(request),
      signal,
    });
    const { success, errors } = parseJson(this.name, answer);
    if (success === true) return;
    if (success !== false) throw new ProviderAnswerError(this.name, 'it does not say whether it succeeded');
    throw failureOf(this.name, errors);
  }

  #body({ kind, values }: PurgeRequest): object {
    switch (kind) {
      case 'path':
        return { files: this.#options.siteUrls.flatMap((site) => values.map((path) => `${site}${path}`)) };
      case 'wildcard':
        return { prefixes: this.#options.siteUrls.flatMap((site) => values.map((it) => prefixOf(site, it))) };
      case 'tag':
        return { tags: values };
      case 'everything':
        return { purge_everything: true };
    }
  }
}

/** A prefix has no scheme and ends at a segment, so `/a/b*` becomes all of `/a`. */
function prefixOf(site: string, wildcard: string): string {
  const folder = wildcard.slice(0, wildcard.lastIndexOf('/'));
  return `${site.replace(/^https?:\/\//, '')}${folder}`;
}

/** Code 1134 is Cloudflare's own word for too many purges, also with status 200. */
function failureOf(provider: string, errors: unknown): Error {
  const list = Array.isArray(errors) ? (errors as { code?: unknown; message?: unknown }[]) : [];
  if (list.some((it) => it.code === 1134)) return new ProviderRateLimitedError(provider, undefined);
  const messages = list.map(({ code, message }) => `${String(message)} (${String(code)})`);
  return new PurgeRejectedError(provider, shortened(messages.join('; ') || 'without a reason'));
}
