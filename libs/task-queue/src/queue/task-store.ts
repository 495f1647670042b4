import { type OnApplicationShutdown } from '@nestjs/common';
import {
  type CancelOutcome,
  type NextTasks,
  type Placement,
  type QueueTotalCounts,
  type StoreCounts,
} from '../backend/task-operations.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type DeadLetterSource } from '../dead-letters/dead-letter-source.js';
import { type JoinableStore, type RelayTarget } from '../transactional/joinable-store.js';
import { type NewTask } from './new-task.js';
import { type Rebase } from './task-deadlines.js';
import { type TaskRecord } from './task-status.js';

/** Whether and where a task waits in the store. */
export interface Inspection extends Placement {
  readonly record: TaskRecord;
  /** The number that the store orders by. */
  readonly number: number;
  /** The worker that claimed it last. */
  readonly claimedBy?: string;
  readonly isPaused: boolean;
}

/** What comes next, and whether it may. */
export interface QueueHead extends NextTasks {
  readonly isPaused: boolean;
}

/**
 * The caller's side of the store. Every operation ends within `operationTimeoutMs`, whatever the store does.
 *
 * An abstract class, because Nest needs a value as the token.
 */
export abstract class TaskStore implements OnApplicationShutdown {
  /** What is still to be written when everything has stopped, before the connections end. */
  lastWords: () => Promise<void> = () => Promise.resolve();

  /** `null`: there is no store. */
  abstract readonly deadLetters: DeadLetterSource | null;

  /** `null`: it cannot take part in a transaction of the caller's. */
  abstract readonly joinable: JoinableStore | null;

  /** `null`: there is no store. Connects to nothing yet; has to be closed. */
  abstract openRelay(): RelayTarget | null;

  /** One round trip. @returns the id, another than asked for when deduplicated @throws {QueueUnavailableError} */
  abstract add(task: NewTask): Promise<string>;

  /** One round trip for a thousand tasks. @throws {QueueUnavailableError} some of them may be in the store then */
  abstract addMany(tasks: readonly NewTask[]): Promise<string[]>;

  /** Two round trips. `null`: unknown, or no longer kept. @throws {QueueUnavailableError} */
  abstract find(definition: AnyTaskDefinition, id: string): Promise<TaskRecord | null>;

  /** @throws {QueueUnavailableError} */
  abstract inspect(definition: AnyTaskDefinition, id: string): Promise<Inspection | null>;

  /** In the order of the ids. @throws {QueueUnavailableError} some of them may be cancelled then */
  abstract cancel(
    definition: AnyTaskDefinition,
    ids: readonly string[],
    reason: string,
  ): Promise<CancelOutcome[]>;

  /** @param jobIds as in the store @throws {QueueUnavailableError} */
  abstract cancellations(jobIds: readonly string[]): Promise<ReadonlyMap<string, string>>;

  /** Workers begin nothing more. @throws {QueueUnavailableError} */
  abstract pause(): Promise<void>;

  /** @throws {QueueUnavailableError} */
  abstract resume(): Promise<void>;

  /** In constant time. @throws {QueueUnavailableError} */
  abstract counts(): Promise<StoreCounts>;

  /** See `TaskOperations.addTotals`. @throws {QueueUnavailableError} */
  abstract addTotals(added: QueueTotalCounts): Promise<QueueTotalCounts>;

  /** @throws {QueueUnavailableError} */
  abstract head(): Promise<QueueHead>;

  /** Removes ended tasks, this many at most. @param olderThanMs since they ended @throws {QueueUnavailableError} */
  abstract trim(state: 'completed' | 'failed', count: number, olderThanMs: number): Promise<void>;

  /** @throws {QueueUnavailableError} */
  abstract rebase(rebase: Rebase): Promise<number>;

  /** @throws {QueueUnavailableError} */
  abstract tidy(): Promise<void>;

  /** Texts by name. @throws {QueueUnavailableError} */
  abstract schedules(): Promise<ReadonlyMap<string, string>>;

  /** See `TaskOperations.swapSchedule`. @throws {QueueUnavailableError} */
  abstract swapSchedule(name: string, expected: string | null, next: string | null): Promise<boolean>;

  /** @throws {QueueUnavailableError} @throws the signal's reason */
  abstract ping(signal?: AbortSignal): Promise<void>;

  /** Ends the connections; never rejects. Nest calls it last. */
  abstract onApplicationShutdown(): Promise<void>;
}
