import { type Invalidation, invalidationRequestSchema, PURGE_KINDS } from '@peregrine/cdn';
import { type Page } from '@peregrine/database';
import { type ListedInvalidation } from '@peregrine/runtime';
import { z } from 'zod';
import { pageOf, pageQuery } from '../app/paging.js';

const MOST_LISTED = 1_000;

export const invalidateSchema = invalidationRequestSchema.meta({ id: 'InvalidateCdn' });
export type Invalidate = z.output<typeof invalidateSchema>;

const time = z.iso.datetime();

const invalidationSchema = z
  .object({
    id: z.uuid(),
    provider: z.string(),
    kind: z.enum(PURGE_KINDS),
    value: z.string().describe('A path, a wildcard or a surrogate key; empty for everything'),
    soft: z.boolean().describe('Marked as stale and not removed, where the provider can'),
    state: z.enum(['pending', 'sending', 'done', 'failed']),
    requests: z.int().describe('How often it was asked for while it was pending'),
    attempts: z.int().describe('How often it was sent without success'),
    requestedAt: time,
    notBefore: time.describe('Not sent before'),
    endedAt: time.nullable(),
    sentAs: z.enum(PURGE_KINDS).nullable().describe('Wider than asked for when many came together'),
    verified: z.boolean().nullable().describe('Whether a probe saw a fresh copy; null: not looked at'),
    error: z.string().nullable().describe('The last failure'),
  })
  .meta({ id: 'CdnInvalidation' });

export const invalidationsSchema = z
  .object({ items: z.array(invalidationSchema) })
  .meta({ id: 'CdnInvalidations' });

export type Invalidations = z.output<typeof invalidationsSchema>;

export const invalidationsPageSchema = pageOf(invalidationSchema);

export type InvalidationsPage = z.output<typeof invalidationsPageSchema>;

export const queuedSchema = invalidationsSchema
  .extend({ note: z.string().describe('What happens now') })
  .meta({ id: 'QueuedCdnInvalidations' });

export const listQuery = pageQuery(100, MOST_LISTED).extend({
  state: z
    .enum(['pending', 'ended'])
    .default('pending')
    .describe('What is not done, oldest first; or what is done or was given up, newest first'),
});

export const nginxQuery = z.strictObject({
  variant: z.enum(['proxy', 'static']).default('proxy').describe('In front of the api, or for files'),
  root: z.string().max(1_024).optional().describe('Folder with the files; static needs it'),
});

export function toInvalidations(list: readonly Invalidation[]): Invalidations {
  return { items: list.map(({ target, alone: _, ...rest }) => described({ ...rest, ...target })) };
}

/** One page of them. */
export function toPage({ items, ...cursors }: Page<ListedInvalidation>): InvalidationsPage {
  return { items: items.map(({ position: _, ...rest }) => described(rest)), ...cursors };
}

function described({ requestedAt, notBefore, endedAt, ...rest }: Omit<ListedInvalidation, 'position'>) {
  return {
    ...rest,
    requestedAt: requestedAt.toISOString(),
    notBefore: notBefore.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}
