import { z } from 'zod';
import { pageOf, pageQuery } from '../app/paging.js';

const auditEventSchema = z
  .object({
    id: z.string(),
    occurredAt: z.iso.datetime(),
    actor: z.object({ id: z.uuid().describe('API key'), name: z.string() }),
    action: z
      .string()
      .describe(
        'index.apply, index.revert, profile.take; of the console also cache.flush, flag.set, flag.reset, dead-letters.redrive, ' +
          'dead-letters.purge, cdn.purge',
      ),
    subject: z.string().describe('Of what'),
    event: z
      .enum(['requested', 'succeeded', 'failed', 'refused'])
      .describe('refused: actions of the console are off'),
    task: z.string().nullable().describe('{task}~{id} of the task that does it; null: a request did it'),
    url: z.string().nullable().describe('Path of its status'),
    requestId: z
      .string()
      .nullable()
      .describe('Of the request that asked; the events of one deed have the same'),
    detail: z.string().nullable().describe('What came of it'),
  })
  .meta({
    id: 'AuditEvent',
    example: {
      id: '12',
      occurredAt: '2026-11-21T10:00:00.000Z',
      actor: { id: '0190a6f0-0000-7000-8000-000000000001', name: 'operator' },
      action: 'index.apply',
      subject: 'index-recommendation/9d1b7a40c2ef',
      event: 'succeeded',
      task: 'indexes.apply~9d1b7a40c2ef.0',
      url: '/api/v1/tasks/indexes.apply~9d1b7a40c2ef.0',
      requestId: null,
      detail: 'Kept: 1 statements, weighted by calls: 96.1 % less time',
    },
  });

export const auditPageSchema = pageOf(auditEventSchema).meta({ id: 'AuditEvents' });

export const auditQuery = pageQuery(50, 200).extend({
  subject: z.string().min(1).max(200).optional().describe('Only what was done to it'),
});
export type AuditQuery = z.output<typeof auditQuery>;
