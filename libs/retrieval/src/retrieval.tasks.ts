import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';

/** Makes the text of a file's current revision findable: passages, their embeddings and edges; sixteen files in one call. */
export const ingestDocument = defineTask({
  name: 'retrieval.ingest',
  payload: z.strictObject({ documentId: z.uuid(), revision: z.int().positive() }),
  priority: 'NORMAL',
  attempts: 6,
  backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
  timeoutMs: 300_000,
  batch: { size: 16, maxWaitMs: 50 },
  // While one waits or runs, another would find the same text; a sweep may ask as often as it likes.
  dedupe: { key: ({ documentId, revision }) => `${documentId}/${revision}` },
});

/** What a process that works with retrieval may submit. */
export const retrievalTasks = [ingestDocument] as const;
