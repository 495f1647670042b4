import { Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '@peregrine/database';
import { QueryOptimizer, type SlowQuery } from '@peregrine/query-optimizer';
import { RequireScope } from '../access/access.decorators.js';
import { pageOfRanked } from './list-page.js';
import {
  fingerprintParameter,
  type SlowQueriesQuery,
  slowQueriesPageSchema,
  slowQueriesQuery,
  slowQueryDetailSchema,
} from './slow-query.schemas.js';

/** Below everything that is known. */
const UNKNOWN = -1;

/** Statements that are slow, without their constants. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('optimizer/slow-queries')
export class SlowQueriesController {
  constructor(
    private readonly optimizer: QueryOptimizer,
    private readonly cursors: CursorCodec,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the slow queries, page by page',
    description:
      'Of this process, and by the history of others and of before a restart; with pg_stat_statements those of other programs.',
  })
  @ApiResponse({ status: 200, standardSchema: slowQueriesPageSchema })
  list(@Query({ schema: slowQueriesQuery }) { sort, ...page }: SlowQueriesQuery) {
    const { queries, thresholdMs, serverSince, degraded } = this.optimizer.slowQueries.report(Infinity);
    const list = { scope: `slow-queries:${sort}`, items: queries };
    const key = (it: SlowQuery) => it.fingerprint;
    const value = (it: SlowQuery) => it[sort] ?? UNKNOWN;
    const { items, nextCursor } = pageOfRanked({ ...list, value, key }, page, this.cursors);
    return { thresholdMs, serverSince, items: items.map(describeSlowQuery), nextCursor, degraded };
  }

  @Get(':fingerprint')
  @ApiOperation({ summary: 'One slow query with all its plans, its regression and its history by hour' })
  @ApiResponse({ status: 200, standardSchema: slowQueryDetailSchema })
  async find(@Param('fingerprint', { schema: fingerprintParameter }) fingerprint: string) {
    const { slowQueries } = this.optimizer;
    const found = slowQueries.report(Infinity).queries.find((it) => it.fingerprint === fingerprint);
    if (!found) throw new NotFoundException(`There is no slow query ${fingerprint}`);
    const { regression, ...query } = found;
    const hours = await slowQueries.hours(fingerprint);
    return { ...query, regression: regression && describeRegression(regression), hours };
  }
}

function describeSlowQuery({ plans, regression, server: _server, ...query }: SlowQuery) {
  return { ...query, plan: plans.at(-1) ?? null, plans: plans.length, hasRegressed: regression !== null };
}

function describeRegression({
  since,
  before,
  after,
  factor,
  evidence,
}: NonNullable<SlowQuery['regression']>) {
  return { since, before, after, factor, evidence };
}
