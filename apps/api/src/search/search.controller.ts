import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { MAX_QUERY_LENGTH, SearchService, searchTag, workspaceTag } from '@peregrine/content';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { tagResponse } from '../cdn/edge-headers.js';
import { identifier } from '../app/identifier.js';
import { pageOf, pageQuery } from '../app/paging.js';

const query = pageQuery(10, 50).extend({
  q: z
    .string({ error: 'expected what to search for' })
    .trim()
    .min(1)
    .max(MAX_QUERY_LENGTH)
    .refine((it) => !it.includes('\0'), 'must not hold a NUL character')
    .describe('Words, "phrases", or, -not'),
});

const hitSchema = z
  .object({
    fileId: z.uuid(),
    path: z.string(),
    name: z.string(),
    mediaType: z.string(),
    sizeBytes: z.int(),
    rank: z.number().describe('Comparable within one search only'),
    snippet: z.string().describe('HTML that is safe to show: escaped, hits in <mark>'),
  })
  .meta({ id: 'SearchHit' });

@ApiTags('Search')
@Controller('workspaces/:workspaceId/search')
export class SearchController {
  constructor(private readonly search: SearchService) {}

  @Get()
  @RequireScope('content:read')
  @ApiOperation({ summary: 'Search name, path and text of the files, best first' })
  @ApiResponse({ status: 200, standardSchema: pageOf(hitSchema) })
  find(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Query({ schema: query }) { q, limit, cursor }: z.output<typeof query>,
    @Req() request: FastifyRequest,
  ) {
    tagResponse(request, searchTag(workspaceId), workspaceTag(workspaceId));
    return this.search.search(workspaceId, { query: q, limit, cursor });
  }
}
