import { Inject, Injectable } from '@nestjs/common';
import { protectedFacts } from '@peregrine/ai';
import { vectorOf } from '@peregrine/ai/vectors';
import { Cache } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import { TaskQueue } from '@peregrine/task-queue';
import { randomUUIDv7 } from 'node:crypto';
import { type EntityManager } from 'typeorm';
import { contentHash } from '../adding/memory-content.js';
import { RECENT_USES } from '../feedback/feedback-statements.js';
import { memoriesTag } from '../memories.cache-tags.js';
import { MemoryNotFoundError, NotASummaryError } from '../memories.errors.js';
import { MEMORIES_OPTIONS, type MemoriesOptions } from '../memories.options.js';
import { embedMemories } from '../memories.tasks.js';
import { type MemoryKind } from '../memory.js';
import { MemoryVisibility } from '../reading/memory-visibility.js';
import { VectorIndexProvider } from '../vectors/vector-index.provider.js';
import { summaryText } from './summary-text.js';

interface Original {
  readonly id: string;
  readonly content: string;
  readonly summarisedBy: string | null;
}

interface Subject extends Original {
  readonly kind: MemoryKind;
  readonly keptApart: boolean;
  readonly embedder: string | null;
  readonly embedding: Buffer | null;
}

/** How many neighbours of a memory are looked at. */
const NEIGHBOURS = 20;

/** Its use is that of its sources together, and its age that of the oldest. */
const MERGE_STATES = `
INSERT INTO memory_states (memory_id, workspace_id, tier, uses, first_used_at, last_used_at, recent_uses, accesses, accessed_at)
SELECT $1, $2, (array_agg(s.tier ORDER BY array_position(ARRAY['stable', 'thread', 'active'], s.tier)))[1], sum(s.uses),
       min(s.first_used_at), max(s.last_used_at),
       (SELECT (array_agg(at ORDER BY at DESC))[1:${RECENT_USES}]
          FROM memory_states r, unnest(r.recent_uses) AS at WHERE r.memory_id = ANY ($3)),
       sum(s.accesses), max(s.accessed_at)
  FROM memory_states s WHERE s.memory_id = ANY ($3)`;

/**
 * Lets one summary stand for memories that say the same. The originals are kept, linked and can be had back; a summary is
 * made of originals only, never of summaries.
 */
@Injectable()
export class ConsolidationService {
  constructor(
    private readonly transactions: Transactions,
    private readonly visibility: MemoryVisibility,
    private readonly indexes: VectorIndexProvider,
    private readonly tasks: TaskQueue,
    private readonly cache: Cache,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {}

  /**
   * Merges a memory with those that say the same, if there are any. Doing it again changes nothing.
   *
   * @returns the summary, or null when the memory stays alone
   */
  async consolidate(workspaceId: string, memoryId: string): Promise<string | null> {
    const summaryId = await this.#exclusively(workspaceId, async (manager) => {
      const subject = await this.#subject(manager, workspaceId, memoryId);
      if (!subject) return null;
      const others = await this.#equals(manager, workspaceId, subject);
      const isTooMany = others.length + 1 > this.options.consolidation.maxSources;
      return others.length === 0 || isTooMany ? null : this.#merge(manager, workspaceId, subject, others);
    });
    if (summaryId === null) return null;
    await this.cache.invalidateTags([memoriesTag(workspaceId)]);
    await this.tasks.submit(
      embedMemories,
      { workspaceId, memoryIds: [summaryId] },
      { id: `embed-${summaryId}` },
    );
    return summaryId;
  }

  /**
   * Takes a summary apart: its sources are found again, and are never merged any more.
   *
   * @returns the sources
   * @throws {MemoryNotFoundError} {@link NotASummaryError}
   */
  async undo(workspaceId: string, summaryId: string): Promise<string[]> {
    const sources = await this.#exclusively(workspaceId, async (manager) => {
      const [memory] = await manager.query<{ kind: MemoryKind }[]>(
        'SELECT kind FROM memories WHERE id = $1 AND workspace_id = $2',
        [summaryId, workspaceId],
      );
      if (!memory) throw new MemoryNotFoundError(workspaceId, summaryId);
      if (memory.kind !== 'summary') throw new NotASummaryError(summaryId);
      return this.release(manager, summaryId, { keptApart: true });
    });
    await this.cache.invalidateTags([memoriesTag(workspaceId)]);
    return sources;
  }

  /** Removes a summary, in the transaction of `manager`, and makes its sources findable again. */
  async release(
    manager: EntityManager,
    summaryId: string,
    { keptApart }: { keptApart: boolean },
  ): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE memories SET summarised_by = NULL, kept_apart = kept_apart OR $2 WHERE summarised_by = $1 RETURNING id`,
      [summaryId, keptApart],
    );
    const sources = rows.map((it) => it.id);
    await this.visibility.hide([summaryId]);
    await manager.query('DELETE FROM memories WHERE id = $1', [summaryId]);
    await this.visibility.show(sources);
    return sources;
  }

  /** One at a time in a workspace: two that merged overlapping groups would leave one of them half merged. */
  #exclusively<T>(workspaceId: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.transactions.run(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('memories.consolidate'), hashtext($1))`, [
        workspaceId,
      ]);
      return work(manager);
    });
  }

  /** An original that may be merged, with its embedding. */
  async #subject(
    manager: EntityManager,
    workspaceId: string,
    memoryId: string,
  ): Promise<Subject | undefined> {
    const [row] = await manager.query<Subject[]>(
      `SELECT m.id, m.kind, m.content, m.summarised_by AS "summarisedBy", m.kept_apart AS "keptApart", v.embedder, v.embedding
         FROM memories m LEFT JOIN memory_vectors v ON v.memory_id = m.id
        WHERE m.id = $1 AND m.workspace_id = $2`,
      [memoryId, workspaceId],
    );
    const mayMerge = row?.kind === 'original' && row.summarisedBy === null && !row.keptApart;
    return mayMerge && row.embedding ? row : undefined;
  }

  /** The originals that say the same, those behind a summary among them. */
  async #equals(
    manager: EntityManager,
    workspaceId: string,
    { id, content, embedder, embedding }: Subject,
  ): Promise<Original[]> {
    const { neighbours } = await this.indexes.current.nearest(manager, {
      ...{ workspaceId, embedder: embedder ?? '', vector: vectorOf(embedding ?? Buffer.alloc(0)) },
      ...{ limit: NEIGHBOURS, minCosine: this.options.consolidation.minCosine },
    });
    const ids = neighbours.map((it) => it.memoryId).filter((it) => it !== id);
    if (ids.length === 0) return [];
    const originals = await manager.query<Original[]>(
      `SELECT m.id, m.content, m.summarised_by AS "summarisedBy" FROM memories m
        WHERE m.kind = 'original' AND NOT m.kept_apart AND (m.id = ANY ($1) OR m.summarised_by = ANY ($1))
        ORDER BY m.created_at, m.id`,
      [ids],
    );
    const facts = protectedFacts(content);
    return originals.filter((it) => protectedFacts(it.content) === facts);
  }

  async #merge(
    manager: EntityManager,
    workspaceId: string,
    subject: Subject,
    others: readonly Original[],
  ): Promise<string> {
    const replaced = new Set(others.flatMap((it) => it.summarisedBy ?? []));
    for (const it of replaced) await this.release(manager, it, { keptApart: false });
    const sources = [subject, ...others].map((it) => it.id);
    const content = summaryText([subject, ...others].map((it) => it.content));
    const summaryId = randomUUIDv7();
    await manager.query(
      `INSERT INTO memories (id, workspace_id, kind, content, content_hash, created_at)
       SELECT $1, $2, 'summary', $3, $4, min(created_at) FROM memories WHERE id = ANY ($5)`,
      [summaryId, workspaceId, content, contentHash(content), sources],
    );
    await manager.query(MERGE_STATES, [summaryId, workspaceId, sources]);
    // The vector of one source, until the summary's own is made: what comes next must find it.
    await manager.query(
      `INSERT INTO memory_vectors (memory_id, workspace_id, embedder, dimensions, embedding)
       SELECT $1, workspace_id, embedder, dimensions, embedding FROM memory_vectors WHERE memory_id = $2`,
      [summaryId, subject.id],
    );
    await manager.query('UPDATE memories SET summarised_by = $1 WHERE id = ANY ($2)', [summaryId, sources]);
    await this.visibility.hide(sources);
    await this.visibility.show([summaryId]);
    await manager.query(
      'INSERT INTO memory_pending_embeddings (memory_id, workspace_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [summaryId, workspaceId],
    );
    return summaryId;
  }
}
