import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '@peregrine/database';
import { type AuditEvent, AuditTrail } from '@peregrine/runtime';
import { RequireScope } from '../access/access.decorators.js';
import { PROFILE_TASK, profileUrl } from '../profiles/profile-answers.js';
import { describeSubmitted } from '../tasks/task-reference.js';
import { auditPageSchema, type AuditQuery, auditQuery } from './audit.schemas.js';

/** Who has changed what while the platform runs. Nothing of it can be changed or removed. */
@ApiTags('Operations')
@RequireScope('admin')
@Controller('audit-events')
export class AuditController {
  constructor(
    private readonly audit: AuditTrail,
    private readonly cursors: CursorCodec,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List what operators have asked for and what came of it, the newest first' })
  @ApiResponse({ status: 200, standardSchema: auditPageSchema })
  async list(@Query({ schema: auditQuery }) query: AuditQuery) {
    const page = await this.audit.list(query, this.cursors);
    return { ...page, items: page.items.map(describeEvent) };
  }
}

function describeEvent({ task, ...event }: AuditEvent) {
  if (task === null) return { ...event, task: null, url: null };
  const { id, url } = describeSubmitted(task, task.id);
  return { ...event, task: id, url: task.name === PROFILE_TASK ? profileUrl(task.id) : url };
}
