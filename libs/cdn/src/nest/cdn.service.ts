import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { EdgeLog, type EdgeStatistics } from '../edge/edge-log.js';
import { Origin } from '../origin/origin.js';
import { parseOriginOptions } from '../origin/origin.options.js';
import { type ProcessedResource, ResourceProcessor } from '../origin/resource-processor.js';
import type { PolicyTable } from '../policy/policy-table.js';
import { AssetUrls } from '../versions/asset-urls.js';
import type { Release } from '../versions/release-folder.js';
import type { CdnOptions } from './cdn.options.js';
import { CDN_OPTIONS } from './cdn.tokens.js';
import { metricFamiliesOf } from './metric-families.js';
import type { MetricFamily } from './metric-family.js';

/** How often a process looks for releases that another has published, milliseconds. */
const RELEASE_REFRESH_MS = 1_000;

/** What is served, and since when. */
export interface ManifestState {
  readonly current: Release | undefined;
  /** Those that still answer, the newest first. */
  readonly live: readonly Pick<Release, 'id' | 'publishedAtMs'>[];
}

/** URLs, manifest, compression and figures of the assets that this application serves. Also a source of metrics. */
@Injectable()
export class Cdn implements OnModuleInit, OnApplicationShutdown {
  /** Name as a source of metrics. */
  readonly name = 'cdn';
  /** In the order of the options. */
  readonly origins: readonly Origin[];
  readonly #log = new Logger('Cdn');
  readonly #urls: AssetUrls;
  readonly #processor: ResourceProcessor;
  readonly #edgeLog: EdgeLog | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(@Inject(CDN_OPTIONS) { origins, baseUrl, urlStyle, edgeLog }: CdnOptions) {
    const onError = (error: Error) => this.#log.error(error.message, error.stack);
    this.origins = origins.map((it) => new Origin({ onError, ...it }));
    this.#edgeLog = edgeLog === undefined ? undefined : new EdgeLog(edgeLog, onError);
    const [assets, options] = [this.#assets, parseOriginOptions(origins[0])];
    this.#urls = new AssetUrls(() => assets.releases.known, {
      baseUrl,
      prefix: options.prefix,
      style: urlStyle,
    });
    this.#processor = new ResourceProcessor(assets.policies, options.compression);
  }

  /** Of the assets: what is kept how long. */
  get policies(): PolicyTable {
    return this.#assets.policies;
  }

  /** The URL of an asset: versioned when the current release knows it, below the CDN's address when there is one. */
  getCdnUrl(path: string): string {
    return this.#urls.getCdnUrl(path);
  }

  /** Value for the attribute `integrity`; undefined when the current release does not know the asset. */
  integrityOf(path: string): string | undefined {
    return this.#urls.integrityOf(path);
  }

  /**
   * For times when the process runs short of memory: files in memory take no more than this share of their bound, 0 to 1;
   * the others are read from the disk.
   *
   * @returns bytes that were let go of
   */
  limitMemory(share: number): number {
    return this.origins.reduce((sum, it) => sum + it.limitMemory(share), 0);
  }

  /** The releases that answer. */
  manifest(): ManifestState {
    const { current, live } = this.#assets.releases.known;
    return { current, live: live.map(({ id, publishedAtMs }) => ({ id, publishedAtMs })) };
  }

  /** What proxies in front have answered, by their log; empty without one, and before its first line. */
  edges(): readonly EdgeStatistics[] {
    return this.#edgeLog?.statistics() ?? [];
  }

  /** As {@link ResourceProcessor.processResource}. */
  processResource(
    content: Buffer | string,
    path: string,
    acceptEncoding: string | undefined,
  ): Promise<ProcessedResource> {
    return this.#processor.processResource(content, path, acceptEncoding);
  }

  /** The figures for the metrics endpoint. */
  collect(): readonly MetricFamily[] {
    return metricFamiliesOf(this.origins, this.#edgeLog);
  }

  /** @throws {CdnRootError} or {CdnManifestError}: the application does not start on assets that it can not serve */
  async onModuleInit(): Promise<void> {
    for (const origin of this.origins) await origin.open();
    await this.#edgeLog?.open();
    this.#timer = setInterval(() => void this.#assets.releases.refresh(), RELEASE_REFRESH_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#edgeLog?.close();
  }

  get #assets(): Origin {
    return this.origins[0] as Origin;
  }
}
