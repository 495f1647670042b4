import { ForbiddenException, Injectable, type OnModuleInit } from '@nestjs/common';
import { analyseBatch } from '@peregrine/ai';
import { convertFile, reindexWorkspace, WorkspaceNotFoundError, WorkspaceService } from '@peregrine/content';
import { type Caller } from '@peregrine/runtime';
import {
  type AnyTaskDefinition,
  TaskNotFoundError,
  type TaskPayload,
  TaskQueue,
  type TaskSubmission,
  UnknownTaskError,
} from '@peregrine/task-queue';
import { createHash, randomUUID } from 'node:crypto';
import { visibilityOf } from '../access/access.guard.js';
import { identifier } from '../app/identifier.js';
import { ValidationError } from '../problem/problem.js';
import { splitReference } from './task-reference.js';
import { type SubmitTaskItem } from './task.schemas.js';

/** Whose a task is: who may write to the workspace may submit, see and cancel it. */
interface Rule {
  readonly definition: AnyTaskDefinition;
  readonly workspaceOf: (payload: unknown) => string;
}

const rule = <D extends AnyTaskDefinition>(
  definition: D,
  workspaceOf: (payload: TaskPayload<D>) => string,
): Rule => ({ definition, workspaceOf: (payload) => workspaceOf(payload as TaskPayload<D>) });

/** One for each public task, and for those of other routes that their callers may ask about. */
const RULES: readonly Rule[] = [
  rule(reindexWorkspace, ({ workspaceId }) => workspaceId),
  rule(convertFile, ({ workspaceId }) => workspaceId),
];

/** Tasks that routes of their own submit; they belong to the API key that asked, whose id theirs begin with. */
const OF_A_KEY: readonly AnyTaskDefinition[] = [analyseBatch];

/** What a submission is for. */
interface Target {
  readonly definition: AnyTaskDefinition;
  readonly item: SubmitTaskItem;
  readonly workspaceId: string;
}

/** Between the workspace and the rest of an id. */
const OWNER_END = '.';

/**
 * What a caller may do with which task. The id of a task that came over HTTP begins with its workspace, so that whoever
 * asks for it later can be checked without a look into its payload. What a caller may not see answers as if it did not
 * exist.
 */
@Injectable()
export class TaskAccess implements OnModuleInit {
  constructor(
    private readonly queue: TaskQueue,
    private readonly workspaces: WorkspaceService,
  ) {}

  /** Nothing is open by mistake: a public task without a rule ends the start. */
  onModuleInit(): void {
    const open = this.queue.definitions().filter((it) => it.public && !ruleOf(it));
    if (open.length === 0) return;
    throw new Error(`Public tasks need a rule in TaskAccess: ${open.map((it) => it.name).join(', ')}`);
  }

  /**
   * A submission that may go to the queue.
   *
   * @throws {UnknownTaskError} also for one that is not public
   * @throws {ValidationError} with the fields of the payload that are wrong
   * @throws {WorkspaceNotFoundError} @throws {ForbiddenException}
   */
  async admit(caller: Caller, item: SubmitTaskItem): Promise<TaskSubmission> {
    const [admitted] = await this.admitAll(caller, [item]);
    if (admitted?.status === 'fulfilled') return admitted.value;
    throw admitted?.reason;
  }

  /** Each as {@link admit}, in the order of the items; one question for the workspaces of all. */
  async admitAll(
    caller: Caller,
    items: readonly SubmitTaskItem[],
  ): Promise<PromiseSettledResult<TaskSubmission>[]> {
    const targets = items.map((it) => this.#targetOf(it));
    const workspaceIds = (await Promise.allSettled(targets)).flatMap((it) =>
      it.status === 'fulfilled' ? [it.value.workspaceId] : [],
    );
    const visible = await this.workspaces.visibleAmong(workspaceIds, visibilityOf(caller));
    return Promise.allSettled(targets.map(async (it) => submissionOf(await it, visible, caller)));
  }

  /**
   * The task that a path names. Admins see all tasks, others those that came over HTTP for a workspace of theirs.
   *
   * @throws {TaskNotFoundError}
   */
  async find(caller: Caller, reference: string): Promise<{ definition: AnyTaskDefinition; id: string }> {
    const { task, id } = splitReference(reference);
    const definition = this.queue.definition(task);
    if (definition && (isAdmin(caller) || (await this.#owns(caller, definition, id)))) {
      return { definition, id };
    }
    throw new TaskNotFoundError(task, id);
  }

  #publicTask(name: string): Rule {
    const definition = this.queue.definition(name);
    const found = definition?.public && ruleOf(definition);
    if (!found) throw new UnknownTaskError(name);
    return found;
  }

  async #owns(caller: Caller, definition: AnyTaskDefinition, id: string): Promise<boolean> {
    if (OF_A_KEY.includes(definition)) return id.startsWith(`${caller.apiKeyId}${OWNER_END}`);
    if (!ruleOf(definition)) return false;
    const { data } = identifier.safeParse(id.split(OWNER_END, 1)[0]);
    return data !== undefined && (await this.workspaces.isVisible(data, visibilityOf(caller)));
  }

  async #targetOf(item: SubmitTaskItem): Promise<Target> {
    const { definition, workspaceOf } = this.#publicTask(item.task);
    return { definition, item, workspaceId: workspaceOf(await validPayload(definition, item.payload)) };
  }
}

/** The id of a new task of `OF_A_KEY`. */
export function callersTaskId({ apiKeyId }: Caller): string {
  return `${apiKeyId}${OWNER_END}${randomUUID()}`;
}

export function isAdmin(caller: Caller): boolean {
  return caller.scopes.includes('admin');
}

function ruleOf(definition: AnyTaskDefinition): Rule | undefined {
  return RULES.find((it) => it.definition === definition);
}

/** @throws {WorkspaceNotFoundError} @throws {ForbiddenException} */
function submissionOf(
  { definition, item, workspaceId }: Target,
  visible: ReadonlySet<string>,
  caller: Caller,
): TaskSubmission {
  if (!visible.has(workspaceId)) throw new WorkspaceNotFoundError(workspaceId);
  const { payload, priority, delayMs, runAt, idempotencyKey } = item;
  if (priority === 'CRITICAL' && !isAdmin(caller)) {
    throw new ForbiddenException('The priority CRITICAL needs an API key with the scope admin');
  }
  return {
    definition,
    payload,
    id: `${workspaceId}${OWNER_END}${uniquePart(caller, idempotencyKey)}`,
    ...(priority && { priority }),
    ...(delayMs !== undefined && { delayMs }),
    ...(runAt !== undefined && { runAt: new Date(runAt) }),
  };
}

/** The keys of one caller are no other's. */
function uniquePart({ apiKeyId }: Caller, key: string | undefined): string {
  if (key === undefined) return randomUUID();
  return createHash('sha256').update(`${apiKeyId}\n${key}`).digest('base64url');
}

async function validPayload(definition: AnyTaskDefinition, payload: unknown): Promise<unknown> {
  const parsed = await definition.payload.safeParseAsync(payload);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    field: ['body', 'payload', ...path.map(String)].join('.'),
    message,
  }));
  throw new ValidationError(errors, 'TASK_QUEUE_INVALID_PAYLOAD');
}
