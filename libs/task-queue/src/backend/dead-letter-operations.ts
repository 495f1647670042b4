import { type DeadLetterSource, type RedriveOutcome } from '../dead-letters/dead-letter-source.js';
import { type TaskPriority } from '../definition/task-priority.js';

/**
 * Dead letters in the store's set of failed tasks. Like `TaskOperations` tied to BullMQ's layout, and like there every
 * method throws the driver's error when the store is not there.
 */
export interface DeadLetterOperations extends Omit<DeadLetterSource, 'redrive'> {
  /** See `DeadLetterSource`. @param deadlines the number of a task of each class that may start now */
  redrive(
    jobIds: readonly string[],
    deadlines: Readonly<Record<TaskPriority, number>>,
  ): Promise<RedriveOutcome[]>;
}
