import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  AuditService,
  BootstrapService,
  ConsolidationService,
  MemoryAddService,
  MemoryQueryService,
  MemoryService,
} from '@peregrine/memories';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { identifier } from '../app/identifier.js';
import { pageOf } from '../app/paging.js';
import {
  addedSchema,
  type AddMemories,
  addSchema,
  answerSchema,
  associationSchema,
  associationsQuery,
  auditSchema,
  bootstrapQuery,
  bootstrapSchema,
  memorySchema,
  type QueryMemories,
  querySchema,
  undoneSchema,
  workspaceQuery,
} from './memories.schemas.js';
import { NamedWorkspace, NamesWorkspace } from '../access/named-workspace.js';

@ApiTags('Memories')
@NamesWorkspace()
@Controller('memories')
export class MemoriesController {
  constructor(
    private readonly adding: MemoryAddService,
    private readonly querying: MemoryQueryService,
    private readonly memories: MemoryService,
    private readonly bootstraps: BootstrapService,
    private readonly audits: AuditService,
    private readonly consolidation: ConsolidationService,
  ) {}

  @Post('add')
  @RequireScope('memories:write')
  @ApiOperation({
    summary: 'Add memories, each content once',
    description:
      'A content that the workspace has already, but for white space, is not added again. New ones are found by their ' +
      'words at once, and by their meaning when a worker has embedded them.',
  })
  @ApiResponse({ status: 201, description: 'At least one is new', standardSchema: addedSchema })
  @ApiResponse({ status: 200, description: 'The workspace has them all', standardSchema: addedSchema })
  async add(
    @NamedWorkspace() workspaceId: string,
    @Body({ schema: addSchema }) { content, contents = [] }: AddMemories,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const items = await this.adding.add(workspaceId, content === undefined ? contents : [content]);
    void reply.status(items.some((it) => it.status === 'created') ? 201 : 200);
    return { items };
  }

  @Post('query')
  @HttpCode(200)
  @RequireScope('memories:read')
  @ApiOperation({
    summary: 'Find memories by words and meaning, best first, each with the reason',
    description: 'What is found counts as read, and the most relevant as used, once an hour.',
  })
  @ApiResponse({ status: 200, standardSchema: answerSchema })
  query(
    @NamedWorkspace() workspaceId: string,
    @Body({ schema: querySchema }) { query, limit }: QueryMemories,
  ) {
    return this.querying.query(workspaceId, { query, limit });
  }

  @Get('bootstrap')
  @RequireScope('memories:read')
  @ApiOperation({ summary: 'What to begin with: the memories used last, of all tiers' })
  @ApiResponse({ status: 200, standardSchema: bootstrapSchema })
  async bootstrap(
    @NamedWorkspace() workspaceId: string,
    @Query({ schema: bootstrapQuery }) { limit }: z.output<typeof bootstrapQuery>,
  ) {
    return { items: await this.bootstraps.bootstrap(workspaceId, limit) };
  }

  @Get('audit')
  @RequireScope('memories:read')
  @ApiOperation({ summary: 'Whether the memories are worth keeping: duplicates, never read, growth' })
  @ApiResponse({ status: 200, standardSchema: auditSchema })
  audit(
    @NamedWorkspace() workspaceId: string,
    @Query({ schema: workspaceQuery }) _query: z.output<typeof workspaceQuery>,
  ) {
    return this.audits.audit(workspaceId);
  }

  @Get(':memoryId')
  @RequireScope('memories:read')
  @ApiOperation({ summary: 'Get a memory with how it was used' })
  @ApiResponse({ status: 200, standardSchema: memorySchema })
  get(
    @NamedWorkspace() workspaceId: string,
    @Param('memoryId', { schema: identifier }) memoryId: string,
    @Query({ schema: workspaceQuery }) _query: z.output<typeof workspaceQuery>,
  ) {
    return this.memories.get(workspaceId, memoryId);
  }

  @Delete(':memoryId')
  @HttpCode(204)
  @RequireScope('memories:write')
  @ApiOperation({
    summary: 'Delete a memory',
    description:
      'A summary goes with its sources. A summary of a deleted original is taken apart: it holds words of it.',
  })
  @ApiResponse({ status: 204, description: 'Deleted' })
  delete(
    @NamedWorkspace() workspaceId: string,
    @Param('memoryId', { schema: identifier }) memoryId: string,
    @Query({ schema: workspaceQuery }) _query: z.output<typeof workspaceQuery>,
  ) {
    return this.memories.delete(workspaceId, memoryId);
  }

  @Get(':memoryId/associations')
  @RequireScope('memories:read')
  @ApiOperation({ summary: 'List what a memory was found with, most often first' })
  @ApiResponse({ status: 200, standardSchema: pageOf(associationSchema) })
  associations(
    @NamedWorkspace() workspaceId: string,
    @Param('memoryId', { schema: identifier }) memoryId: string,
    @Query({ schema: associationsQuery }) { limit, cursor }: z.output<typeof associationsQuery>,
  ) {
    return this.memories.associations(workspaceId, memoryId, { limit, cursor });
  }

  @Post(':memoryId/undo')
  @HttpCode(200)
  @RequireScope('memories:write')
  @ApiOperation({ summary: 'Take a summary apart: its originals are found again' })
  @ApiResponse({ status: 200, standardSchema: undoneSchema })
  async undo(
    @NamedWorkspace() workspaceId: string,
    @Param('memoryId', { schema: identifier }) memoryId: string,
    @Query({ schema: workspaceQuery }) _query: z.output<typeof workspaceQuery>,
  ) {
    return { sources: await this.consolidation.undo(workspaceId, memoryId) };
  }
}
