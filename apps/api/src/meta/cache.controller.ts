import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Cache, type CacheStatistics } from '@peregrine/cache';
import { FeatureFlags, type ScopedRollout } from '@peregrine/config';
import { FeatureOverrides } from '@peregrine/runtime';
import { RequireScope } from '../access/access.decorators.js';
import { ValidationError } from '../problem/problem.js';
import { adviseOnCache } from './cache-advice.js';
import {
  type CacheRollout,
  type CacheRolloutState,
  cacheStatisticsSchema,
  type Flush,
  type Flushed,
  flushedSchema,
  flushSchema,
  rolloutSchema,
  rolloutStateSchema,
} from './cache.schemas.js';

/** The cache for those who run it: figures, flush, rollout. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('meta')
export class CacheController {
  constructor(
    private readonly cache: Cache,
    private readonly flags: FeatureFlags,
    private readonly overrides: FeatureOverrides,
  ) {}

  @Get('cache-stats')
  @ApiOperation({ summary: 'What the cache holds and how well it does, with a recommendation' })
  @ApiResponse({ status: 200, standardSchema: cacheStatisticsSchema })
  statistics() {
    const statistics = this.cache.stats();
    const summary = this.cache.summary();
    return { ...adviseOnCache(summary, statistics), summary, statistics };
  }

  @Post('cache/flush')
  @HttpCode(200)
  @ApiOperation({ summary: 'Remove everything from the cache, a namespace, or what carries a tag' })
  @ApiResponse({ status: 200, standardSchema: flushedSchema })
  async flush(@Body({ schema: flushSchema }) { namespace, tags }: Flush): Promise<Flushed> {
    if (namespace !== undefined) this.#assertKnown('body.namespace', [namespace]);
    const part = namespace === undefined ? this.cache : this.cache.namespace(namespace);
    if (tags !== undefined) await part.invalidateTags(tags);
    else if (namespace !== undefined) await this.cache.clearNamespace(namespace);
    else await this.cache.flush();
    const what = tags === undefined ? 'all entries' : `entries tagged ${tags.join(', ')}`;
    const where = namespace === undefined ? '' : ` of the namespace ${namespace}`;
    return { flushed: what + where, ...reachOf(this.cache.stats()) };
  }

  @Get('cache/rollout')
  @ApiOperation({ summary: 'For which share of keys the cache is on' })
  @ApiResponse({ status: 200, standardSchema: rolloutStateSchema })
  rollout(): CacheRolloutState {
    const { configured, inForce } = this.flags.describe('cacheEnabled');
    const override = this.overrides.get('cacheEnabled');
    return {
      inForce: asRollout(inForce),
      configured: asRollout(configured),
      override:
        override === undefined ? null : { percent: override.percent, namespaces: { ...override.scopes } },
    };
  }

  @Put('cache/rollout')
  @ApiOperation({
    summary: 'Set for which share of keys the cache is on, in every process within seconds, over restarts',
  })
  @ApiResponse({ status: 200, standardSchema: rolloutStateSchema })
  async setRollout(@Body({ schema: rolloutSchema }) body: CacheRollout): Promise<CacheRolloutState> {
    const { percent, namespaces: scopes = {} } = body;
    // So the table stays small, too.
    this.#assertKnown('body.namespaces', Object.keys(scopes));
    await this.overrides.set('cacheEnabled', { ...(percent !== undefined && { percent }), scopes });
    return this.rollout();
  }

  @Delete('cache/rollout')
  @ApiOperation({ summary: 'Return to the share of CACHE_ENABLED' })
  @ApiResponse({ status: 200, standardSchema: rolloutStateSchema })
  async resetRollout(): Promise<CacheRolloutState> {
    await this.overrides.set('cacheEnabled', undefined);
    return this.rollout();
  }

  /** @throws {ValidationError} when one of the names is no namespace */
  #assertKnown(field: string, names: readonly string[]): void {
    const known = Object.keys(this.cache.stats().namespaces);
    const unknown = names.filter((it) => !known.includes(it));
    if (unknown.length === 0) return;
    const message = (it: string) => `${JSON.stringify(it)} is no namespace; expected ${known.join(', ')}`;
    throw new ValidationError(unknown.map((it) => ({ field, message: message(it) })));
  }
}

const asRollout = ({ percent, scopes }: ScopedRollout) => ({ percent, namespaces: { ...scopes } });

function reachOf({ redis }: CacheStatistics): Pick<Flushed, 'reach' | 'note'> {
  if (redis.available && redis.pendingInvalidations === 0) {
    return { reach: 'every process', note: 'Redis has told every process.' };
  }
  return {
    reach: 'this process',
    note: redis.configured
      ? 'Redis does not answer: the other processes follow when it does, at the latest after CACHE_MEMORY_TTL_MS.'
      : 'Without Redis the other processes keep what is in their memory for up to CACHE_MEMORY_TTL_MS.',
  };
}
