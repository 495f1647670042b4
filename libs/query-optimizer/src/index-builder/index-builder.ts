import { setTimeout as delay } from 'node:timers/promises';

import { formatRelationName } from '../analysis/relation-name.js';
import { problemText } from '../execution/problem-text.js';
import { type BuilderSession } from './builder-session.js';
import { failureOf, isWorthAnotherTry } from './index-failure.js';
import { IndexBuildError } from './index-builder.errors.js';
import { createIndexStatement, placeOf, type IndexPlace, type IndexPlan } from './index-plan.js';

/** How far PostgreSQL says it is. */
export interface IndexBuildProgress {
  readonly indexName: string;
  /** As in pg_stat_progress_create_index: `building index: scanning table`, `waiting for writers before build`, … */
  readonly phase: string;
  /** 0 to 1 within the phase, null where PostgreSQL counts nothing. */
  readonly part: number | null;
}

export interface IndexBuildOptions {
  /** Tries at a table that others have locked. */
  readonly attempts: number;
  /** Before the second try, doubled before each one after it, milliseconds. */
  readonly retryMs: number;
  readonly progressEveryMs: number;
}

export interface BuildListener {
  readonly signal?: AbortSignal;
  onProgress?(progress: IndexBuildProgress): void;
}

export interface BuiltIndex {
  readonly sizeBytes: number;
  readonly buildMs: number;
  /** As pg_get_indexdef says it: tells later whether the index is still this one. */
  readonly definition: string;
  readonly attempts: number;
}

interface ExistingIndex {
  readonly isValid: boolean;
  readonly definition: string;
  readonly sizeBytes: number;
}

interface Leaf {
  readonly schema: string;
  readonly name: string;
  readonly isLeaf: boolean;
  readonly parentSchema: string;
  readonly parentName: string;
}

/** Builds and drops indexes without keeping readers or writers of the table waiting. */
export class IndexBuilder {
  constructor(
    private readonly session: BuilderSession,
    private readonly options: IndexBuildOptions,
  ) {}

  /**
   * `CREATE INDEX CONCURRENTLY`; on a partitioned table on each partition, and then attached. When it does not come to an
   * end nothing of it is left.
   *
   * @throws {IndexBuildError}
   */
  async build(plan: IndexPlan, listener: BuildListener = {}): Promise<BuiltIndex> {
    const place = placeOf(plan, 'concurrently');
    for (const one of await this.#placesOf(plan)) {
      if ((await this.find(one)) === undefined) continue;
      throw new IndexBuildError(plan.indexName, 'name-taken', `there is an index ${one.indexName} already`);
    }
    const started = performance.now();
    const attempts = await this.#buildWithRetries(plan, listener);
    const built = await this.find(place);
    if (built?.isValid !== true) {
      throw new IndexBuildError(plan.indexName, 'other', 'PostgreSQL has built it, but not as a valid index');
    }
    return {
      sizeBytes: built.sizeBytes,
      definition: built.definition,
      buildMs: performance.now() - started,
      attempts,
    };
  }

  /** Does nothing when there is none. @throws {IndexBuildError} when a lock never comes, or there is no right to */
  async drop(place: IndexPlace, isPartitioned: boolean): Promise<void> {
    const index = formatRelationName({ schema: place.schema, name: place.indexName });
    // An index of partitions cannot be dropped concurrently; the lock is held for a moment, and waited for no longer than others.
    const statements = isPartitioned ? [] : [`DROP INDEX CONCURRENTLY IF EXISTS ${index}`];
    let lastError: unknown;
    for (const statement of [...statements, `DROP INDEX IF EXISTS ${index}`]) {
      try {
        await this.session.client.query(statement);
        return;
      } catch (error) {
        lastError = error;
      }
    }
    throw new IndexBuildError(place.indexName, failureOf(lastError), problemText(lastError), {
      cause: lastError,
    });
  }

  /** The index, whole or half, with what was built of it on partitions. @throws as {@link drop} */
  async dropAll(plan: IndexPlan): Promise<void> {
    // The parent first: what is attached goes with it.
    for (const [number, place] of (await this.#placesOf(plan)).entries()) {
      await this.drop(place, plan.isPartitioned && number === 0);
    }
  }

  async find({
    schema,
    indexName,
  }: Pick<IndexPlace, 'schema' | 'indexName'>): Promise<ExistingIndex | undefined> {
    const { rows } = await this.session.client.query(
      `SELECT i.indisvalid AS "isValid", pg_get_indexdef(i.indexrelid) AS definition,
              (SELECT sum(pg_relation_size(relid))::float8 FROM pg_partition_tree(i.indexrelid)) AS "treeBytes",
              pg_relation_size(i.indexrelid)::float8 AS "ownBytes"
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2`,
      [schema, indexName],
    );
    const row = rows[0] as
      { isValid: boolean; definition: string; treeBytes: number | null; ownBytes: number } | undefined;
    if (row === undefined) return undefined;
    const { isValid, definition, treeBytes, ownBytes } = row;
    return { isValid, definition, sizeBytes: treeBytes ?? ownBytes };
  }

  /** Of the index and of its parts on partitions, as plans name them. */
  async namesOf(plan: IndexPlan): Promise<ReadonlySet<string>> {
    const { schema, indexName } = placeOf(plan, 'plain');
    const { rows } = await this.session.client.query(
      `WITH RECURSIVE family AS (
         SELECT to_regclass($1)::oid AS oid
         UNION ALL SELECT i.inhrelid FROM family JOIN pg_catalog.pg_inherits i ON i.inhparent = family.oid)
       SELECT c.relname AS name FROM family JOIN pg_catalog.pg_class c USING (oid)`,
      [formatRelationName({ schema, name: indexName })],
    );
    return new Set((rows as { name: string }[]).map((it) => it.name));
  }

  async #buildWithRetries(plan: IndexPlan, listener: BuildListener): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (plan.isPartitioned) await this.#buildPartitions(plan, listener);
        else await this.#buildOne(plan, placeOf(plan, 'concurrently'), listener);
        // Of expressions the planner knows nothing before it has seen them. A cancel that comes here undoes the index too.
        await this.#ask(`ANALYZE ${formatRelationName(plan.table)}`, listener);
        return attempt;
      } catch (error) {
        const leftover = await this.#dropLeftovers(plan);
        const again = leftover === undefined && isWorthAnotherTry(error) && attempt < this.options.attempts;
        if (again && listener.signal?.aborted !== true) {
          await delay(this.options.retryMs * 2 ** (attempt - 1), undefined, {
            signal: listener.signal,
          }).catch(() => undefined);
          if (!listener.signal?.aborted) continue;
        }
        const failure = listener.signal?.aborted === true ? 'cancelled' : failureOf(error);
        throw new IndexBuildError(plan.indexName, failure, problemText(error), {
          cause: error,
          ...(leftover !== undefined && { leftover }),
        });
      }
    }
  }

  /** The partitions one after the other, none of them locked for long; then the parent, which only joins them. */
  async #buildPartitions(plan: IndexPlan, listener: BuildListener): Promise<void> {
    const tree = await this.#partitions(plan);
    await this.#ask(createIndexStatement(plan, placeOf(plan, 'only')), listener);
    const names = new Map([[formatRelationName(plan.table), plan.indexName]]);
    for (const [number, part] of tree.entries()) {
      const indexName = partName(plan.indexName, number + 1);
      const place: IndexPlace = {
        schema: part.schema,
        table: part.name,
        indexName,
        mode: part.isLeaf ? 'concurrently' : 'only',
      };
      await this.#buildOne(plan, place, listener);
      names.set(formatRelationName(part), indexName);
      const parent = { schema: part.parentSchema, name: part.parentName };
      const above = names.get(formatRelationName(parent)) ?? plan.indexName;
      const parentIndex = formatRelationName({ schema: parent.schema, name: above });
      const own = formatRelationName({ schema: part.schema, name: indexName });
      await this.#ask(`ALTER INDEX ${parentIndex} ATTACH PARTITION ${own}`, listener);
    }
  }

  /** The index itself first, then those of the partitions. */
  async #placesOf(plan: IndexPlan): Promise<readonly IndexPlace[]> {
    const own = placeOf(plan, 'plain');
    if (!plan.isPartitioned) return [own];
    const partitions = await this.#partitions(plan);
    return [
      own,
      ...partitions.map(({ schema, name }, number): IndexPlace => {
        const indexName = partName(plan.indexName, number + 1);
        return { schema, table: name, indexName, mode: 'plain' };
      }),
    ];
  }

  /** From the top down, so that a parent's index is there before its partitions'. */
  async #partitions(plan: IndexPlan): Promise<readonly Leaf[]> {
    const { rows } = await this.session.client.query(
      `SELECT n.nspname AS schema, c.relname AS name, t.isleaf AS "isLeaf",
              pn.nspname AS "parentSchema", p.relname AS "parentName"
         FROM pg_partition_tree($1::regclass) t
         JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class p ON p.oid = t.parentrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
        WHERE t.level > 0 ORDER BY t.level, n.nspname, c.relname`,
      [formatRelationName(plan.table)],
    );
    return rows as readonly Leaf[];
  }

  async #buildOne(plan: IndexPlan, place: IndexPlace, listener: BuildListener): Promise<void> {
    const tell = () => void this.#tell(plan, listener);
    const timer = 'onProgress' in listener ? setInterval(tell, this.options.progressEveryMs) : undefined;
    try {
      await this.#ask(createIndexStatement(plan, place), listener);
    } finally {
      clearInterval(timer);
    }
  }

  /** A statement that an abort cancels on the server. */
  async #ask(statement: string, { signal }: BuildListener): Promise<void> {
    signal?.throwIfAborted();
    let cancelled: Promise<unknown> = Promise.resolve();
    const cancel = () => {
      cancelled = this.session
        .beside('SELECT pg_cancel_backend($1)', [this.session.processId])
        .catch(() => undefined);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      await this.session.client.query(statement);
    } finally {
      signal?.removeEventListener('abort', cancel);
      // Should it come late, it must not cancel the next statement, which cleans up.
      await cancelled;
    }
  }

  /** @returns what could not be dropped, and why */
  async #dropLeftovers(plan: IndexPlan): Promise<string | undefined> {
    try {
      await this.dropAll(plan);
      return undefined;
    } catch (error) {
      return problemText(error);
    }
  }

  async #tell(plan: IndexPlan, listener: BuildListener): Promise<void> {
    try {
      const rows = await this.session.beside(
        `SELECT phase, CASE WHEN tuples_total > 0 THEN tuples_done::float8 / tuples_total
                            WHEN blocks_total > 0 THEN blocks_done::float8 / blocks_total END AS part
           FROM pg_stat_progress_create_index WHERE pid = $1`,
        [this.session.processId],
      );
      const [row] = rows as readonly { phase: string; part: number | null }[];
      if (row) listener.onProgress?.({ indexName: plan.indexName, ...row });
    } catch {
      // No progress is told while there is no second connection; the build goes on.
    }
  }
}

/** Of the index on one partition; cut so that PostgreSQL need not. */
const partName = (indexName: string, number: number) => {
  const suffix = `_p${number}`;
  let stem = indexName;
  while (Buffer.byteLength(stem + suffix) > 63) stem = stem.slice(0, -1);
  return stem + suffix;
};
