import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type TaskRecord } from '../queue/task-status.js';
import { type OutboxRow } from './outbox-table.js';

/** What is known about a task that still waits for the relay. */
export function outboxRecord(definition: AnyTaskDefinition, row: OutboxRow): TaskRecord {
  const { taskId, delayMs, submittedAtMs, priority } = row;
  return {
    status: {
      id: taskId,
      task: definition.name,
      state: submittedAtMs + delayMs > Date.now() ? 'delayed' : 'waiting',
      attempts: 0,
      maxAttempts: definition.attempts,
      progress: null,
      priority,
      submittedAt: new Date(submittedAtMs),
      inline: false,
    },
  };
}
