import { Inject, Injectable, Logger } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { isForeignKeyViolation, Transactions } from '@peregrine/database';
import { TaskQueue } from '@peregrine/task-queue';
import { randomUUIDv7 } from 'node:crypto';
import { memoriesTag } from '../memories.cache-tags.js';
import { MemoryWorkspaceNotFoundError } from '../memories.errors.js';
import { MEMORIES_OPTIONS, type MemoriesOptions } from '../memories.options.js';
import { embedMemories } from '../memories.tasks.js';
import { type NewContent, parseContents } from './memory-content.js';

export interface AddedMemory {
  id: string;
  /** `existing`: the workspace has this content already, and nothing was written. */
  status: 'created' | 'existing';
}

/**
 * One statement for any number of contents. In the order of the hashes, so that two calls with the same contents wait for each
 * other and never in a circle.
 */
const ADD = `
WITH input AS (
  SELECT * FROM unnest($2::uuid[], $3::text[], $4::bytea[]) WITH ORDINALITY AS t (id, content, hash, place)
), added AS (
  INSERT INTO memories (id, workspace_id, kind, content, content_hash)
  SELECT id, $1, 'original', content, hash FROM input ORDER BY hash
  ON CONFLICT (workspace_id, content_hash) WHERE kind = 'original' DO NOTHING
  RETURNING id, content, content_hash, created_at
), analysed AS MATERIALIZED (
  SELECT a.id, s.search, coalesce((SELECT sum(cardinality(positions)) FROM unnest(s.search)), 0)::int AS word_count
    FROM added a, to_tsvector('english', a.content) AS s (search)
), words AS (
  INSERT INTO memory_words (memory_id, workspace_id, search, word_count)
  SELECT id, $1, search, word_count FROM analysed
), changes AS (
  INSERT INTO memory_term_changes (workspace_id, search, word_count, sign)
  SELECT $1, search, word_count, 1 FROM analysed
), states AS (
  INSERT INTO memory_states (memory_id, workspace_id, tier, uses, first_used_at, last_used_at, recent_uses)
  SELECT id, $1, 'active', 1, created_at, created_at, ARRAY[created_at] FROM added
), pending AS (
  INSERT INTO memory_pending_embeddings (memory_id, workspace_id) SELECT id, $1 FROM added
)
SELECT coalesce(a.id, m.id) AS id, a.id IS NOT NULL AS created
  FROM input i
  LEFT JOIN added a ON a.content_hash = i.hash
  LEFT JOIN memories m ON m.workspace_id = $1 AND m.content_hash = i.hash AND m.kind = 'original'
 ORDER BY i.place`;

interface AddedRow {
  id: string | null;
  created: boolean;
}

/** An equal content that another call commits during ours is seen by the next try. */
const TRIES = 5;

/** Takes memories in. */
@Injectable()
export class MemoryAddService {
  readonly #log = new Logger(MemoryAddService.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly tasks: TaskQueue,
    private readonly cache: Cache,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {}

  /**
   * Adds contents, each once in its workspace, however often it is given. All or none; one round trip. They are found by
   * their words at once, and by their meaning when a worker has embedded them.
   *
   * @returns in the order of the contents
   * @throws {InvalidMemoryError} {@link MemoryBatchTooLargeError} {@link MemoryWorkspaceNotFoundError}
   */
  async add(workspaceId: string, contents: readonly string[]): Promise<AddedMemory[]> {
    const parsed = parseContents(contents, this.options);
    const distinct = [...new Map(parsed.map((it) => [it.hash.toString('hex'), it])).entries()];
    const rows = await this.#insert(
      workspaceId,
      distinct.map(([, it]) => it),
    );
    const createdIds = rows.filter((it) => it.created).map((it) => it.id);
    if (createdIds.length > 0) await this.#announce(workspaceId, createdIds);
    const byHash = new Map(distinct.map(([hash], at) => [hash, rows[at]]));
    return parsed.map(({ hash }) => {
      const row = byHash.get(hash.toString('hex'));
      return { id: row?.id ?? '', status: row?.created ? 'created' : 'existing' };
    });
  }

  async #insert(workspaceId: string, contents: readonly NewContent[]) {
    for (let attempt = 1; ; attempt++) {
      const rows = await this.#insertOnce(workspaceId, contents);
      const known = rows.flatMap(({ id, created }) => (id === null ? [] : [{ id, created }]));
      if (known.length === contents.length) return known;
      if (attempt === TRIES) throw new Error('An equal memory came and went during each try to add it');
    }
  }

  async #insertOnce(workspaceId: string, contents: readonly NewContent[]): Promise<AddedRow[]> {
    try {
      return await this.transactions.manager.query<AddedRow[]>(ADD, [
        workspaceId,
        contents.map(() => randomUUIDv7()),
        contents.map((it) => it.content),
        contents.map((it) => it.hash),
      ]);
    } catch (error) {
      if (isForeignKeyViolation(error)) throw new MemoryWorkspaceNotFoundError(workspaceId, { cause: error });
      throw error;
    }
  }

  /** What a lost announcement would have started, the sweeper starts: the rows say what there is to do. */
  async #announce(workspaceId: string, memoryIds: string[]): Promise<void> {
    await this.transactions.afterCommit(() => this.cache.invalidateTags([memoriesTag(workspaceId)]));
    await this.transactions.afterCommit(async () => {
      try {
        await this.tasks.submit(embedMemories, { workspaceId, memoryIds }, { id: `embed-${memoryIds[0]}` });
      } catch (error) {
        this.#log.warn(
          `The embedding of ${memoryIds.length} memories waits for the sweeper: ${String(error)}`,
        );
      }
    });
  }
}
