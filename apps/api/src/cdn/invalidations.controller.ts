import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Cache } from '@peregrine/cache';
import { CdnInvalidation } from '@peregrine/cdn';
import { InvalidationList } from '@peregrine/runtime';
import { type z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import {
  type Invalidate,
  invalidateSchema,
  type InvalidationsPage,
  invalidationsPageSchema,
  listQuery,
  queuedSchema,
  toInvalidations,
  toPage,
} from './cdn.schemas.js';

/** What is in front of the platform, for those who run it. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('cdn/invalidations')
export class InvalidationsController {
  constructor(
    private readonly cdn: CdnInvalidation,
    private readonly invalidations: InvalidationList,
    private readonly cache: Cache,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Invalidate paths, wildcards, tags or everything',
    description: 'Tags and everything go from the own cache at once; the CDN follows in the background.',
  })
  @ApiResponse({ status: 202, standardSchema: queuedSchema })
  async invalidate(
    @Body({ schema: invalidateSchema }) body: Invalidate,
  ): Promise<z.output<typeof queuedSchema>> {
    // First the own cache: what the CDN fetches anew must not come from there.
    if (body.everything === true) await this.cache.flush();
    else if (body.tags && body.tags.length > 0) await this.cache.invalidateTags(body.tags);
    const queued = await this.cdn.queueInvalidation(body);
    const note =
      this.cdn.providers.length === 0
        ? 'No CDN is configured (CDN_PROVIDER): only the own cache was invalidated.'
        : 'Queued; GET /api/v1/cdn/invalidations tells what is pending.';
    return { ...toInvalidations(queued), note };
  }

  @Get()
  @ApiOperation({ summary: 'List the invalidations that are pending, or those that have ended' })
  @ApiResponse({ status: 200, standardSchema: invalidationsPageSchema })
  async list(@Query({ schema: listQuery }) query: z.output<typeof listQuery>): Promise<InvalidationsPage> {
    return toPage(await this.invalidations.page(query));
  }
}
