import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';
import { CloudflareProvider } from './cloudflare-provider.js';
import { CloudFrontProvider } from './cloudfront-provider.js';
import { FastlyProvider } from './fastly-provider.js';
import { HttpPurgeProvider } from './http-purge-provider.js';
import { NginxCacheProvider } from './nginx-cache-provider.js';
import { type ProviderOptionsInput, providerOptionsSchema } from './provider.options.js';
import { type PurgeProvider } from './purge-provider.js';
import { VarnishProvider } from './varnish-provider.js';

/**
 * A provider that comes with the library. No connection is made.
 *
 * @throws {CdnOptionsError} with every problem, and without any value: some are secret
 */
export function createProvider(input: ProviderOptionsInput): PurgeProvider {
  const parsed = providerOptionsSchema.safeParse(input);
  if (!parsed.success) throw new CdnOptionsError(z.prettifyError(parsed.error));
  const options = parsed.data;
  switch (options.type) {
    case 'cloudflare':
      return new CloudflareProvider(options);
    case 'cloudfront':
      return new CloudFrontProvider(options);
    case 'fastly':
      return new FastlyProvider(options);
    case 'varnish':
      return new VarnishProvider(options);
    case 'http-purge':
      return new HttpPurgeProvider(options);
    case 'nginx-cache':
      return new NginxCacheProvider(options);
  }
}
