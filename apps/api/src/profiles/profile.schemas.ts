import { PROFILE_KINDS } from '@peregrine/metrics';
import { z } from 'zod';

const LONGEST_SECONDS = 60;

export const startProfileSchema = z
  .strictObject({
    kind: z
      .enum(PROFILE_KINDS)
      .describe(
        'cpu: where time goes; heap: who allocates what stays; snapshot: the whole heap, stops the process',
      ),
    seconds: z
      .int()
      .min(1)
      .max(LONGEST_SECONDS)
      .default(10)
      .describe('How long it looks; a snapshot is of one moment'),
  })
  .meta({ id: 'StartProfile', example: { kind: 'cpu', seconds: 10 } });
export type StartProfileBody = z.output<typeof startProfileSchema>;

export const profileSchema = z
  .object({
    id: z.string(),
    kind: z.enum(PROFILE_KINDS),
    state: z.enum(['running', 'done', 'failed']),
    startedAt: z.iso.datetime(),
    sizeBytes: z.int().describe('0 before it is done'),
    error: z.string().nullable().describe('Why it failed'),
    url: z.string().describe('Path of its state'),
    contentUrl: z.string().nullable().describe('Path of the file, once it is done'),
  })
  .meta({
    id: 'Profile',
    example: {
      id: '20261122T031655445Z-4711-cpu',
      kind: 'cpu',
      state: 'done',
      startedAt: '2026-11-22T03:16:55.445Z',
      sizeBytes: 48_211,
      error: null,
      url: '/api/v1/admin/profiles/20261122T031655445Z-4711-cpu',
      contentUrl: '/api/v1/admin/profiles/20261122T031655445Z-4711-cpu/content',
    },
  });
export type ProfileAnswer = z.input<typeof profileSchema>;

export const profilesSchema = z.object({ items: z.array(profileSchema) }).meta({ id: 'Profiles' });
