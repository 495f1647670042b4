import { Inject, Injectable } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import {
  type BatchItem,
  type BatchItemResult,
  type BatchTaskExecutor,
  TaskHandler,
  TaskStoppedError,
} from '@peregrine/task-queue';
import { type EntityManager } from 'typeorm';
import { fileTag, searchTag } from '../content.cache-tags.js';
import { extractText } from '../content.tasks.js';
import { type FileStatus } from '../files/file-status.js';
import { ObjectStore } from '../storage/object-store.js';
import { type StorageDriverName } from '../storage/storage-driver.js';
import { TEXT_LISTENER, type TextListener } from './text-listener.js';
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

interface SavedFile {
  fileId: string;
  workspaceId: string;
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
    @Inject(TEXT_LISTENER) private readonly listener: TextListener,
  ) {}

  async executeBatch(items: readonly Item[]): Promise<BatchItemResult[]> {
    const sources = await this.#sources(items);
    const heads = await this.#heads(items, sources);
    const outcomes = items.map((item, index) =>
      this.#extract(item, sources.get(item.payload.fileId), heads[index]),
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

  /** The searchable beginning of each file that has one, never more of it, however large it is; small ones together. */
  async #heads(
    items: readonly Item[],
    sources: ReadonlyMap<string, Source>,
  ): Promise<(PromiseSettledResult<Buffer> | undefined)[]> {
    const wanted = items.map(({ payload, ctx }) => {
      const source = sources.get(payload.fileId);
      if (source?.revision !== payload.revision || !mayHoldText(source.mediaType)) return undefined;
      const { driver, key, sizeBytes: lengthBytes } = source;
      return { driver, key, lengthBytes, signal: ctx.signal };
    });
    const heads = await this.store.readHeads(
      wanted.filter((it) => it !== undefined),
      MAX_INDEXED_BYTES,
    );
    let next = 0;
    return wanted.map((it) => (it === undefined ? undefined : heads[next++]));
  }

  #extract(
    { payload, ctx }: Item,
    source: Source | undefined,
    head: PromiseSettledResult<Buffer> | undefined,
  ): Outcome {
    // Deleted, or replaced by a revision that has a task of its own.
    if (!source || source.revision !== payload.revision) return { extraction: null };
    const result = (status: FileStatus, detail: string | null, body = ''): Extraction => ({
      ...payload,
      body,
      status,
      detail,
    });
    if (!head) {
      const detail = `There is no text in ${source.mediaType}; only the name and the path are searchable.`;
      return { extraction: result('skipped', detail) };
    }
    if (head.status === 'rejected') {
      const error = head.reason instanceof Error ? head.reason : new Error(String(head.reason));
      // A worker that stops gives the attempt back.
      const last = ctx.attempt >= extractText.attempts && !(ctx.signal.reason instanceof TaskStoppedError);
      const detail = 'The text could not be read; upload the file again to retry. The file itself is whole.';
      return { error, failed: last ? result('failed', detail) : null };
    }
    const { text, detail } = decodeText(head.value, source.sizeBytes);
    return { extraction: text === null ? result('skipped', detail) : result('extracted', detail, text) };
  }

  async #save(extractions: readonly Extraction[]): Promise<void> {
    if (extractions.length === 0) return;
    const revisions = new Map(extractions.map((it) => [it.fileId, it.revision]));
    const saved = await this.transactions.run(async (manager) => {
      const files = await this.#write(manager, extractions);
      await this.listener(files.map(({ fileId }) => ({ fileId, revision: revisions.get(fileId) ?? 0 })));
      return files;
    });
    const tags = saved.flatMap((it) => [fileTag(it.fileId), searchTag(it.workspaceId)]);
    await this.cache.invalidateTags([...new Set(tags)]);
  }

  /** Only what is still the file's current revision is written. */
  #write(manager: EntityManager, extractions: readonly Extraction[]): Promise<SavedFile[]> {
    return manager.query<SavedFile[]>(
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
  }
}
