import { Body, Controller, Delete, Get, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Cache } from '@peregrine/cache';
import { FeatureFlags } from '@peregrine/config';
import { CursorCodec } from '@peregrine/database';
import { type NPlusOneFinding, QueryOptimizer } from '@peregrine/query-optimizer';
import { FeatureOverrides } from '@peregrine/runtime';
import { RequireScope } from '../access/access.decorators.js';
import {
  type OptimizerReportAnswer,
  optimizerReportSchema,
  type QueriesQuery,
  queriesPageSchema,
  queriesQuery,
  type QueryRollout,
  queryRolloutSchema,
  type QueryRolloutState,
  queryRolloutStateSchema,
} from './optimizer.schemas.js';
import { highestFirst, pageOfQueries } from './query-page.js';
import { describeRecommendation } from './recommendation-answers.js';

const SLOW_QUERIES = 10;

/** What this process asks of PostgreSQL, for those who run it: figures, the slowest queries, rollout of cached results. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('optimizer')
export class OptimizerController {
  constructor(
    private readonly optimizer: QueryOptimizer,
    private readonly cache: Cache,
    private readonly flags: FeatureFlags,
    private readonly overrides: FeatureOverrides,
    private readonly cursors: CursorCodec,
  ) {}

  @Get('report')
  @ApiOperation({ summary: 'How queries do: cached results, the slowest, the pool, loops, missing indexes' })
  @ApiResponse({ status: 200, standardSchema: optimizerReportSchema })
  report(): OptimizerReportAnswer {
    const { cache, queries, topQueries, indexRecommendations, pool, replicas, nPlusOne } =
      this.optimizer.report();
    const looked = cache.hits + cache.misses;
    return {
      cache: {
        percent: this.rollout().inForce,
        hits: cache.hits,
        misses: cache.misses,
        hitRate: looked === 0 ? 0 : cache.hits / looked,
        bypassed: { ...cache.bypassed },
        tooLarge: cache.tooLarge,
        entries: this.cache.stats().namespaces['query']?.memory.entries ?? null,
      },
      queries,
      topQueries: [...topQueries],
      slowQueries: highestFirst(this.optimizer.queries(), 'p95Ms').slice(0, SLOW_QUERIES),
      indexRecommendations: indexRecommendations
        .filter((it) => it.state === 'open')
        .map(describeRecommendation),
      pool: { ...pool },
      replicas: replicas && { ...replicas, replicas: [...replicas.replicas] },
      queryLoops: { ...nPlusOne, latest: nPlusOne.latest.map(describeLoop) },
    };
  }

  @Get('queries')
  @ApiOperation({ summary: 'The figures of every kind of query that this process has sent' })
  @ApiResponse({ status: 200, standardSchema: queriesPageSchema })
  queries(@Query({ schema: queriesQuery }) query: QueriesQuery) {
    return pageOfQueries(this.optimizer.queries(), query, this.cursors);
  }

  @Get('rollout')
  @ApiOperation({ summary: 'For which share of the kinds of queries results are cached' })
  @ApiResponse({ status: 200, standardSchema: queryRolloutStateSchema })
  rollout(): QueryRolloutState {
    const { configured, inForce } = this.flags.describe('queryCacheEnabled');
    const override = this.overrides.get('queryCacheEnabled');
    return {
      inForce: inForce.percent,
      configured: configured.percent,
      override: override?.percent ?? null,
    };
  }

  @Put('rollout')
  @ApiOperation({
    summary:
      'Set for which share of the kinds of queries results are cached, in every process within seconds, over restarts',
  })
  @ApiResponse({ status: 200, standardSchema: queryRolloutStateSchema })
  async setRollout(
    @Body({ schema: queryRolloutSchema }) { percent }: QueryRollout,
  ): Promise<QueryRolloutState> {
    await this.overrides.set('queryCacheEnabled', { percent });
    return this.rollout();
  }

  @Delete('rollout')
  @ApiOperation({ summary: 'Return to the share of QUERY_CACHE_ENABLED' })
  @ApiResponse({ status: 200, standardSchema: queryRolloutStateSchema })
  async removeRollout(): Promise<QueryRolloutState> {
    await this.overrides.set('queryCacheEnabled', undefined);
    return this.rollout();
  }
}

function describeLoop({ scope, sql, where, count, durationMs, rewrite }: NPlusOneFinding) {
  return { scope, sql, where, count, durationMs, rewrite };
}
