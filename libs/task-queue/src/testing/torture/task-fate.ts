import { type AnyTaskDefinition } from '../../definition/task-definition.js';
import { type TaskExplanation } from '../../queue/task-explanation.js';
import { type TaskStatus } from '../../queue/task-status.js';
import { type TaskQueue } from '../../task-queue.service.js';
import { type ExecutionRecord, type TaskExecutions } from './execution-record.js';

export interface SubmittedTask {
  readonly definition: AnyTaskDefinition;
  readonly id: string;
}

/** What became of a task: what the store says, and what the workers wrote. */
export interface TaskFate {
  readonly task: string;
  readonly id: string;
  /** `null`: the store does not know it. */
  readonly status: TaskStatus | null;
  readonly executions: Readonly<TaskExecutions>;
  /** Of a task that has not ended. */
  readonly explanation?: TaskExplanation;
}

const LOOKUPS_AT_ONCE = 20;

/** In the order in which they were submitted. @throws {QueueUnavailableError} */
export async function findFates(
  queue: TaskQueue,
  submitted: readonly SubmittedTask[],
  record: ExecutionRecord,
): Promise<TaskFate[]> {
  const fates: TaskFate[] = [];
  const left = submitted.entries();
  const lane = async () => {
    for (const [index, { definition, id }] of left) {
      const status = await queue.status(definition, id);
      const isOpen = status && status.finishedAt === undefined;
      fates[index] = {
        task: definition.name,
        id,
        status,
        executions: record.of(definition.name, id),
        ...(isOpen && { explanation: await queue.explain(definition, id) }),
      };
    }
  };
  await Promise.all(Array.from({ length: LOOKUPS_AT_ONCE }, lane));
  return fates;
}
