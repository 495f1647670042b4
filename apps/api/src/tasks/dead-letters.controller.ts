import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type AskedBy, purgeDeadLetters, redriveDeadLetters } from '@peregrine/runtime';
import {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetters,
  type PurgeResult,
  type RedriveResult,
  TaskQueue,
} from '@peregrine/task-queue';
import { type FastifyReply } from 'fastify';
import { RequireScope } from '../access/access.decorators.js';
import { problemSchema } from '../problem/problem.js';
import {
  deadLetterDetailSchema,
  deadLetterGroupsSchema,
  deadLetterPageSchema,
  type Filter,
  filterQuery,
  type List,
  listQuery,
  type Purge,
  purgeResultSchema,
  purgeSchema,
  type Redrive,
  redriveResultSchema,
  redriveSchema,
} from './dead-letter.schemas.js';
import { submittedSchema } from './task.schemas.js';
import {
  describeSubmitted,
  referenceTo,
  splitReference,
  type Submitted,
  taskReference,
} from './task-reference.js';

const ACCEPTED = 202;
const inBackground = ApiResponse({
  status: ACCEPTED,
  description: 'A task does it; Location has the path of its progress and result',
  standardSchema: submittedSchema,
});
const notDead = ApiResponse({
  status: 409,
  description: 'It is no dead letter, or not any more',
  standardSchema: problemSchema,
});

/** Tasks that have failed for good, for those who run the platform. */
@ApiTags('Dead letters')
@RequireScope('admin')
@Controller('tasks/dead-letters')
export class DeadLettersController {
  readonly #deadLetters: DeadLetters;

  constructor(private readonly queue: TaskQueue) {
    this.#deadLetters = queue.deadLetters;
  }

  @Get()
  @ApiOperation({ summary: 'List the dead letters, the latest failure first' })
  @ApiResponse({ status: 200, standardSchema: deadLetterPageSchema })
  async list(@Query({ schema: listQuery }) { limit, cursor, ...filter }: List) {
    const options = { ...toFilter(filter), limit, ...(cursor !== undefined && { cursor }) };
    const { items, nextCursor } = await this.#deadLetters.list(options);
    return { items: items.map(describe), nextCursor };
  }

  @Get('groups')
  @ApiOperation({ summary: 'The dead letters by task and kind of error, the largest group first' })
  @ApiResponse({ status: 200, standardSchema: deadLetterGroupsSchema })
  async groups(@Query({ schema: filterQuery }) filter: Filter) {
    const groups = await this.#deadLetters.groups(toFilter(filter));
    const references = (task: string, ids: readonly string[]) =>
      ids.map((id) => referenceTo({ name: task }, id));
    return { items: groups.map((it) => ({ ...it, ids: references(it.task, it.ids) })) };
  }

  /** @param asked not of the request: who is to find it in the audit */
  @Post('redrive')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Put dead letters back to work',
    description:
      'By ids, or as a dry run, at once. By a filter, or at a bounded rate, in the background: the answer is 202 then.',
  })
  @ApiResponse({ status: 200, standardSchema: redriveResultSchema })
  @inBackground
  async redrive(
    @Body({ schema: redriveSchema }) body: Redrive,
    @Res({ passthrough: true }) reply: FastifyReply,
    asked?: AskedBy,
  ): Promise<RedriveResult | Submitted> {
    const { ratePerSecond } = body;
    if (body.dryRun || (isByIds(body) && ratePerSecond === undefined)) {
      return this.#deadLetters.redrive(toSelection(body), { dryRun: body.dryRun });
    }
    const payload = {
      selection: toPayload(body),
      ...(ratePerSecond !== undefined && { ratePerSecond }),
      ...(asked && { asked }),
    };
    const { id } = await this.queue.submit(redriveDeadLetters, payload);
    return accepted(describeSubmitted(redriveDeadLetters, id), reply);
  }

  /** @param asked not of the request: who is to find it in the audit */
  @Post('purge')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Remove dead letters for good',
    description: 'By ids, or as a dry run, at once. By a filter in the background: the answer is 202 then.',
  })
  @ApiResponse({ status: 200, standardSchema: purgeResultSchema })
  @inBackground
  async purge(
    @Body({ schema: purgeSchema }) body: Purge,
    @Res({ passthrough: true }) reply: FastifyReply,
    asked?: AskedBy,
  ): Promise<PurgeResult | Submitted> {
    if (body.dryRun || isByIds(body)) {
      return this.#deadLetters.purge(toSelection(body), { dryRun: body.dryRun });
    }
    const payload = { selection: toPayload(body), ...(asked && { asked }) };
    const { id } = await this.queue.submit(purgeDeadLetters, payload);
    return accepted(describeSubmitted(purgeDeadLetters, id), reply);
  }

  @Get(':taskId')
  @ApiOperation({ summary: 'Everything about a dead letter, its payload and stacks included' })
  @ApiResponse({ status: 200, standardSchema: deadLetterDetailSchema })
  @notDead
  async inspect(@Param('taskId', { schema: taskReference }) reference: string) {
    const { task, id } = splitReference(reference);
    return describe(await this.#deadLetters.inspect(task, id));
  }

  @Post(':taskId/redrive')
  @HttpCode(200)
  @ApiOperation({ summary: 'Put one dead letter back to work, with all its attempts' })
  @ApiResponse({ status: 200, standardSchema: redriveResultSchema })
  @notDead
  redriveOne(@Param('taskId', { schema: taskReference }) reference: string) {
    return this.#deadLetters.redrive(splitReference(reference));
  }

  @Delete(':taskId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove one dead letter for good' })
  @ApiResponse({ status: 204, description: 'Removed' })
  @notDead
  async purgeOne(@Param('taskId', { schema: taskReference }) reference: string): Promise<void> {
    await this.#deadLetters.purge(splitReference(reference));
  }
}

type Selection = Omit<Purge, 'dryRun'>;

function isByIds(body: Selection): body is Selection & { task: string; ids: string[] } {
  return body.ids !== undefined && body.task !== undefined;
}

function toSelection(body: Selection) {
  return isByIds(body) ? { task: body.task, ids: body.ids } : toFilter(body);
}

/** For a task: whatever fails from now on is not meant. */
function toPayload(body: Selection) {
  if (isByIds(body)) return { task: body.task, ids: body.ids };
  const { failedSince, failedBefore = new Date().toISOString() } = body;
  return { ...textsOf(body), ...(failedSince !== undefined && { failedSince }), failedBefore };
}

function toFilter(filter: Filter): DeadLetterFilter {
  const { failedSince, failedBefore } = filter;
  return {
    ...textsOf(filter),
    ...(failedSince !== undefined && { failedSince: new Date(failedSince) }),
    ...(failedBefore !== undefined && { failedBefore: new Date(failedBefore) }),
  };
}

function textsOf({ task, fingerprint, error }: Filter) {
  return {
    ...(task !== undefined && { task }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(error !== undefined && { error }),
  };
}

function describe<T extends DeadLetter>(letter: T): T {
  return { ...letter, id: referenceTo({ name: letter.task }, letter.id) };
}

function accepted(submitted: Submitted, reply: FastifyReply): Submitted {
  void reply.status(ACCEPTED).header('Location', submitted.url);
  return submitted;
}
