import {
  type DeadLetterQuery,
  type DeadLetterSource,
  type NoDeadLetter,
  type PurgeOutcome,
  type RedriveOutcome,
  type StoredDeadLetter,
  type StoredDeadLetterDetail,
} from '../dead-letters/dead-letter-source.js';
import { byPosition } from '../dead-letters/joint-dead-letters.js';
import { type InlineRunner } from './inline-runner.js';
import { type InlineTask } from './inline-task.js';

/** Inline tasks that have failed for good, as long as this process remembers them. */
export class InlineDeadLetters implements DeadLetterSource {
  constructor(private readonly inline: InlineRunner) {}

  page({
    task,
    error = '',
    sinceMs = 0,
    beforeMs = Infinity,
    after,
    limit,
  }: DeadLetterQuery): Promise<StoredDeadLetter[]> {
    const found = [...this.inline.failed()]
      .map(([jobId, it]) => toStored(jobId, it))
      .filter((it) => task === undefined || it.jobId.startsWith(`${task}/`))
      .filter((it) => it.error.includes(error) && it.failedAtMs >= sinceMs && it.failedAtMs < beforeMs)
      .filter((it) => !after || byPosition(after, it) < 0)
      .sort(byPosition);
    return Promise.resolve(found.slice(0, limit));
  }

  detail(jobId: string): Promise<StoredDeadLetterDetail | NoDeadLetter> {
    const inline = this.inline.failed().get(jobId);
    return Promise.resolve(inline ? toDetail(jobId, inline) : this.#absence(jobId));
  }

  async redrive(jobIds: readonly string[]): Promise<RedriveOutcome[]> {
    const outcomes = await this.inline.redrive(jobIds);
    return jobIds.map((jobId, index) => outcomes[index] ?? this.#absence(jobId));
  }

  purge(jobIds: readonly string[]): Promise<PurgeOutcome[]> {
    return Promise.resolve(jobIds.map((it) => (this.inline.forget(it) ? 'purged' : this.#absence(it))));
  }

  states(jobIds: readonly string[]): Promise<('dead' | NoDeadLetter)[]> {
    const failed = this.inline.failed();
    return Promise.resolve(jobIds.map((it) => (failed.has(it) ? 'dead' : this.#absence(it))));
  }

  #absence(jobId: string): NoDeadLetter {
    return this.inline.has(jobId) ? 'not-dead' : 'not-found';
  }
}

function toStored(jobId: string, inline: InlineTask): StoredDeadLetter {
  return {
    jobId,
    failedAtMs: inline.finishedAt?.getTime() ?? 0,
    error: inline.error ?? '',
    attempts: inline.attempts,
    submittedAtMs: inline.submittedAt.getTime(),
    priority: inline.task.priority,
    redrives: inline.redrives,
  };
}

function toDetail(jobId: string, inline: InlineTask): StoredDeadLetterDetail {
  const { task, progress } = inline;
  return {
    ...toStored(jobId, inline),
    payload: task.payload,
    schemaVersion: task.schemaVersion,
    stacks: inline.stacks,
    log: [],
    progress: progress === null ? null : JSON.stringify(progress),
    maxAttempts: task.definition.attempts,
    claims: inline.runs,
    stalls: 0,
    worker: undefined,
    startedAtMs: inline.startedAt?.getTime(),
    failures: inline.failures,
  };
}
