import { type Redis } from 'ioredis';
import {
  type DeadLetterPosition,
  type DeadLetterQuery,
  FAILURES_KEPT,
  type NoDeadLetter,
  type PurgeOutcome,
  type RedriveOutcome,
  type StoredDeadLetter,
  type StoredDeadLetterDetail,
  type StoredFailure,
} from '../dead-letters/dead-letter-source.js';
import { type StoredPayload } from '../definition/task-payload.js';
import { TASK_PRIORITIES, type TaskPriority } from '../definition/task-priority.js';
import { type DeadLetterOperations } from './dead-letter-operations.js';
import { DEAD_LETTERS, DEAD_LETTER_STATES, PURGE, REDRIVE } from './redis-dead-letter-scripts.js';

/** Short enough that no other command waits long for a script. */
const TASKS_PER_SCRIPT = 500;
const BYTES_PER_SCRIPT = 8_388_608;
/** Each with its payload. */
const REDRIVES_PER_SCRIPT = 100;

type Row = [
  id: string,
  score: string,
  error: string,
  attempts: string,
  timestamp: string,
  head: string,
  redrives: string,
];

/** On the keys of BullMQ's queue, and two fields of ours with a task: `redrives` and `failures`. */
export class RedisDeadLetters implements DeadLetterOperations {
  /** @param keyPrefix what every key of the queue begins with */
  constructor(
    private readonly client: () => Promise<Redis>,
    private readonly keyPrefix: string,
  ) {}

  async page({ limit, after, ...filter }: DeadLetterQuery): Promise<StoredDeadLetter[]> {
    const client = await this.client();
    const found: StoredDeadLetter[] = [];
    for (let from = after; ;) {
      const { rows, next } = await this.#look(client, filter, from, limit - found.length);
      found.push(...rows);
      if (!next || found.length >= limit) return found;
      from = next;
    }
  }

  async detail(jobId: string): Promise<StoredDeadLetterDetail | NoDeadLetter> {
    const client = await this.client();
    const key = this.#key(jobId);
    const answers = await client
      .multi()
      .zscore(this.#key('failed'), jobId)
      .hgetall(key)
      .lrange(`${key}:logs`, 0, -1)
      .exec();
    const [score, job, log] = (answers ?? []).map(([error, answer]) => {
      if (error) throw error;
      return answer;
    }) as [string | null, Readonly<Record<string, string | undefined>>, string[]];
    if (job.name === undefined) return 'not-found';
    return score === null ? 'not-dead' : toDetail(jobId, Number(score), job, log);
  }

  async redrive(
    jobIds: readonly string[],
    deadlines: Readonly<Record<TaskPriority, number>>,
  ): Promise<RedriveOutcome[]> {
    const keys = ['failed', 'prioritized', 'pc', 'marker', 'meta'];
    const numbers = TASK_PRIORITIES.flatMap((it) => [it, deadlines[it]]);
    return this.#each(REDRIVE, keys, [FAILURES_KEPT, ...numbers, 0], jobIds, REDRIVES_PER_SCRIPT);
  }

  async purge(jobIds: readonly string[]): Promise<PurgeOutcome[]> {
    return this.#each(PURGE, ['failed'], [], jobIds);
  }

  async states(jobIds: readonly string[]): Promise<('dead' | NoDeadLetter)[]> {
    return this.#each(DEAD_LETTER_STATES, ['failed'], [], jobIds);
  }

  async #look(
    client: Redis,
    { task, error = '', sinceMs, beforeMs = Infinity }: Omit<DeadLetterQuery, 'limit' | 'after'>,
    after: DeadLetterPosition | undefined,
    rows: number,
  ): Promise<{ rows: StoredDeadLetter[]; next: DeadLetterPosition | undefined }> {
    const highest = Math.min(beforeMs - 1, after?.failedAtMs ?? Infinity);
    const answer = await client.eval(
      DEAD_LETTERS,
      1,
      this.#key('failed'),
      this.keyPrefix,
      highest === Infinity ? '+inf' : highest,
      sinceMs ?? '-inf',
      after?.failedAtMs ?? '',
      after?.jobId ?? '',
      task === undefined ? '' : `${task}/`,
      error,
      rows,
      TASKS_PER_SCRIPT,
      BYTES_PER_SCRIPT,
    );
    const [found, score, jobId] = answer as [Row[], string?, string?];
    const next = jobId === undefined ? undefined : { failedAtMs: Number(score), jobId };
    return { rows: found.map(fromRow), next };
  }

  async #each<T>(
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
    jobIds: readonly string[],
    step = TASKS_PER_SCRIPT,
  ): Promise<T[]> {
    const client = await this.client();
    const outcomes: T[] = [];
    for (let start = 0; start < jobIds.length; start += step) {
      const ids = jobIds.slice(start, start + step);
      const names = keys.map((it) => this.#key(it));
      const answer = await client.eval(script, names.length, ...names, this.keyPrefix, ...values, ...ids);
      outcomes.push(...(answer as T[]));
    }
    return outcomes;
  }

  #key(type: string): string {
    return this.keyPrefix + type;
  }
}

function fromRow([jobId, score, error, attempts, timestamp, head, redrives]: Row): StoredDeadLetter {
  return {
    jobId,
    failedAtMs: Number(score),
    error,
    attempts: Number(attempts),
    submittedAtMs: Number(timestamp),
    priority: /"priority":"([A-Z]+)"/.exec(head)?.[1] as TaskPriority | undefined,
    redrives: Number(redrives),
  };
}

function toDetail(
  jobId: string,
  failedAtMs: number,
  job: Readonly<Record<string, string | undefined>>,
  log: string[],
): StoredDeadLetterDetail {
  const data = JSON.parse(job.data ?? '{}') as Partial<StoredPayload>;
  const { attempts = 1 } = JSON.parse(job.opts ?? '{}') as { attempts?: number };
  const progress: unknown = JSON.parse(job.progress ?? 'null');
  return {
    jobId,
    failedAtMs,
    error: job.failedReason ?? '',
    attempts: Number(job.atm ?? 0),
    submittedAtMs: Number(job.timestamp),
    priority: data.priority,
    redrives: Number(job.redrives ?? 0),
    payload: data.payload ?? '',
    schemaVersion: data.schema ?? 1,
    stacks: JSON.parse(job.stacktrace ?? '[]') as string[],
    log,
    progress: typeof progress === 'string' ? progress : null,
    maxAttempts: attempts,
    claims: Number(job.ats ?? 0),
    stalls: Number(job.stc ?? 0),
    worker: job.pb,
    startedAtMs: job.processedOn === undefined ? undefined : Number(job.processedOn),
    failures: JSON.parse(job.failures ?? '[]') as StoredFailure[],
  };
}
