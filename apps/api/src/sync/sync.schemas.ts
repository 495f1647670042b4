import { SYNC_DIRECTIONS, type SyncSummary } from '@peregrine/content';
import { z } from 'zod';
import { pageOf, pageQuery } from '../app/paging.js';

const count = z.int().min(0);
const time = z.iso.datetime();

export const startSyncSchema = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .max(2_048)
      .describe('An absolute path below CONTENT_SYNC_ROOTS, or s3://bucket/prefix of CONTENT_SYNC_BUCKETS'),
    direction: z.enum(SYNC_DIRECTIONS).default('import').describe('Into the workspace, or out of it'),
    dryRun: z.boolean().default(false).describe('Change nothing, and count what would be changed'),
    deletes: z.boolean().default(false).describe('Delete at the target what the source does not have'),
    overwrites: z
      .boolean()
      .default(false)
      .describe('Give up what was changed at the target; without it that is a conflict, and kept'),
  })
  .meta({ id: 'StartSync', example: { source: '/srv/documents', direction: 'import', deletes: true } });
export type StartSyncBody = z.output<typeof startSyncSchema>;

export const syncSchema = z
  .object({
    id: z.uuid(),
    source: z.string(),
    direction: z.enum(SYNC_DIRECTIONS),
    dryRun: z.boolean(),
    deletes: z.boolean(),
    overwrites: z.boolean(),
    state: z.enum(['waiting', 'running', 'completed', 'failed', 'cancelled']),
    expected: count.nullable().describe('How many files the source has, about; null until they are counted'),
    counts: z.object({
      seen: count.describe('Paths that were looked at, on both sides'),
      copied: count,
      copiedBytes: count,
      deleted: count,
      equal: count,
      extra: count.describe('Only at the target, and kept'),
      conflicts: count,
      skipped: count,
    }),
    problems: z
      .array(z.object({ path: z.string(), kind: z.enum(['conflict', 'skipped']), reason: z.string() }))
      .describe('The first hundred'),
    error: z.string().nullable().describe('Why it failed'),
    createdAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({
    id: 'Sync',
    example: {
      id: '0190a6f0-0000-7000-8000-000000000001',
      source: '/srv/documents',
      direction: 'import',
      dryRun: false,
      deletes: true,
      overwrites: false,
      state: 'completed',
      expected: 2_000,
      counts: {
        ...{ seen: 2_000, copied: 20, copiedBytes: 81_920, deleted: 0 },
        ...{ equal: 1_979, extra: 0, conflicts: 0, skipped: 1 },
      },
      problems: [{ path: 'latest', kind: 'skipped', reason: 'A symbolic link; links are not followed' }],
      error: null,
      createdAt: '2026-11-21T10:00:00.000Z',
      startedAt: '2026-11-21T10:00:00.120Z',
      endedAt: '2026-11-21T10:00:04.000Z',
    },
  });

export const syncPageSchema = pageOf(syncSchema).meta({ id: 'Syncs' });
export const syncQuery = pageQuery(50, 200);

export function describeSync({
  createdAt,
  startedAt,
  endedAt,
  ...rest
}: SyncSummary): z.output<typeof syncSchema> {
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
  };
}
