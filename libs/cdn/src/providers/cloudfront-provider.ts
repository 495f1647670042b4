import { randomUUID } from 'node:crypto';
import type { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import {
  ProviderAnswerError,
  ProviderPackageMissingError,
  ProviderRateLimitedError,
  ProviderUnauthorizedError,
  ProviderUnavailableError,
  PurgeRejectedError,
} from './provider.errors.js';
import { shortened } from './provider-http.js';
import { type CloudFrontOptions } from './provider.options.js';
import { type PurgeLimits, type PurgeProvider, type PurgeRequest } from './purge-provider.js';

const PACKAGE = '@aws-sdk/client-cloudfront';
/** Paths in flight at once; an invalidation takes under half a minute. */
const PATHS_IN_FLIGHT = 3_000;
const WILDCARDS_IN_FLIGHT = 15;
const IN_FLIGHT_SECONDS = 30;
const BUSY_PAUSE_MS = 20_000;

/**
 * CloudFront: `CreateInvalidation`. Tags need `CacheTagConfig` with the header `Cache-Tag` on the distribution, are sent as
 * paths that begin with `#`, and cost as much as a path. It has no soft purge. Needs the package
 * `@aws-sdk/client-cloudfront`, which finds credentials as AWS's tools do where none are given.
 */
export class CloudFrontProvider implements PurgeProvider {
  readonly name: string;
  readonly limits: PurgeLimits = {
    path: {
      perRequest: 1_000,
      escalateAbove: PATHS_IN_FLIGHT,
      rate: inFlight('paths', PATHS_IN_FLIGHT, 'value'),
      soft: false,
    },
    wildcard: {
      perRequest: WILDCARDS_IN_FLIGHT,
      escalateAbove: WILDCARDS_IN_FLIGHT,
      rate: inFlight('wildcards', WILDCARDS_IN_FLIGHT, 'value'),
      soft: false,
    },
    tag: {
      perRequest: 1_000,
      escalateAbove: PATHS_IN_FLIGHT,
      rate: inFlight('paths', PATHS_IN_FLIGHT, 'value'),
      soft: false,
    },
    everything: {
      perRequest: 1,
      escalateAbove: 1,
      rate: inFlight('wildcards', WILDCARDS_IN_FLIGHT, 'request'),
      soft: false,
    },
  };
  readonly #options: CloudFrontOptions;
  #client: Promise<CloudFrontClient> | undefined;

  constructor(options: CloudFrontOptions) {
    this.name = options.name ?? 'cloudfront';
    this.#options = options;
  }

  async purge({ kind, values }: PurgeRequest, signal: AbortSignal): Promise<void> {
    const items = kind === 'everything' ? ['/*'] : values.map((it) => (kind === 'tag' ? `#${it}` : it));
    const { CreateInvalidationCommand } = await this.#load();
    const client = await (this.#client ??= this.#connect());
    const command = new CreateInvalidationCommand({
      DistributionId: this.#options.distributionId,
      // A new one each time: the same target may have to be purged again a second later.
      InvalidationBatch: {
        CallerReference: randomUUID(),
        Paths: { Quantity: items.length, Items: [...items] },
      },
    });
    const { Invalidation } = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw this.#failureOf(error);
    });
    if (!Invalidation?.Id) throw new ProviderAnswerError(this.name, 'it has no id of an invalidation');
  }

  async #connect(): Promise<CloudFrontClient> {
    const { CloudFrontClient } = await this.#load();
    const { region, endpoint, accessKeyId, secretAccessKey } = this.#options;
    return new CloudFrontClient({
      region,
      // The queue retries, with a backoff of its own.
      maxAttempts: 1,
      ...(endpoint !== undefined && { endpoint }),
      ...(accessKeyId !== undefined &&
        secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    });
  }

  async #load() {
    try {
      return await import('@aws-sdk/client-cloudfront');
    } catch (error) {
      throw new ProviderPackageMissingError(this.name, PACKAGE, { cause: error });
    }
  }

  /** By the names that the API gives its errors. */
  #failureOf(error: unknown): Error {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode ?? 0;
    if (name === 'TooManyInvalidationsInProgress') {
      return new ProviderRateLimitedError(this.name, BUSY_PAUSE_MS);
    }
    if (/^Throttl|^TooManyRequests|^SlowDown/.test(name) || status === 429) {
      return new ProviderRateLimitedError(this.name, undefined);
    }
    if (status === 401 || status === 403 || /Credential/.test(name)) {
      return new ProviderUnauthorizedError(this.name, status);
    }
    if (status >= 400 && status < 500) {
      return new PurgeRejectedError(this.name, shortened(`${name}: ${message}`));
    }
    if (status >= 200 && status < 300) return new ProviderAnswerError(this.name, 'it cannot be read');
    return new ProviderUnavailableError(
      this.name,
      status > 0 ? `it answers ${status}` : `${name}: no answer`,
    );
  }
}

function inFlight(bucket: string, burst: number, cost: 'request' | 'value') {
  return { bucket, burst, ratePerSecond: burst / IN_FLIGHT_SECONDS, cost };
}
