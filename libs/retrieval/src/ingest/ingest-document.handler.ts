import { Injectable } from '@nestjs/common';
import {
  type BatchItem,
  type BatchItemResult,
  type BatchTaskExecutor,
  TaskHandler,
} from '@peregrine/task-queue';
import { ingestDocument } from '../retrieval.tasks.js';
import { IngestService } from './ingest.service.js';

type Item = BatchItem<typeof ingestDocument>;

/** Ingests files, those of many tasks in one call; where that fails each by itself, so that one bad text does not hold up the others. */
@TaskHandler(ingestDocument)
@Injectable()
export class IngestDocumentHandler implements BatchTaskExecutor<typeof ingestDocument> {
  constructor(private readonly ingest: IngestService) {}

  async executeBatch(items: readonly Item[]): Promise<BatchItemResult[]> {
    const together = await this.#attempt(items);
    if (together.ok || items.length === 1) return items.map(() => together);
    const results: BatchItemResult[] = [];
    for (const item of items) results.push(await this.#attempt([item]));
    return results;
  }

  /** What is found is the text of the file as it is now, whatever revision the task was for. */
  async #attempt(items: readonly Item[]): Promise<BatchItemResult> {
    try {
      const documentIds = items.map((it) => it.payload.documentId);
      await this.ingest.ingest([...new Set(documentIds)], items[0]?.ctx.signal);
      return { ok: true, value: null };
    } catch (cause) {
      return { ok: false, error: cause instanceof Error ? cause : new Error(String(cause)) };
    }
  }
}
