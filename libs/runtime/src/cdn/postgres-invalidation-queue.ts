import { Injectable } from '@nestjs/common';
import {
  type Invalidation,
  type InvalidationQueue,
  InvalidationQueueUnavailableError,
  type NewInvalidation,
  type PendingCount,
  type Postponement,
  type PurgeKind,
  type SentPurges,
} from '@peregrine/cdn';
import { isUnavailable, isUniqueViolation, Transactions } from '@peregrine/database';

type Row = Omit<Invalidation, 'target'> & { readonly kind: PurgeKind; readonly value: string };

const COLUMNS = `id, provider, kind, value, soft, state, requests, attempts, alone, requested_at AS "requestedAt",
                 not_before AS "notBefore", ended_at AS "endedAt", sent_as AS "sentAs", verified, error`;
const MOST_TRIES = 3;

/**
 * Purges in the table `cdn_invalidations`: they survive every process, and all processes share them. Inside a
 * transaction `add` belongs to it: what rolls back is never purged. What is asked for again is locked until that
 * transaction ends, so that no purge overtakes the change that it is for.
 */
@Injectable()
export class PostgresInvalidationQueue implements InvalidationQueue {
  constructor(private readonly transactions: Transactions) {}

  async add(entries: readonly NewInvalidation[]): Promise<Invalidation[]> {
    const rows = await this.#query<Row>(
      'add',
      `INSERT INTO cdn_invalidations AS known (provider, kind, value, soft)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
       ON CONFLICT (provider, kind, value, soft) WHERE state = 'pending'
       DO UPDATE SET requests = known.requests + 1
       RETURNING ${COLUMNS}`,
      [
        entries.map((it) => it.provider),
        entries.map((it) => it.target.kind),
        entries.map((it) => it.target.value),
        entries.map((it) => it.soft),
      ],
    );
    return rows.map(toInvalidation);
  }

  async due(provider: string, limit: number): Promise<Invalidation[]> {
    const rows = await this.#query<Row>(
      'due',
      `SELECT ${COLUMNS} FROM cdn_invalidations
        WHERE provider = $1 AND ended_at IS NULL AND not_before <= clock_timestamp()
        ORDER BY position LIMIT $2`,
      [provider, limit],
    );
    return rows.map(toInvalidation);
  }

  async nextDueMs(provider: string): Promise<number | undefined> {
    const [row] = await this.#query<{ ms: number | null }>(
      'next',
      `SELECT (extract(epoch FROM min(not_before) - clock_timestamp()) * 1000)::float8 AS ms
         FROM cdn_invalidations WHERE provider = $1 AND ended_at IS NULL`,
      [provider],
    );
    return row?.ms == null ? undefined : Math.max(0, Math.ceil(row.ms));
  }

  async claim(ids: readonly string[], leaseMs: number): Promise<string[]> {
    // Those that somebody else asks for, or has, are left for a later look.
    const [rows] = await this.#query<{ id: string }[]>(
      'claim',
      `UPDATE cdn_invalidations SET state = 'sending', not_before = clock_timestamp() + $2 * interval '1 ms'
        WHERE id IN (SELECT id FROM cdn_invalidations
                      WHERE id = ANY ($1::uuid[]) AND ended_at IS NULL AND not_before <= clock_timestamp()
                      ORDER BY id FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [ids, leaseMs],
    );
    return (rows ?? []).map(({ id }) => id);
  }

  async succeed(ids: readonly string[], { sentAs, verified }: SentPurges): Promise<void> {
    await this.#query(
      'succeed',
      `UPDATE cdn_invalidations
          SET state = 'done', ended_at = clock_timestamp(), sent_as = $2, verified = $3, error = NULL
        WHERE id = ANY ($1::uuid[]) AND state = 'sending'`,
      [ids, sentAs, verified],
    );
  }

  async postpone(ids: readonly string[], why: Postponement): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transactions.run(() => this.#postpone(ids, why));
      } catch (error) {
        // The same target was asked for between the two statements.
        if (attempt < MOST_TRIES && isUniqueViolation(error, 'cdn_invalidations_pending_idx')) continue;
        throw asQueueError('postpone', error);
      }
    }
  }

  async fail(ids: readonly string[], error: string): Promise<void> {
    await this.#query(
      'fail',
      `UPDATE cdn_invalidations SET state = 'failed', ended_at = clock_timestamp(), error = $2
        WHERE id = ANY ($1::uuid[]) AND state = 'sending'`,
      [ids, error],
    );
  }

  async pending(limit: number): Promise<Invalidation[]> {
    const rows = await this.#query<Row>(
      'pending',
      `SELECT ${COLUMNS} FROM cdn_invalidations WHERE ended_at IS NULL ORDER BY position LIMIT $1`,
      [limit],
    );
    return rows.map(toInvalidation);
  }

  async history(limit: number): Promise<Invalidation[]> {
    const rows = await this.#query<Row>(
      'history',
      `SELECT ${COLUMNS} FROM cdn_invalidations WHERE ended_at IS NOT NULL
        ORDER BY ended_at DESC, position DESC LIMIT $1`,
      [limit],
    );
    return rows.map(toInvalidation);
  }

  async counts(): Promise<PendingCount[]> {
    return this.#query<PendingCount>(
      'counts',
      `SELECT provider, count(*)::int AS pending,
              greatest(0, extract(epoch FROM clock_timestamp() - min(requested_at)) * 1000)::float8 AS "oldestAgeMs"
         FROM cdn_invalidations WHERE ended_at IS NULL GROUP BY provider ORDER BY provider`,
    );
  }

  /** Providers with something to send now. */
  async dueProviders(): Promise<string[]> {
    const rows = await this.#query<{ provider: string }>(
      'due providers',
      `SELECT DISTINCT provider FROM cdn_invalidations
        WHERE ended_at IS NULL AND not_before <= clock_timestamp()`,
    );
    return rows.map((it) => it.provider);
  }

  /** Forgets what ended before. */
  async forget(before: Date): Promise<void> {
    await this.#query('forget', 'DELETE FROM cdn_invalidations WHERE ended_at < $1', [before]);
  }

  async #postpone(ids: readonly string[], why: Postponement): Promise<void> {
    // What was asked for again meanwhile becomes one with the older, which has the attempts and the age.
    const [twins = []] = await this.transactions.manager.query<[{ id: string; requests: number }[], number]>(
      `DELETE FROM cdn_invalidations twin USING cdn_invalidations mine
        WHERE mine.id = ANY ($1::uuid[]) AND mine.state = 'sending' AND twin.state = 'pending'
          AND (twin.provider, twin.kind, twin.value, twin.soft) = (mine.provider, mine.kind, mine.value, mine.soft)
       RETURNING mine.id, twin.requests`,
      [ids],
    );
    await this.transactions.manager.query(
      `UPDATE cdn_invalidations mine
          SET state = 'pending', not_before = clock_timestamp() + $2 * interval '1 ms', error = $3,
              attempts = attempts + $4, alone = coalesce($5, alone),
              requests = requests + coalesce((SELECT t.requests FROM unnest($6::uuid[], $7::int[]) AS t (id, requests)
                                               WHERE t.id = mine.id), 0)
        WHERE id = ANY ($1::uuid[]) AND state = 'sending'`,
      [
        ...[ids, why.delayMs, why.error, why.countsAsAttempt ? 1 : 0, why.alone ?? null],
        ...[twins.map(({ id }) => id), twins.map(({ requests }) => requests)],
      ],
    );
  }

  async #query<T>(operation: string, sql: string, parameters: unknown[] = []): Promise<T[]> {
    try {
      return await this.transactions.manager.query<T[]>(sql, parameters);
    } catch (error) {
      throw asQueueError(operation, error);
    }
  }
}

/** An error of the database that is not its absence stays what it is: it is a mistake of ours. */
function asQueueError(operation: string, error: unknown): unknown {
  return isUnavailable(error) ? new InvalidationQueueUnavailableError(operation, { cause: error }) : error;
}

function toInvalidation({ kind, value, ...row }: Row): Invalidation {
  return { ...row, target: { kind, value } };
}
