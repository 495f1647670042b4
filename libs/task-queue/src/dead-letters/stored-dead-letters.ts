import { type DeadLetterOperations } from '../backend/dead-letter-operations.js';
import { TASK_PRIORITIES, type TaskPriority } from '../definition/task-priority.js';
import { type TaskDeadlines } from '../queue/task-deadlines.js';
import {
  type DeadLetterQuery,
  type DeadLetterSource,
  type NoDeadLetter,
  type PurgeOutcome,
  type RedriveOutcome,
  type StoredDeadLetter,
  type StoredDeadLetterDetail,
} from './dead-letter-source.js';

/** Ends within `operationTimeoutMs`. @throws {QueueUnavailableError} */
export type Bounded = <T>(operation: string, work: () => Promise<T>) => Promise<T>;

/** The dead letters of a store. */
export class StoredDeadLetters implements DeadLetterSource {
  constructor(
    private readonly operations: DeadLetterOperations,
    private readonly deadlines: TaskDeadlines,
    private readonly bounded: Bounded,
  ) {}

  page(query: DeadLetterQuery): Promise<StoredDeadLetter[]> {
    return this.bounded('deadLetters', () => this.operations.page(query));
  }

  detail(jobId: string): Promise<StoredDeadLetterDetail | NoDeadLetter> {
    return this.bounded('deadLetter', () => this.operations.detail(jobId));
  }

  redrive(jobIds: readonly string[]): Promise<RedriveOutcome[]> {
    const now = Date.now();
    const numbers = TASK_PRIORITIES.map((it) => [it, this.deadlines.numberOf(it, now)] as const);
    const deadlines = Object.fromEntries(numbers) as Record<TaskPriority, number>;
    return this.bounded('redrive', () => this.operations.redrive(jobIds, deadlines));
  }

  purge(jobIds: readonly string[]): Promise<PurgeOutcome[]> {
    return this.bounded('purge', () => this.operations.purge(jobIds));
  }

  states(jobIds: readonly string[]): Promise<('dead' | NoDeadLetter)[]> {
    return this.bounded('deadLetters', () => this.operations.states(jobIds));
  }
}
