import { Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { type EntityManager } from 'typeorm';
import { lockWorkspace, raiseVersion } from '../chunks/workspace-version.js';
import { ChunkNotFoundError } from '../retrieval.errors.js';
import { countDegrees } from './count-degrees.js';

/** A link of two chunks; it is walked in both directions. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** What links them, such as `link` or `neighbour`. */
  readonly type: string;
  /** Over 0, up to 1: how near the one makes the other. */
  readonly weight: number;
}

/** Edges that some chunks are to have of some types, and no others. */
export interface EdgesOfChunks {
  readonly chunkIds: readonly string[];
  readonly types: readonly string[];
  readonly edges: readonly Edge[];
}

interface EdgeSource {
  readonly source: string;
}

/** Keeps the graph of the chunks. */
@Injectable()
export class EdgeStore {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Adds edges; one that is there gets the new weight.
   *
   * @throws {ChunkNotFoundError} when an end is not in the workspace; nothing was stored
   */
  async link(workspaceId: string, edges: readonly Edge[]): Promise<void> {
    await this.transactions.run(async (manager) => {
      await lockWorkspace(manager, workspaceId);
      const ends = endsOf(edges);
      const known = await lockChunks(manager, workspaceId, ends);
      const unknown = ends.filter((id) => !known.has(id));
      if (unknown.length > 0) throw new ChunkNotFoundError(workspaceId, unknown);
      await this.#changed(manager, workspaceId, await insertEdges(manager, workspaceId, edges));
    });
  }

  /**
   * Puts edges in the place of those of some types that the chunks had. An edge whose other end has just gone is left out. To be called in
   * a transaction that has locked the workspace.
   */
  async replaceOf(
    manager: EntityManager,
    workspaceId: string,
    { chunkIds, types, edges }: EdgesOfChunks,
  ): Promise<void> {
    const known = await lockChunks(manager, workspaceId, endsOf(edges));
    const kept = edges.filter(({ from, to }) => known.has(from) && known.has(to));
    const removed = await deleteOthers(manager, chunkIds, types, kept);
    const added = await insertEdges(manager, workspaceId, kept);
    await this.#changed(manager, workspaceId, [...removed, ...added]);
  }

  /** Each edge has a row from either side, so that the sources of changed rows are the ends of changed edges. */
  async #changed(manager: EntityManager, workspaceId: string, rows: readonly EdgeSource[]): Promise<void> {
    if (rows.length === 0) return;
    await countDegrees(manager, [...new Set(rows.map((it) => it.source))]);
    await raiseVersion(manager, workspaceId);
  }
}

function endsOf(edges: readonly Edge[]): string[] {
  return [...new Set(edges.flatMap(({ from, to }) => [from, to]))].sort();
}

function columnsOf(edges: readonly Edge[]): unknown[] {
  return [
    edges.map((it) => it.from),
    edges.map((it) => it.to),
    edges.map((it) => it.type),
    edges.map((it) => it.weight),
  ];
}

/**
 * Keeps chunks from going until the end of the transaction. Does not wait for one that is just being deleted: who deletes may wait for
 * what we have.
 *
 * @returns those that are there
 */
async function lockChunks(
  manager: EntityManager,
  workspaceId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM retrieval_chunks WHERE workspace_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR KEY SHARE SKIP LOCKED`,
    [workspaceId, ids],
  );
  return new Set(rows.map((it) => it.id));
}

/** @returns the sources of rows that are new, or have another weight now */
async function insertEdges(
  manager: EntityManager,
  workspaceId: string,
  edges: readonly Edge[],
): Promise<EdgeSource[]> {
  if (edges.length === 0) return [];
  return manager.query<EdgeSource[]>(
    `INSERT INTO retrieval_edges AS e (source_id, target_id, type, workspace_id, weight)
     SELECT least(a, b), greatest(a, b), type, $1::uuid, max(weight)
       FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::real[]) AS t (a, b, type, weight) GROUP BY 1, 2, 3
     UNION ALL
     SELECT greatest(a, b), least(a, b), type, $1::uuid, max(weight)
       FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::real[]) AS t (a, b, type, weight) GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
     ON CONFLICT (source_id, target_id, type) DO UPDATE SET weight = excluded.weight WHERE e.weight <> excluded.weight
     RETURNING source_id AS source`,
    [workspaceId, ...columnsOf(edges)],
  );
}

/** @returns the sources of the rows that went */
async function deleteOthers(
  manager: EntityManager,
  chunkIds: readonly string[],
  types: readonly string[],
  kept: readonly Edge[],
): Promise<EdgeSource[]> {
  const [from, to, type] = columnsOf(kept);
  const [rows] = await manager.query<[EdgeSource[], number]>(
    `DELETE FROM retrieval_edges e
      WHERE (e.source_id = ANY ($1::uuid[]) OR e.target_id = ANY ($1::uuid[])) AND e.type = ANY ($2::text[])
        AND NOT EXISTS (SELECT FROM unnest($3::uuid[], $4::uuid[], $5::text[]) AS t (a, b, type)
                         WHERE t.type = e.type AND least(t.a, t.b) = least(e.source_id, e.target_id)
                           AND greatest(t.a, t.b) = greatest(e.source_id, e.target_id))
     RETURNING e.source_id AS source`,
    [chunkIds, types, from, to, type],
  );
  return rows;
}
