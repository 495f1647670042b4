import { type JobsOptions } from 'bullmq';
import { type NewJob } from '../backend/new-job.js';
import { BACKOFF_TYPE } from '../backend/worker-options.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { jobId } from '../definition/task-id.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { type NewTask } from './new-task.js';
import { type TaskDeadlines } from './task-deadlines.js';

const STACKS_KEPT = 3;
const LOG_LINES_KEPT = 100;

/** Turns tasks into what lies in the store. */
export class JobFactory {
  readonly #settings = new Map<AnyTaskDefinition, Readonly<JobsOptions>>();
  readonly #retention: Pick<JobsOptions, 'removeOnComplete' | 'removeOnFail'>;

  /** @param keepsCount whether the store itself keeps to a number of ended tasks */
  constructor(
    { retention: { completed, failed } }: Pick<TaskQueueOptions, 'retention'>,
    private readonly deadlines: TaskDeadlines,
    keepsCount: boolean,
  ) {
    const keep = (it: { ageMs: number; count: number }) => ({
      age: Math.ceil(it.ageMs / 1_000),
      ...(keepsCount && { count: it.count }),
    });
    this.#retention = { removeOnComplete: keep(completed), removeOnFail: keep(failed) };
  }

  create(task: NewTask): NewJob {
    const { definition, id, delayMs, dedupeKey, trace, submittedAtMs = Date.now() } = task;
    const ttl = definition.dedupe?.windowMs;
    return {
      id: jobId(definition, id),
      name: definition.name,
      data: {
        version: 1,
        schema: task.schemaVersion,
        priority: task.priority,
        payload: task.payload,
        ...(trace && { trace }),
      },
      settings: this.#settingsOf(definition),
      number: this.deadlines.numberOf(task.priority, submittedAtMs + delayMs),
      delayMs,
      submittedAtMs,
      ...(dedupeKey && { deduplication: { id: `${definition.name}/${dedupeKey}`, ...(ttl && { ttl }) } }),
    };
  }

  #settingsOf(definition: AnyTaskDefinition): Readonly<JobsOptions> {
    const known = this.#settings.get(definition);
    if (known) return known;
    const settings = {
      attempts: definition.attempts,
      backoff: { type: BACKOFF_TYPE },
      ...this.#retention,
      stackTraceLimit: STACKS_KEPT,
      keepLogs: LOG_LINES_KEPT,
    };
    this.#settings.set(definition, settings);
    return settings;
  }
}
