import { Injectable } from '@nestjs/common';
import { taskName } from '../definition/task-id.js';
import { InlineDeadLetters } from '../inline/inline-dead-letters.js';
import { InlineRunner } from '../inline/inline-runner.js';
import { TaskStore } from '../queue/task-store.js';
import { TaskStatistics } from '../statistics/task-statistics.js';
import { DedupeKeyTakenError, TaskNotDeadError, TaskNotFoundError } from '../task-queue.errors.js';
import {
  type DeadLetter,
  type DeadLetterDetail,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type DeadLetterListOptions,
  type DeadLetterPage,
  type DeadLetterSelection,
  type PurgeResult,
  type RedriveOptions,
  type RedriveResult,
} from './dead-letter.js';
import { DeadLetterGroups } from './dead-letter-groups.js';
import {
  parseFilter,
  parseListOptions,
  type ParsedFilter,
  parsePurgeOptions,
  parseRedriveOptions,
  parseSelection,
  parseTaskAndId,
  type ParsedSelection,
  toCursor,
} from './dead-letter-input.js';
import { positionOf, toDeadLetter, toDetail } from './dead-letter-record.js';
import {
  type DeadLetterPosition,
  type DeadLetterSource,
  type PurgeOutcome,
  type RedriveOutcome,
} from './dead-letter-source.js';
import { JointDeadLetters } from './joint-dead-letters.js';
import { Pace } from './pace.js';
import { RedriveTally } from './redrive-tally.js';

/** Dead letters that are read, redriven or purged in one step. */
const STEP = 500;

/**
 * Tasks that have failed for good. The store's own set of failed tasks is where they lie: a task enters it in the same
 * atomic step that ends its last attempt, and leaves it in one, so whatever process dies, a task is dead, or waiting,
 * or gone, and never two of these.
 */
@Injectable()
export class DeadLetters {
  readonly #source: DeadLetterSource;

  constructor(
    store: TaskStore,
    inline: InlineRunner,
    private readonly statistics: TaskStatistics,
  ) {
    const sources = [new InlineDeadLetters(inline), store.deadLetters];
    this.#source = new JointDeadLetters(sources.filter((it) => it !== null));
  }

  /**
   * The latest failure first, a page at a time. Pages neither repeat nor leave out what stays dead meanwhile; new dead
   * letters come before the first page.
   *
   * @throws {InvalidDeadLetterQueryError}
   * @throws {QueueUnavailableError}
   */
  async list(options: DeadLetterListOptions = {}): Promise<DeadLetterPage> {
    const { limit, after, ...filter } = parseListOptions(options);
    const items: DeadLetter[] = [];
    // One more than asked for tells whether there is another page.
    const size = filter.fingerprint === undefined ? limit + 1 : STEP;
    for await (const found of this.#pages(filter, size, after)) {
      items.push(...found);
      if (items.length > limit) break;
    }
    const page = items.slice(0, limit);
    const last = page.at(-1);
    return { items: page, nextCursor: items.length > limit && last ? toCursor(positionOf(last)) : null };
  }

  /**
   * By task and kind of error, the largest first. Reads all that the filter finds, a page at a time, without payloads.
   *
   * @throws {InvalidDeadLetterQueryError}
   * @throws {QueueUnavailableError}
   */
  async groups(filter: DeadLetterFilter = {}): Promise<DeadLetterGroup[]> {
    const groups = new DeadLetterGroups();
    for await (const found of this.#pages(parseFilter(filter), STEP)) groups.add(found);
    return groups.largestFirst();
  }

  /**
   * Everything about one, its payload included. One round trip.
   *
   * @throws {TaskNotFoundError}
   * @throws {TaskNotDeadError}
   * @throws {InvalidDeadLetterQueryError}
   * @throws {QueueUnavailableError}
   */
  async inspect(task: string, id: string): Promise<DeadLetterDetail> {
    const detail = await this.#source.detail(parseTaskAndId(task, id));
    if (typeof detail === 'string') throw refusal(detail, task, id);
    return toDetail(detail);
  }

  /**
   * Puts dead letters back to work, each in one atomic step, with all its attempts, its class's wait before it, its id
   * and its payload: `status`, `result` and `waitFor` follow it as before. What fails again is a dead letter again, and
   * not redriven twice by the same call. An inline task runs here and now instead.
   *
   * @throws {TaskNotDeadError} `{ task, id }` is not dead, or not any more
   * @throws {TaskNotFoundError} there is no `{ task, id }`
   * @throws {DedupeKeyTakenError} another task has the `dedupe.key` of `{ task, id }`
   * @throws {InvalidDeadLetterQueryError} nothing was redriven
   * @throws {QueueUnavailableError} some may be redriven; the same call again does the rest
   * @throws the signal's reason
   */
  async redrive(selection: DeadLetterSelection, options: RedriveOptions = {}): Promise<RedriveResult> {
    const selected = parseSelection(selection);
    const { dryRun, ratePerSecond, signal, onProgress } = parseRedriveOptions(options);
    const tally = new RedriveTally();
    const pace = new Pace(ratePerSecond, STEP, signal);
    for await (const jobIds of this.#jobIds(selected, pace.step)) {
      await pace.turn();
      const outcomes = dryRun ? await this.#source.states(jobIds) : await this.#source.redrive(jobIds);
      outcomes.forEach((it, index) => it === 'redriven' && this.#of(jobIds[index]).redriven++);
      if (selected.kind === 'one') throwUnless(outcomes[0], selected);
      tally.add(outcomes);
      pace.done(jobIds.length);
      onProgress?.(tally.result());
    }
    return tally.result();
  }

  /**
   * Removes dead letters for good, with their payloads.
   *
   * @throws {TaskNotDeadError} `{ task, id }` is not dead, or not any more
   * @throws {TaskNotFoundError} there is no `{ task, id }`
   * @throws {InvalidDeadLetterQueryError} nothing was purged
   * @throws {QueueUnavailableError} some may be gone; the same call again does the rest
   */
  async purge(
    selection: DeadLetterSelection,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<PurgeResult> {
    const selected = parseSelection(selection);
    const { dryRun } = parsePurgeOptions(options);
    let matched = 0;
    let purged = 0;
    for await (const jobIds of this.#jobIds(selected, STEP)) {
      const outcomes = dryRun ? await this.#source.states(jobIds) : await this.#source.purge(jobIds);
      if (selected.kind === 'one') throwUnless(outcomes[0], selected);
      matched += jobIds.length;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome !== 'purged') continue;
        purged++;
        this.#of(jobIds[index]).purged++;
      }
    }
    return { matched, purged };
  }

  /** Ids in the store, some at a time. Walks from the latest failure back, so what fails again does not come again. */
  async *#jobIds(selected: ParsedSelection, step: number): AsyncGenerator<readonly string[]> {
    if (selected.kind === 'one') {
      yield [selected.jobId];
    } else if (selected.kind === 'some') {
      for (let start = 0; start < selected.jobIds.length; start += step) {
        yield selected.jobIds.slice(start, start + step);
      }
    } else {
      for await (const found of this.#pages(selected, STEP)) {
        const jobIds = found.map((it) => positionOf(it).jobId);
        for (let start = 0; start < jobIds.length; start += step) yield jobIds.slice(start, start + step);
      }
    }
  }

  async *#pages(
    { query, fingerprint }: ParsedFilter,
    size: number,
    after?: DeadLetterPosition,
  ): AsyncGenerator<DeadLetter[]> {
    for (let from = after; ;) {
      const found = await this.#source.page({ ...query, limit: size, ...(from && { after: from }) });
      const letters = found.map(toDeadLetter);
      yield fingerprint === undefined ? letters : letters.filter((it) => it.fingerprint === fingerprint);
      if (found.length < size) return;
      from = found.at(-1);
    }
  }

  #of(jobId = ''): { redriven: number; purged: number } {
    return this.statistics.of(taskName(jobId));
  }
}

function throwUnless(
  outcome: RedriveOutcome | PurgeOutcome | 'dead' | undefined,
  { task, id }: { readonly task: string; readonly id: string },
): void {
  if (outcome === 'not-found' || outcome === 'not-dead') throw refusal(outcome, task, id);
  if (outcome === 'duplicate') throw new DedupeKeyTakenError(task, id);
}

function refusal(outcome: 'not-found' | 'not-dead', task: string, id: string): Error {
  return outcome === 'not-found' ? new TaskNotFoundError(task, id) : new TaskNotDeadError(task, id);
}
