import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller } from '@peregrine/runtime';
import { TaskNotFoundError, TaskQueue, type TaskStatus, type TaskSubmission } from '@peregrine/task-queue';
import { type FastifyReply } from 'fastify';
import { CurrentCaller, RequireScope } from '../access/access.decorators.js';
import { failureOf } from '../problem/failures.js';
import { type FieldProblem, problemSchema, ValidationError } from '../problem/problem.js';
import { isAdmin, TaskAccess } from './task-access.js';
import { describeSubmitted, taskReference } from './task-reference.js';
import {
  cancellationSchema,
  explanationSchema,
  idempotencyKey,
  MAX_BATCH,
  statisticsSchema,
  submitBatchSchema,
  submitSchema,
  type SubmitTask,
  type SubmitTasks,
  submittedBatchSchema,
  submittedSchema,
  taskSchema,
} from './task.schemas.js';

const ACCEPTED = 202;

@ApiTags('Tasks')
@Controller('tasks')
export class TasksController {
  constructor(
    private readonly queue: TaskQueue,
    private readonly access: TaskAccess,
  ) {}

  @Post()
  @HttpCode(ACCEPTED)
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Submit a task that is worked on in the background' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'A submission that may be repeated: while the first task with this key of the caller is kept, the answer is that task',
  })
  @ApiResponse({
    status: ACCEPTED,
    description: 'Submitted; Location has the path of its status',
    standardSchema: submittedSchema,
  })
  async submit(
    @Body({ schema: submitSchema }) body: SubmitTask,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const item = { ...body, idempotencyKey: validKey(key) };
    const { definition, payload, ...options } = await this.access.admit(caller, item);
    const { id } = await this.queue.submit(definition, payload, options);
    const submitted = describeSubmitted(definition, id);
    void reply.header('Location', submitted.url);
    return submitted;
  }

  @Post('batch')
  @HttpCode(ACCEPTED)
  @RequireScope('content:write')
  @ApiOperation({
    summary: `Submit up to ${MAX_BATCH} tasks`,
    description:
      'Nothing is submitted when one of them is not valid. After that it is not all or nothing when the queue fails: ' +
      'give idempotency keys to what you may have to repeat.',
  })
  @ApiResponse({ status: ACCEPTED, description: 'Submitted', standardSchema: submittedBatchSchema })
  async submitBatch(
    @Body({ schema: submitBatchSchema }) { items }: SubmitTasks,
    @CurrentCaller() caller: Caller,
  ) {
    const admitted = await this.access.admitAll(caller, items);
    const submissions: TaskSubmission[] = [];
    const problems: FieldProblem[] = [];
    for (const [index, it] of admitted.entries()) {
      if (it.status === 'fulfilled') submissions.push(it.value);
      else problems.push(...problemsOfItem(it.reason, `body.items.${index}`));
    }
    if (problems.length > 0) throw new ValidationError(problems);
    const ids = await this.queue.submitMany(submissions);
    return { items: submissions.map((it, index) => describeSubmitted(it.definition, ids[index]?.id ?? '')) };
  }

  @Get('stats')
  @RequireScope('admin')
  @ApiOperation({
    summary: 'How much was submitted, completed, failed and retried in all processes, and what is left',
  })
  @ApiResponse({ status: 200, standardSchema: statisticsSchema })
  statistics() {
    return this.queue.totals();
  }

  @Get(':taskId')
  @RequireScope('content:read')
  @ApiOperation({ summary: 'How a task is: state, progress, and its result or error when it has ended' })
  @ApiResponse({ status: 200, standardSchema: taskSchema })
  async status(
    @Param('taskId', { schema: taskReference }) reference: string,
    @CurrentCaller() caller: Caller,
  ) {
    const { definition, id } = await this.access.find(caller, reference);
    const status = await this.queue.status(definition, id);
    if (!status) throw new TaskNotFoundError(definition.name, id);
    const result = status.state === 'completed' ? await this.queue.result(definition, id) : null;
    return describeTask(reference, status, result);
  }

  @Delete(':taskId')
  @RequireScope('content:write')
  @ApiOperation({ summary: 'Cancel a task that waits or runs' })
  @ApiResponse({ status: 200, description: 'It is over', standardSchema: cancellationSchema })
  @ApiResponse({
    status: ACCEPTED,
    description: 'It runs and is told to end',
    standardSchema: cancellationSchema,
  })
  @ApiResponse({ status: 409, description: 'It has ended already', standardSchema: problemSchema })
  async cancel(
    @Param('taskId', { schema: taskReference }) reference: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { definition, id } = await this.access.find(caller, reference);
    const state = await this.queue.cancel(definition, id);
    void reply.status(state === 'cancelled' ? 200 : ACCEPTED);
    return { id: reference, state };
  }

  @Get(':taskId/explanation')
  @RequireScope('content:read')
  @ApiOperation({ summary: 'Why a task is not running, or how it ended' })
  @ApiResponse({ status: 200, standardSchema: explanationSchema })
  async explain(
    @Param('taskId', { schema: taskReference }) reference: string,
    @CurrentCaller() caller: Caller,
  ) {
    const { definition, id } = await this.access.find(caller, reference);
    const { worker, ...explanation } = await this.queue.explain(definition, id);
    if (worker === undefined || isAdmin(caller)) return { ...explanation, worker, id: reference };
    // The names of hosts are nobody else's business.
    return { ...explanation, text: explanation.text.replace(` ${worker}`, ''), id: reference };
  }
}

/** @throws {ValidationError} */
function validKey(key: string | undefined): string | undefined {
  const { error } = idempotencyKey.optional().safeParse(key);
  if (!error) return key;
  throw new ValidationError(
    error.issues.map(({ message }) => ({ field: 'header.Idempotency-Key', message })),
  );
}

function describeTask(reference: string, status: TaskStatus, result: unknown) {
  const { error = null, cancelReason = null, startedAt = null, finishedAt = null, ...rest } = status;
  return { ...rest, id: reference, result, error, cancelReason, startedAt, finishedAt };
}

/** What is wrong with one item, at the place where it stands. */
function problemsOfItem(error: unknown, place: string): FieldProblem[] {
  const { status, detail, errors } = failureOf(error);
  if (status >= 500) throw error;
  return errors
    ? errors.map(({ field, message }) => ({ field: field.replace('body', place), message }))
    : [{ field: place, message: detail }];
}
