import { Injectable } from '@nestjs/common';
import { type CursorCodec, keysetPage, type Page, Transactions } from '@peregrine/database';
import { DocumentNotFoundError } from '../retrieval.errors.js';

export interface DocumentChunk {
  readonly chunkId: string;
  /** In its document, from 0. */
  readonly place: number;
  readonly type: string;
  readonly createdAt: Date;
  readonly text: string;
}

export interface ListChunksOptions {
  /** Of the pages' cursors. */
  readonly codec: CursorCodec;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The chunks of one document: what a query can begin at. */
@Injectable()
export class DocumentChunks {
  constructor(private readonly transactions: Transactions) {}

  /**
   * In the order of the document; none while it was not ingested.
   *
   * @throws {InvalidCursorError} {@link DocumentNotFoundError}
   */
  async list(
    workspaceId: string,
    documentId: string,
    options: ListChunksOptions,
  ): Promise<Page<DocumentChunk>> {
    const { manager } = this.transactions;
    const page = await keysetPage<DocumentChunk>({
      scope: `retrieval-chunks:${workspaceId}:${documentId}`,
      ...options,
      firstParameter: 3,
      keys: [{ expression: 'k.place', cast: 'int', direction: 'ASC', value: (it) => it.place }],
      fetch: ({ where, orderBy, parameters, limit }) =>
        manager.query<DocumentChunk[]>(
          `SELECT k.id AS "chunkId", k.place, k.type, k.created_at AS "createdAt", k.text FROM retrieval_chunks k
            WHERE k.workspace_id = $1 AND k.document_id = $2 AND ${where} ORDER BY ${orderBy} LIMIT ${limit}`,
          [workspaceId, documentId, ...parameters],
        ),
    });
    if (page.items.length === 0) await this.#assertThere(workspaceId, documentId);
    return page;
  }

  async #assertThere(workspaceId: string, documentId: string): Promise<void> {
    const rows = await this.transactions.manager.query<unknown[]>(
      'SELECT 1 FROM files WHERE workspace_id = $1 AND id = $2',
      [workspaceId, documentId],
    );
    if (rows.length === 0) throw new DocumentNotFoundError(workspaceId, documentId);
  }
}
