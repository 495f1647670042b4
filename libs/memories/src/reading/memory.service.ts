import { Injectable } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { CursorCodec, keysetPage, type Page, Transactions } from '@peregrine/database';
import { ConsolidationService } from '../consolidation/consolidation.service.js';
import { memoriesTag } from '../memories.cache-tags.js';
import { MemoryNotFoundError } from '../memories.errors.js';
import { type Memory, type MemoryUse } from '../memory.js';
import { associationStrength } from '../querying/association-strength.js';
import { MemoryVisibility } from './memory-visibility.js';

export interface MemoryDetail extends Memory, MemoryUse {
  /** The originals that a summary stands for. */
  sources: string[];
  /** The summary that stands for this original; queries find that one. */
  summarisedBy: string | null;
  /** Answers that it was in. */
  accesses: number;
  accessedAt: Date | null;
  /** What made its embedding; null while it waits for one. */
  embedder: string | null;
}

export interface Association {
  memoryId: string;
  content: string;
  /** Answers that held both. */
  times: number;
  /** Normalised pointwise mutual information, -1 to 1: more than chance above 0. */
  strength: number;
  lastAt: Date;
}

interface AssociationRow extends Omit<Association, 'strength'> {
  accesses: number;
  otherAccesses: number;
  /** Null before the first answer is counted. */
  answers: number | null;
}

/** Single memories. */
@Injectable()
export class MemoryService {
  constructor(
    private readonly transactions: Transactions,
    private readonly cursors: CursorCodec,
    private readonly visibility: MemoryVisibility,
    private readonly consolidation: ConsolidationService,
    private readonly cache: Cache,
  ) {}

  /** @throws {MemoryNotFoundError} */
  async get(workspaceId: string, memoryId: string): Promise<MemoryDetail> {
    const [memory] = await this.transactions.manager.query<MemoryDetail[]>(
      `SELECT m.id, m.kind, m.content, s.tier, m.created_at AS "createdAt", m.summarised_by AS "summarisedBy",
              ARRAY(SELECT o.id FROM memories o WHERE o.summarised_by = m.id ORDER BY o.id) AS sources,
              s.uses, s.first_used_at AS "firstUsedAt", s.last_used_at AS "lastUsedAt", s.recent_uses AS "recentUses",
              s.accesses, s.accessed_at AS "accessedAt", v.embedder
         FROM memories m
         JOIN memory_states s ON s.memory_id = m.id
         LEFT JOIN memory_vectors v ON v.memory_id = m.id
        WHERE m.id = $1 AND m.workspace_id = $2`,
      [memoryId, workspaceId],
    );
    if (!memory) throw new MemoryNotFoundError(workspaceId, memoryId);
    return memory;
  }

  /**
   * Deletes a memory and all that was made of it: a summary goes with its sources, and a summary that holds words of a
   * deleted original is taken apart.
   *
   * @throws {MemoryNotFoundError}
   */
  async delete(workspaceId: string, memoryId: string): Promise<void> {
    await this.transactions.run(async (manager) => {
      const rows = await manager.query<{ id: string; summarisedBy: string | null }[]>(
        `SELECT id, summarised_by AS "summarisedBy" FROM memories
          WHERE workspace_id = $1 AND (id = $2 OR summarised_by = $2) ORDER BY id FOR UPDATE`,
        [workspaceId, memoryId],
      );
      const memory = rows.find((it) => it.id === memoryId);
      if (!memory) throw new MemoryNotFoundError(workspaceId, memoryId);
      if (memory.summarisedBy !== null) {
        await this.consolidation.release(manager, memory.summarisedBy, { keptApart: false });
      }
      const ids = rows.map((it) => it.id);
      await this.visibility.hide(ids);
      await manager.query('DELETE FROM memories WHERE id = ANY ($1)', [ids]);
    });
    await this.cache.invalidateTags([memoriesTag(workspaceId)]);
  }

  /**
   * What a memory was found with, most often first.
   *
   * @throws {InvalidCursorError} {@link MemoryNotFoundError}
   */
  async associations(
    workspaceId: string,
    memoryId: string,
    options: { limit: number; cursor?: string | undefined },
  ): Promise<Page<Association>> {
    const page = await keysetPage<AssociationRow>({
      codec: this.cursors,
      scope: `associations:${workspaceId}:${memoryId}`,
      ...options,
      firstParameter: 3,
      keys: [
        { expression: 'a.times', cast: 'int', direction: 'DESC', value: (row) => row.times },
        { expression: 'a.memory_id', cast: 'uuid', direction: 'ASC', value: (row) => row.memoryId },
      ],
      fetch: ({ where, orderBy, parameters, limit }) =>
        this.transactions.manager.query<AssociationRow[]>(
          `WITH page AS (
             SELECT * FROM (
               SELECT second_id AS memory_id, times, last_at FROM memory_associations
                WHERE first_id = $2 AND workspace_id = $1
               UNION ALL
               SELECT first_id, times, last_at FROM memory_associations WHERE second_id = $2 AND workspace_id = $1
             ) a WHERE ${where} ORDER BY ${orderBy} LIMIT ${limit}
           )
           SELECT a.memory_id AS "memoryId", m.content, a.times, a.last_at AS "lastAt", s.accesses,
                  o.accesses AS "otherAccesses", t.answers::float8 AS answers
             FROM page a
             JOIN memories m ON m.id = a.memory_id
             JOIN memory_states o ON o.memory_id = a.memory_id
             JOIN memory_states s ON s.memory_id = $2
             LEFT JOIN memory_totals t ON t.workspace_id = $1
            ORDER BY ${orderBy}`,
          [workspaceId, memoryId, ...parameters],
        ),
    });
    if (page.items.length === 0) await this.get(workspaceId, memoryId);
    return { ...page, items: page.items.map(toAssociation) };
  }
}

function toAssociation({ accesses, otherAccesses, answers, ...row }: AssociationRow): Association {
  const counts = { together: row.times, one: accesses, other: otherAccesses, answers: answers ?? 0 };
  return { ...row, strength: associationStrength(counts) };
}
