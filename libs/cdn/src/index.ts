export {
  CdnBuildError,
  CdnEdgeLogError,
  CdnError,
  CdnFileChangedError,
  CdnHashCollisionError,
  CdnManifestError,
  CdnOptionsError,
  CdnPolicyError,
  CdnRootError,
} from './cdn.errors.js';
export { EdgeLog, type EdgeStatistics } from './edge/edge-log.js';
export type { EdgeResult, EdgeSource } from './edge/edge-log-line.js';
export { registerOrigin } from './fastify/register-origin.js';
export { originMiddleware, type OriginMiddleware } from './middleware/origin-middleware.js';
export { serveStatic, type ServeStaticOptions, type StaticHandler } from './middleware/serve-static.js';
export { CdnModule } from './nest/cdn.module.js';
export type { CdnOptions, CdnOptionsInput } from './nest/cdn.options.js';
export { Cdn, type ManifestState } from './nest/cdn.service.js';
export type { MetricFamily, MetricSample } from './nest/metric-family.js';
export { FileBody } from './origin/file-body.js';
export { Origin } from './origin/origin.js';
export type { OriginOptions, OriginOptionsInput } from './origin/origin.options.js';
export type { OriginRequest, OriginResponse } from './origin/origin-response.js';
export type { OriginStatistics } from './origin/origin-statistics.js';
export { ResourceProcessor, type ProcessedResource } from './origin/resource-processor.js';
export { sendResponse } from './origin/send-response.js';
export type { Freshness, FreshnessInput } from './policy/freshness.js';
export {
  lintHeaders,
  type HeaderPair,
  type LintedAnswer,
  type LintFinding,
  type LintRule,
} from './policy/policy-linter.js';
export {
  mediaTypeOf,
  PolicyTable,
  type Policy,
  type PolicyRule,
  type ResourceFacts,
} from './policy/policy-table.js';
export type { PolicyOptionsInput, ResourceTypeInput } from './policy/policy.options.js';
export { AssetUrls, type AssetUrlOptions } from './versions/asset-urls.js';
export { buildRelease, MANIFEST_NAME, type BuildReport } from './versions/build-release.js';
export type { BuildOptionsInput, BuildProgress } from './versions/build.options.js';
export { parseManifest, type Manifest, type ManifestEntry } from './versions/manifest.js';
export { ReleaseFolder, type Release, writeWhole } from './versions/release-folder.js';
export { type ReleaseSizes } from './versions/release-sizes.js';
export { Releases, type VersionedFile } from './versions/releases.js';
export { type CdnClock, type ClockTimer } from './clock.js';
export {
  CdnInvalidation,
  type CdnInvalidationParts,
  type PurgeDispatch,
} from './invalidation/cdn-invalidation.js';
export { InProcessDispatch } from './invalidation/in-process-dispatch.js';
export {
  InvalidationQueueUnavailableError,
  InvalidPurgeTargetError,
  UnknownProviderError,
} from './invalidation/invalidation.errors.js';
export {
  type InvalidationOptions,
  type InvalidationOptionsInput,
  parseInvalidationOptions,
} from './invalidation/invalidation.options.js';
export {
  type Invalidation,
  type InvalidationQueue,
  type InvalidationState,
  type NewInvalidation,
  type PendingCount,
  type Postponement,
  type SentPurges,
} from './invalidation/invalidation-queue.js';
export { MemoryInvalidationQueue } from './invalidation/memory-queue.js';
export { MemoryPurgeBudget, type PurgeBudget } from './invalidation/purge-budget.js';
export { PurgeDelivery, type PurgeDeliveryParts } from './invalidation/purge-delivery.js';
export { PurgeStatistics } from './invalidation/purge-statistics.js';
export {
  type InvalidationRequest,
  invalidationRequestSchema,
  type PurgeTarget,
} from './invalidation/purge-target.js';
export { surrogateHeaders, surrogateKeyOf } from './invalidation/surrogate-keys.js';
export { createProvider } from './providers/create-provider.js';
export {
  ProviderAnswerError,
  ProviderPackageMissingError,
  ProviderRateLimitedError,
  ProviderUnauthorizedError,
  ProviderUnavailableError,
  PurgeFailedError,
  PurgeNotSeenError,
  PurgeRejectedError,
} from './providers/provider.errors.js';
export { type ProviderOptionsInput, providerOptionsSchema } from './providers/provider.options.js';
export {
  PURGE_KINDS,
  type PurgeKind,
  type PurgeKindLimits,
  type PurgeLimits,
  type PurgeProvider,
  type PurgeRate,
  type PurgeRequest,
} from './providers/purge-provider.js';
export { VARNISH_LOG_FORMAT } from './varnish/varnish-log.js';
export { renderVarnishVcl, type VarnishVclOptions } from './varnish/varnish-vcl.js';
export { type NginxProxyOptions, type NginxStaticOptions } from './nginx/nginx.options.js';
export { renderNginxProxy } from './nginx/proxy-configuration.js';
export { renderNginxStatic } from './nginx/static-configuration.js';
export {
  type CreatedInvalidation,
  createInvalidation,
  type CreateInvalidationOptions,
} from './invalidation/create-invalidation.js';
export { CdnInvalidationModule } from './nest/cdn-invalidation.module.js';
