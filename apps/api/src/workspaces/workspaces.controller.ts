import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { FileService, WorkspaceService } from '@peregrine/content';
import { type Caller } from '@peregrine/runtime';
import { z } from 'zod';
import { CurrentCaller, RequireScope } from '../access/access.decorators.js';
import { visibilityOf } from '../access/access.guard.js';
import { identifier } from '../app/identifier.js';
import { pageOf, pageQuery } from '../app/paging.js';

const query = pageQuery(50, 200);

const writeSchema = z
  .strictObject({ name: z.string().trim().min(1).max(200).describe('1 to 200 characters') })
  .meta({ id: 'WriteWorkspace' });
type WriteWorkspace = z.output<typeof writeSchema>;

const workspaceSchema = z
  .object({ id: z.uuid(), name: z.string(), createdAt: z.iso.datetime(), updatedAt: z.iso.datetime() })
  .meta({ id: 'Workspace' });

const statisticsSchema = z
  .object({
    files: z.int(),
    sizeBytes: z.int(),
    byStatus: z.object({ pending: z.int(), extracted: z.int(), skipped: z.int(), failed: z.int() }),
  })
  .meta({ id: 'WorkspaceStatistics' });

@ApiTags('Workspaces')
@Controller('workspaces')
export class WorkspacesController {
  constructor(
    private readonly workspaces: WorkspaceService,
    private readonly files: FileService,
  ) {}

  @Post()
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Make a workspace that the calling key may see' })
  @ApiResponse({ status: 201, standardSchema: workspaceSchema })
  create(@Body({ schema: writeSchema }) body: WriteWorkspace, @CurrentCaller() caller: Caller) {
    return this.workspaces.create(body.name, { grantTo: caller.apiKeyId });
  }

  @Get()
  @RequireScope('content:read')
  @ApiOperation({ summary: 'List the workspaces that the key may see, oldest first' })
  @ApiResponse({ status: 200, standardSchema: pageOf(workspaceSchema) })
  list(@Query({ schema: query }) page: z.output<typeof query>, @CurrentCaller() caller: Caller) {
    return this.workspaces.list({ ...page, visibleTo: visibilityOf(caller) });
  }

  @Get(':workspaceId')
  @RequireScope('content:read')
  @ApiOperation({ summary: 'Get a workspace' })
  @ApiResponse({ status: 200, standardSchema: workspaceSchema })
  get(@Param('workspaceId', { schema: identifier }) workspaceId: string) {
    return this.workspaces.get(workspaceId);
  }

  @Get(':workspaceId/statistics')
  @RequireScope('content:read')
  @ApiOperation({ summary: 'How many files a workspace has, and how far the reading of their text is' })
  @ApiResponse({ status: 200, standardSchema: statisticsSchema })
  statistics(@Param('workspaceId', { schema: identifier }) workspaceId: string) {
    return this.files.statistics(workspaceId);
  }

  @Patch(':workspaceId')
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Rename a workspace' })
  @ApiResponse({ status: 200, standardSchema: workspaceSchema })
  rename(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Body({ schema: writeSchema }) body: WriteWorkspace,
  ) {
    return this.workspaces.rename(workspaceId, body.name);
  }

  @Delete(':workspaceId')
  @HttpCode(204)
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Delete a workspace with all its files' })
  @ApiResponse({ status: 204, description: 'Deleted' })
  delete(@Param('workspaceId', { schema: identifier }) workspaceId: string) {
    return this.workspaces.delete(workspaceId);
  }
}
