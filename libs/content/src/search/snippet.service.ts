import { Injectable } from '@nestjs/common';
import { Cache, type CacheNamespace } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import { createHash } from 'node:crypto';
import { fileTag, workspaceTag } from '../content.cache-tags.js';
import { HIGHLIGHT_START, HIGHLIGHT_STOP, snippetHtml } from './snippet.js';

const HEADLINE = [
  `StartSel=${HIGHLIGHT_START}`,
  `StopSel=${HIGHLIGHT_STOP}`,
  'MaxFragments=2',
  'MaxWords=25',
  'MinWords=10',
  'FragmentDelimiter=" … "',
].join(', ');

/** What the snippets are for. */
export interface SnippetRequest {
  workspaceId: string;
  /** In the syntax of `websearch_to_tsquery`. */
  query: string;
}

/**
 * The passages of files that a query hits, for the files of one page only, so that the cost of a search does not grow
 * with its hits.
 *
 * They are most of that cost, and a change of one file leaves those of the others as they were: each is cached by itself,
 * until its file changes. In Redis only: memory has the pages they are part of.
 */
@Injectable()
export class SnippetService {
  readonly #cached: CacheNamespace;

  constructor(
    private readonly transactions: Transactions,
    cache: Cache,
  ) {
    this.#cached = cache.namespace('content');
  }

  /** HTML by file; see `SearchHit.snippet`. What is cached takes one round trip, the rest one query. */
  async of(fileIds: readonly string[], { workspaceId, query }: SnippetRequest): Promise<Map<string, string>> {
    const hash = createHash('sha256').update(query).digest('base64url');
    const keys = new Map(fileIds.map((id) => [`snippet:${id}:${hash}`, id]));
    const idOf = (key: string) => keys.get(key) ?? '';
    const found = await this.#cached.getOrSetMany(
      [...keys.keys()],
      async (missing) => {
        const snippets = await this.#make(missing.map(idOf), query);
        return new Map(missing.map((key) => [key, snippets.get(idOf(key)) ?? '']));
      },
      { tags: (key) => [fileTag(idOf(key)), workspaceTag(workspaceId)], tiers: ['redis'] },
    );
    return new Map([...found].map(([key, snippet]) => [idOf(key), snippet ?? '']));
  }

  async #make(fileIds: readonly string[], query: string): Promise<Map<string, string>> {
    const rows = await this.transactions.manager.query<{ fileId: string; snippet: string }[]>(
      `SELECT d.file_id AS "fileId", ts_headline('english', d.body, q.query, $3) AS snippet
         FROM file_documents d, websearch_to_tsquery('english', $2) AS q (query)
        WHERE d.file_id = ANY ($1::uuid[])`,
      [fileIds, query, HEADLINE],
    );
    return new Map(rows.map((it) => [it.fileId, snippetHtml(it.snippet)]));
  }
}
