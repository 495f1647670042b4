import {
  type DeadLetterPosition,
  type DeadLetterQuery,
  type DeadLetterSource,
  type NoDeadLetter,
  type PurgeOutcome,
  type RedriveOutcome,
  type StoredDeadLetter,
  type StoredDeadLetterDetail,
} from './dead-letter-source.js';

/** Several sources as one; a task is looked for in the order of the sources. */
export class JointDeadLetters implements DeadLetterSource {
  constructor(private readonly sources: readonly DeadLetterSource[]) {}

  async page(query: DeadLetterQuery): Promise<StoredDeadLetter[]> {
    const pages = await Promise.all(this.sources.map((it) => it.page(query)));
    return pages.flat().sort(byPosition).slice(0, query.limit);
  }

  async detail(jobId: string): Promise<StoredDeadLetterDetail | NoDeadLetter> {
    for (const source of this.sources) {
      const detail = await source.detail(jobId);
      if (detail !== 'not-found') return detail;
    }
    return 'not-found';
  }

  redrive(jobIds: readonly string[]): Promise<RedriveOutcome[]> {
    return this.#firstThatKnows(jobIds, (source, ids) => source.redrive(ids));
  }

  purge(jobIds: readonly string[]): Promise<PurgeOutcome[]> {
    return this.#firstThatKnows(jobIds, (source, ids) => source.purge(ids));
  }

  states(jobIds: readonly string[]): Promise<('dead' | NoDeadLetter)[]> {
    return this.#firstThatKnows(jobIds, (source, ids) => source.states(ids));
  }

  async #firstThatKnows<T>(
    jobIds: readonly string[],
    ask: (source: DeadLetterSource, jobIds: readonly string[]) => Promise<T[]>,
  ): Promise<(T | 'not-found')[]> {
    const answers = new Map<string, T | 'not-found'>();
    let open = jobIds;
    for (const source of this.sources) {
      if (open.length === 0) break;
      const found = await ask(source, open);
      open.forEach((jobId, index) => answers.set(jobId, found[index] ?? 'not-found'));
      open = open.filter((jobId) => answers.get(jobId) === 'not-found');
    }
    return jobIds.map((it) => answers.get(it) ?? 'not-found');
  }
}

/** For sorting: the latest failure first, then the highest id. */
export function byPosition(a: DeadLetterPosition, b: DeadLetterPosition): number {
  if (a.failedAtMs !== b.failedAtMs) return b.failedAtMs - a.failedAtMs;
  if (a.jobId === b.jobId) return 0;
  return a.jobId < b.jobId ? 1 : -1;
}
