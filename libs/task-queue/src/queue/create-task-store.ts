import { type QueueBackend } from '../backend/queue-backend.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { BullTaskStore } from './bull-task-store.js';
import { NoTaskStore } from './no-task-store.js';
import { type TaskStore } from './task-store.js';

/** @param backend `null`: all tasks run inline */
export function createTaskStore(options: TaskQueueOptions, backend: QueueBackend | null): TaskStore {
  return backend ? new BullTaskStore(options, backend) : new NoTaskStore();
}
