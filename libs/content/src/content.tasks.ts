import { defineTask } from '@peregrine/task-queue';
import { z } from 'zod';
import { CONVERSION_TARGETS, CSV_DELIMITERS } from './conversion/conversion-format.js';

/** Reads the text of a file's current revision and makes it searchable; ten files in one call. */
export const extractText = defineTask({
  name: 'content.extract-text',
  payload: z.strictObject({ fileId: z.uuid(), revision: z.int().positive() }),
  priority: 'NORMAL',
  attempts: 4,
  backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
  timeoutMs: 120_000,
  batch: { size: 10, maxWaitMs: 50 },
});

/** Removes stored contents that no file refers to any more. */
export const releaseStorage = defineTask({
  name: 'content.release-storage',
  payload: z.strictObject({ resourceIds: z.array(z.uuid()).min(1).max(500) }),
  priority: 'LOW',
  attempts: 5,
  backoff: { type: 'exponential', delayMs: 5_000, jitter: 0.5 },
  timeoutMs: 120_000,
});

/**
 * Has the text of all files of a workspace read anew, or of those only that could not be read: after a better
 * extraction was deployed, or a storage was repaired. Search goes on with the old texts meanwhile.
 */
export const reindexWorkspace = defineTask({
  name: 'content.reindex-workspace',
  payload: z.strictObject({
    workspaceId: z.uuid().toLowerCase(),
    onlyFailed: z.boolean().default(false),
  }),
  priority: 'BATCH',
  attempts: 5,
  backoff: { type: 'exponential', delayMs: 2_000, jitter: 0.5 },
  timeoutMs: 3_600_000,
  // A second wish while the first is being fulfilled changes nothing.
  dedupe: { key: ({ workspaceId, onlyFailed }) => `${workspaceId}/${onlyFailed}` },
  public: true,
});

/** Converts a large file, for the cache. */
export const convertFile = defineTask({
  name: 'content.convert-file',
  payload: z.strictObject({
    workspaceId: z.uuid(),
    fileId: z.uuid(),
    target: z.enum(CONVERSION_TARGETS),
    delimiter: z.enum(CSV_DELIMITERS).optional(),
    header: z.boolean().optional(),
  }),
  priority: 'NORMAL',
  attempts: 3,
  backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
  timeoutMs: 300_000,
});

/** Makes a workspace and a folder or bucket equal, as its row in `storage_syncs` says; goes on where it ended. */
export const syncStorage = defineTask({
  name: 'content.sync-storage',
  payload: z.strictObject({ syncId: z.uuid() }),
  priority: 'BATCH',
  attempts: 5,
  backoff: { type: 'exponential', delayMs: 2_000, jitter: 0.5 },
  timeoutMs: 86_400_000,
});

/** What a process that works with content may submit. */
export const contentTasks = [
  extractText,
  releaseStorage,
  reindexWorkspace,
  convertFile,
  syncStorage,
] as const;
