import { Injectable } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import {
  type BatchItem,
  type BatchItemResult,
  type BatchTaskExecutor,
  TaskHandler,
  TaskStoppedError,
} from '@peregrine/task-queue';
import { fileTag, searchTag } from '../content.cache-tags.js';
import { extractText } from '../content.tasks.js';
import { type FileStatus } from '../files/file-status.js';
import { ObjectStore } from '../storage/object-store.js';
import { type StorageDriverName } from '../storage/storage-driver.js';
import { decodeText, MAX_INDEXED_BYTES, mayHoldText } from './decode-text.js';

type Item = BatchItem<typeof extractText>;

interface Source {
  fileId: string;
  revision: number;
  mediaType: string;
  sizeBytes: number;
  driver: StorageDriverName;
  key: string;
}

interface Extraction {
  fileId: string;
  revision: number;
  body: string;
  status: FileStatus;
  detail: string | null;
}

/** What became of one file: its text, or why it could not be read this time. */
type Outcome = { extraction: Extraction | null } | { error: Error; failed: Extraction | null };

/** Makes files searchable, up to ten in one call: one query reads where they are, one writes their texts. */
@TaskHandler(extractText)
@Injectable()
export class ExtractTextHandler implements BatchTaskExecutor<typeof extractText> {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: ObjectStore,
    private readonly cache: Cache,
  ) {}

  async executeBatch(items: readonly Item[]): Promise<BatchItemResult[]> {
    const sources = await this.#sources(items);
    const outcomes = await Promise.all(
      items.map((item) => this.#extract(item, sources.get(item.payload.fileId))),
    );
    await this.#save(
      outcomes.map((it) => ('error' in it ? it.failed : it.extraction)).filter((it) => it !== null),
    );
    return outcomes.map((it) =>
      'error' in it
        ? { ok: false, error: it.error }
        : { ok: true, value: it.extraction?.status ?? 'superseded' },
    );
  }

  async #sources(items: readonly Item[]): Promise<Map<string, Source>> {
    const rows = await this.transactions.manager.query<Source[]>(
      `SELECT f.id AS "fileId", f.revision, f.media_type AS "mediaType", f.size_bytes::float8 AS "sizeBytes",
              r.driver, r.object_key AS key
         FROM files f
         JOIN file_storages s ON s.file_id = f.id
         JOIN storage_resources r ON r.id = s.storage_resource_id
        WHERE f.id = ANY ($1)`,
      [items.map((it) => it.payload.fileId)],
    );
    return new Map(rows.map((it) => [it.fileId, it]));
  }

  async #extract({ payload, ctx }: Item, source: Source | undefined): Promise<Outcome> {
    // Deleted, or replaced by a revision that has a task of its own.
    if (!source || source.revision !== payload.revision) return { extraction: null };
    const result = (status: FileStatus, detail: string | null, body = ''): Extraction => ({
      ...payload,
      body,
      status,
      detail,
    });
    try {
      if (!mayHoldText(source.mediaType)) {
        const detail = `There is no text in ${source.mediaType}; only the name and the path are searchable.`;
        return { extraction: result('skipped', detail) };
      }
      const { text, detail } = decodeText(await this.#head(source, ctx.signal), source.sizeBytes);
      return { extraction: text === null ? result('skipped', detail) : result('extracted', detail, text) };
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      // A worker that stops gives the attempt back.
      const last = ctx.attempt >= extractText.attempts && !(ctx.signal.reason instanceof TaskStoppedError);
      const detail = 'The text could not be read; upload the file again to retry. The file itself is whole.';
      return { error, failed: last ? result('failed', detail) : null };
    }
  }

  /** The searchable beginning of a file; never more of it, however large it is. */
  async #head(source: Source, signal: AbortSignal): Promise<Buffer> {
    if (source.sizeBytes === 0) return Buffer.alloc(0);
    const end = Math.min(source.sizeBytes, MAX_INDEXED_BYTES) - 1;
    const stream = await this.store.open(source, { start: 0, end }, { signal });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** Only what is still the file's current revision is written. */
  async #save(extractions: readonly Extraction[]): Promise<void> {
    if (extractions.length === 0) return;
    const saved = await this.transactions.manager.query<{ fileId: string; workspaceId: string }[]>(
      `WITH input AS (
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[])
                    AS t (file_id, revision, body, status, detail)
       ), updated AS (
         UPDATE files f SET status = i.status, status_detail = i.detail
           FROM input i WHERE f.id = i.file_id AND f.revision = i.revision
         RETURNING f.id, f.workspace_id, f.name, f.path, i.body
       )
       INSERT INTO file_documents AS d (file_id, workspace_id, name, path, body)
       SELECT id, workspace_id, name, path, body FROM updated ORDER BY id
       ON CONFLICT (file_id) DO UPDATE SET name = excluded.name, path = excluded.path, body = excluded.body
       RETURNING d.file_id AS "fileId", d.workspace_id AS "workspaceId"`,
      [
        extractions.map((it) => it.fileId),
        extractions.map((it) => it.revision),
        extractions.map((it) => it.body),
        extractions.map((it) => it.status),
        extractions.map((it) => it.detail),
      ],
    );
    const tags = saved.flatMap((it) => [fileTag(it.fileId), searchTag(it.workspaceId)]);
    await this.cache.invalidateTags([...new Set(tags)]);
  }
}
