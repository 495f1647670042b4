import { Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import {
  type TaskContext,
  type TaskExecutor,
  TaskHandler,
  type TaskPayload,
  TaskQueue,
} from '@peregrine/task-queue';
import { extractText, reindexWorkspace } from '../content.tasks.js';

const FILES_AT_ONCE = 500;

/**
 * A new try counts as a revision, as after an upload; what waits for its extraction anyway is left alone. By path, in
 * the order of the index that a workspace's files have.
 */
const BEGIN_ANEW = `
WITH next AS MATERIALIZED (
  SELECT id FROM files
   WHERE workspace_id = $1 AND path > $2 AND status <> 'pending' AND (NOT $3 OR status = 'failed')
   ORDER BY path LIMIT $4 FOR UPDATE
), begun AS (
  UPDATE files f SET status = 'pending', status_detail = NULL, revision = f.revision + 1, updated_at = now()
    FROM next WHERE f.id = next.id
  RETURNING f.id AS "fileId", f.revision, f.path
)
SELECT * FROM begun ORDER BY path`;

interface Begun {
  fileId: string;
  revision: number;
  path: string;
}

/**
 * Submits the extraction of a workspace's files, some hundreds at a time. The next attempt after one that died passes
 * over files that still wait for their extraction; those that were done are read once more.
 */
@TaskHandler(reindexWorkspace)
@Injectable()
export class ReindexWorkspaceHandler implements TaskExecutor<typeof reindexWorkspace> {
  constructor(
    private readonly transactions: Transactions,
    private readonly tasks: TaskQueue,
  ) {}

  async execute(
    { workspaceId, onlyFailed }: TaskPayload<typeof reindexWorkspace>,
    ctx: TaskContext,
  ): Promise<{ files: number }> {
    let files = 0;
    for (let after = ''; ;) {
      ctx.signal.throwIfAborted();
      const begun = await this.#begin(workspaceId, after, onlyFailed);
      const last = begun.at(-1);
      if (!last) return { files };
      files += begun.length;
      after = last.path;
      await ctx.progress({ files });
    }
  }

  /** In one transaction, so that no row is pending without its task. */
  async #begin(workspaceId: string, after: string, onlyFailed: boolean): Promise<Begun[]> {
    return this.transactions.run(async (manager) => {
      const begun = await manager.query<Begun[]>(BEGIN_ANEW, [workspaceId, after, onlyFailed, FILES_AT_ONCE]);
      const items = begun.map(({ fileId, revision }) => ({
        payload: { fileId, revision },
        id: `extract-${fileId}-${revision}`,
      }));
      await this.tasks.submitBatch(extractText, items);
      return begun;
    });
  }
}
