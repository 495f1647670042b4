import { defineSettings, setting } from '../settings/define-settings.js';
import { listOf, optional, wholeNumber } from '../settings/value-types.js';

/** Absolute, and not a whole disk by mistake. */
const ROOT = /^\/[^\0,]*[^\0,/]$/;

/** Conversions and syncs of files. */
export const contentSettings = defineSettings('Content', {
  convertTaskBytes: setting('CONTENT_CONVERT_TASK_BYTES', wholeNumber(0, 268_435_456), {
    description: 'Larger files are converted by a task, not by the request that asks, bytes.',
    default: '1048576',
  }),
  convertMaxBytes: setting('CONTENT_CONVERT_MAX_BYTES', wholeNumber(1, 268_435_456), {
    description: 'Larger files are not converted, bytes. A thread holds a file and its result in memory.',
    default: '67108864',
  }),
  convertThreads: setting('CONTENT_CONVERT_THREADS', wholeNumber(1, 64), {
    description: 'Threads of a process that convert, at most.',
    default: '2',
  }),
  convertTimeoutMs: setting('CONTENT_CONVERT_TIMEOUT_MS', wholeNumber(1, 600_000), {
    description: 'A conversion that takes longer is ended with its thread, milliseconds.',
    default: '30000',
  }),
  syncRoots: setting(
    'CONTENT_SYNC_ROOTS',
    optional(listOf(ROOT, 'absolute paths, separated by commas', (it) => it)),
    {
      description:
        'Folders below which may be mirrored into workspaces and back, comma-separated. Unset: none.',
      example: '/srv/documents,/srv/exports',
    },
  ),
  syncBuckets: setting(
    'CONTENT_SYNC_BUCKETS',
    optional(
      listOf(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'names of buckets, separated by commas', (it) => it),
    ),
    {
      description:
        'Buckets of the server of STORAGE_S3_* that may be mirrored, comma-separated. Unset: none.',
      example: 'team-documents',
    },
  ),
  syncConcurrency: setting('CONTENT_SYNC_CONCURRENCY', wholeNumber(1, 256), {
    description: 'Files that one sync copies at once.',
    default: '8',
  }),
});
