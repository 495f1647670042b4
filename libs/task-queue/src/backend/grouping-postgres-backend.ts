import { type KeepJobs, type MinimalJob, PostgresQueueBackend, type WorkerOptions } from 'bullmq';
import { GroupedTurns } from './grouped-turns.js';
import { DatabaseConnectionError } from './postgres-pool.js';
import { type Ending, takeTurn, type TurnAnswer } from './postgres-turn.js';

/** Group commits of a worker that may be under way at once. */
const TURNS_AT_ONCE = 2;

type Finish = Awaited<ReturnType<PostgresQueueBackend['moveToCompleted']>>;
type Retention = boolean | number | KeepJobs;

interface TurnPart {
  readonly ending?: Ending & { readonly keepAgeS: number | null };
  /** Token of a claim by itself. */
  readonly claim?: string;
}

/**
 * BullMQ's backend on PostgreSQL, faster: what a worker ends and claims at about the same time is one transaction, see
 * `postgres-turn.ts`.
 */
export class GroupingPostgresBackend extends PostgresQueueBackend {
  readonly #turns = new GroupedTurns<TurnPart, TurnAnswer>((parts) => this.#take(parts), TURNS_AT_ONCE);

  override async moveToActive(token: string, name?: string): Promise<unknown[]> {
    const answer = await this.#turns.add({ claim: token }).catch(notOfTheConnection);
    return answer && !answer.isLimited ? claimOf(answer, token) : super.moveToActive(token, name);
  }

  override async moveToCompleted<T, R, N extends string>(
    job: MinimalJob<T, R, N>,
    value: R,
    retention: Retention,
    token: string,
    fetchNext: boolean,
  ): Promise<Finish> {
    const byItself = () => super.moveToCompleted(job, value, retention, token, fetchNext);
    const keepAgeS = ageOf(retention);
    const jobId = job.id ?? '';
    if (keepAgeS === undefined || job.opts.deduplication) return byItself();
    const fetches = fetchNext && !this.closing;
    const finishedOn = Date.now();
    const ending = { jobId, token, result: JSON.stringify(value ?? null), fetches, keepAgeS };
    const answer = await this.#turns.add({ ending }).catch(notOfTheConnection);
    if (!answer?.ended.includes(jobId)) return byItself();
    if (!fetches) return { result: undefined, finishedOn };
    return {
      result: answer.isLimited ? await super.moveToActive(token, this.#name) : claimOf(answer, token),
      finishedOn,
    };
  }

  get #name(): string | undefined {
    return (this.opts as Partial<WorkerOptions>).name;
  }

  async #take(parts: readonly TurnPart[]): Promise<TurnAnswer> {
    const { lockDuration = 30_000 } = this.opts as Partial<WorkerOptions>;
    const endings = parts.flatMap((it) => it.ending ?? []);
    const ages = endings.flatMap((it) => it.keepAgeS ?? []);
    return takeTurn(this.connection.pool, Date.now(), {
      queue: this.queueName,
      lockMs: lockDuration,
      worker: this.#name ?? null,
      keepAgeS: ages.length > 0 ? Math.min(...ages) : null,
      endings,
      claims: parts.flatMap((it) => it.claim ?? []),
    });
  }
}

/** As BullMQ's worker wants it: the job, its id, and until when to wait where there is none. */
function claimOf({ claimed, nextDelay }: TurnAnswer, token: string): unknown[] {
  const job = claimed.find((it) => it.token === token)?.job;
  return job ? [job, job.id, 0, 0] : [null, '', 0, nextDelay ?? 0];
}

/** Whole groups wait out an outage; one of their parts that PostgreSQL refuses is found by going one by one. */
function notOfTheConnection(error: unknown): undefined {
  if (error instanceof DatabaseConnectionError) throw error;
}

/** `undefined`: more than an age is asked for. */
function ageOf(retention: Retention): number | null | undefined {
  if (retention === false || retention === undefined) return null;
  if (typeof retention !== 'object' || 'count' in retention) return undefined;
  return retention.age ?? null;
}
