import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { SyncService } from '@peregrine/content';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { RequireScope } from '../access/access.decorators.js';
import { identifier } from '../app/identifier.js';
import { problemSchema } from '../problem/problem.js';
import {
  describeSync,
  type StartSyncBody,
  startSyncSchema,
  syncPageSchema,
  syncQuery,
  syncSchema,
} from './sync.schemas.js';

const ACCEPTED = 202;

/**
 * Mirrors of folders and buckets. Only admins start them: what lies below the roots belongs to the machine and to no
 * workspace, so that a key of one workspace must not read it into another.
 */
@ApiTags('Syncs')
@Controller('workspaces/:workspaceId/syncs')
export class SyncController {
  constructor(private readonly syncs: SyncService) {}

  @Post()
  @HttpCode(ACCEPTED)
  @RequireScope('admin')
  @ApiOperation({
    summary: 'Mirror a folder or bucket into the workspace, or the workspace into it',
    description: 'One at a time for a workspace and a source. It goes on where it was when its worker dies.',
  })
  @ApiResponse({
    status: ACCEPTED,
    description: 'Submitted; Location has its path',
    standardSchema: syncSchema,
  })
  @ApiResponse({
    status: 409,
    description: 'One of the same pair has not ended',
    standardSchema: problemSchema,
  })
  async start(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Body({ schema: startSyncSchema }) body: StartSyncBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const sync = await this.syncs.start(workspaceId, body);
    void reply.header('Location', `/api/v1/workspaces/${workspaceId}/syncs/${sync.id}`);
    return describeSync(sync);
  }

  @Get()
  @RequireScope('content:read')
  @ApiOperation({ summary: 'List the syncs of a workspace, newest first' })
  @ApiResponse({ status: 200, standardSchema: syncPageSchema })
  async list(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Query({ schema: syncQuery }) query: z.output<typeof syncQuery>,
  ) {
    const { items, ...cursors } = await this.syncs.list(workspaceId, query);
    return { items: items.map(describeSync), ...cursors };
  }

  @Get(':syncId')
  @RequireScope('content:read')
  @ApiOperation({ summary: 'How a sync is: state, counts, and what was not brought into step' })
  @ApiResponse({ status: 200, standardSchema: syncSchema })
  async get(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Param('syncId', { schema: identifier }) syncId: string,
  ) {
    return describeSync(await this.syncs.get(workspaceId, syncId));
  }

  @Delete(':syncId')
  @RequireScope('admin')
  @ApiOperation({ summary: 'Cancel a sync; what it has copied stays' })
  @ApiResponse({ status: 200, standardSchema: syncSchema })
  @ApiResponse({ status: 409, description: 'It has ended already', standardSchema: problemSchema })
  async cancel(
    @Param('workspaceId', { schema: identifier }) workspaceId: string,
    @Param('syncId', { schema: identifier }) syncId: string,
  ) {
    return describeSync(await this.syncs.cancel(workspaceId, syncId));
  }
}
