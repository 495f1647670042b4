import { type InvalidationOptionsInput, type ProviderOptionsInput } from '@peregrine/cdn';
import { resolve } from 'node:path';
import { type Settings } from '../settings.js';

/** The provider of the settings; none when there is none. The rules of the settings see to what each one needs. */
export function purgeProviders({ purge }: Settings): ProviderOptionsInput[] {
  const { siteUrls = [], serverUrls = [], apiToken = '', id = '' } = purge;
  switch (purge.provider) {
    case 'none':
      return [];
    case 'cloudflare': {
      const { cloudflarePlan: plan, apiUrl } = purge;
      return [{ type: 'cloudflare', zoneId: id, apiToken, siteUrls, plan, ...(apiUrl && { apiUrl }) }];
    }
    case 'fastly': {
      const { apiUrl } = purge;
      return [{ type: 'fastly', serviceId: id, apiToken, siteUrls, ...(apiUrl && { apiUrl }) }];
    }
    case 'cloudfront': {
      const { accessKeyId, secretAccessKey, apiUrl: endpoint } = purge;
      const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : {};
      return [{ type: 'cloudfront', distributionId: id, ...credentials, ...(endpoint && { endpoint }) }];
    }
    case 'varnish':
      return [{ type: 'varnish', urls: serverUrls, ...(apiToken && { token: apiToken }) }];
    case 'http-purge':
      return [{ type: 'http-purge', urls: serverUrls, ...(apiToken && { token: apiToken }) }];
    case 'nginx-cache':
      return [{ type: 'nginx-cache', folder: resolve(purge.cacheFolder ?? '') }];
  }
}

export function invalidationOptions({ purge }: Settings): InvalidationOptionsInput {
  const { probeUrl: baseUrl, probePaths: paths = [] } = purge;
  return { timeoutMs: purge.timeoutMs, ...(baseUrl && { probe: { baseUrl, paths } }) };
}
