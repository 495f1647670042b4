import { Injectable } from '@nestjs/common';
import { Cache, type CacheNamespace } from '@peregrine/cache';
import { CursorCodec, keysetPage, type Page, Transactions } from '@peregrine/database';
import { createHash } from 'node:crypto';
import { searchTag, workspaceTag } from '../content.cache-tags.js';
import { SnippetService } from './snippet.service.js';

/** The longest query, in characters. */
export const MAX_QUERY_LENGTH = 1_000;

/** One file that matches. */
export interface SearchHit {
  fileId: string;
  path: string;
  name: string;
  mediaType: string;
  sizeBytes: number;
  /** Cover density, `ts_rank_cd`; comparable within one search only. */
  rank: number;
  /** HTML: passages of the text with the hits in `<mark>`, all else escaped. Empty for a file without text. */
  snippet: string;
}

export interface SearchOptions {
  /** In the syntax of `websearch_to_tsquery`: words, "phrases", `or`, `-not`. */
  query: string;
  limit: number;
  cursor?: string | undefined;
}

type RankedFile = Omit<SearchHit, 'snippet'>;

/** Full-text search over the name, the path and the text of a workspace's files. */
@Injectable()
export class SearchService {
  readonly #cached: CacheNamespace;

  constructor(
    private readonly transactions: Transactions,
    private readonly cursors: CursorCodec,
    private readonly snippets: SnippetService,
    cache: Cache,
  ) {
    this.#cached = cache.namespace('search');
  }

  /**
   * Best first; name before path before text. A query of stop words alone finds nothing.
   *
   * @throws {InvalidCursorError}
   */
  search(workspaceId: string, options: SearchOptions): Promise<Page<SearchHit>> {
    const query = normalizeQuery(options.query);
    const key = createHash('sha256')
      .update(JSON.stringify([query, options.limit, options.cursor ?? null]))
      .digest('base64url');
    return this.#cached.getOrSet(
      `${workspaceId}:${key}`,
      () => this.#searchDatabase(workspaceId, query, options),
      {
        tags: [searchTag(workspaceId), workspaceTag(workspaceId)],
      },
    );
  }

  async #searchDatabase(
    workspaceId: string,
    query: string,
    options: SearchOptions,
  ): Promise<Page<SearchHit>> {
    const page = await this.#rank(workspaceId, query, options);
    const fileIds = page.items.map((it) => it.fileId);
    const snippets = await this.snippets.of(fileIds, { workspaceId, query });
    return { ...page, items: page.items.map((it) => ({ ...it, snippet: snippets.get(it.fileId) ?? '' })) };
  }

  #rank(workspaceId: string, query: string, options: SearchOptions): Promise<Page<RankedFile>> {
    return keysetPage<RankedFile>({
      codec: this.cursors,
      scope: `search:${workspaceId}:${query}`,
      limit: options.limit,
      cursor: options.cursor,
      firstParameter: 3,
      keys: [
        { expression: 'hit.rank', cast: 'float8', direction: 'DESC', value: (row) => row.rank },
        { expression: 'hit.file_id', cast: 'uuid', direction: 'ASC', value: (row) => row.fileId },
      ],
      fetch: ({ where, orderBy, parameters, limit }) =>
        this.transactions.manager.query<RankedFile[]>(
          `WITH page AS (
             SELECT * FROM (
               SELECT d.file_id, ts_rank_cd(d.search, q.query)::float8 AS rank
                 FROM file_documents d, websearch_to_tsquery('english', $2) AS q (query)
                WHERE d.workspace_id = $1 AND d.search @@ q.query
             ) hit
             WHERE ${where}
             ORDER BY ${orderBy} LIMIT ${limit}
           )
           SELECT hit.file_id AS "fileId", f.path, f.name, f.media_type AS "mediaType",
                  f.size_bytes::float8 AS "sizeBytes", hit.rank
             FROM page hit
             JOIN files f ON f.id = hit.file_id
            ORDER BY ${orderBy}`,
          [workspaceId, query, ...parameters],
        ),
    });
  }
}

/** One spelling for queries that mean the same; PostgreSQL takes no NUL, and no word holds a control character. */
function normalizeQuery(query: string): string {
  return query
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}
