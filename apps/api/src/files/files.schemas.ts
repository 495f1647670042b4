import { FILE_FIELDS, type FileField } from '@peregrine/content';
import { z } from 'zod';
import { pageQuery } from '../app/paging.js';
import { problemSchema } from '../problem/problem.js';

export const fileSchema = z
  .object({
    id: z.uuid(),
    path: z.string().describe('Unique in the workspace; "/" between folders'),
    name: z.string().describe('The last segment of the path'),
    mediaType: z.string(),
    sizeBytes: z.int(),
    sha256: z.string().describe('Of the content; also its ETag'),
    status: z
      .enum(['pending', 'extracted', 'skipped', 'failed'])
      .describe('How far the text has come: pending until the worker has read it'),
    statusDetail: z.string().nullable(),
    revision: z.int().describe('Counts the contents of this path'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime().describe('When the content last changed'),
  })
  .meta({ id: 'File' });

/** A comma-separated choice of a file's fields. */
const fields = z
  .string()
  .transform((text) => text.split(',').map((it) => it.trim()))
  .pipe(z.array(z.enum(FILE_FIELDS, { error: `expected some of ${FILE_FIELDS.join(', ')}` })).min(1))
  .transform((names) => [...new Set<FileField>(names)])
  .optional()
  .describe(`Only these, comma-separated, of: ${FILE_FIELDS.join(', ')}`);

export const fieldsQuery = z.strictObject({ fields });

export const listQuery = pageQuery(50, 500).extend({
  fields,
  path: z
    .string()
    .max(1_024)
    .refine((it) => !it.includes('\0'), 'must not hold a NUL character')
    .optional()
    .describe('Only files whose path begins with this'),
});

export const uploadQuery = z.strictObject({
  folder: z.string().max(1_024).optional().describe('Put before the name of each file'),
});

export const uploadedSchema = z
  .object({ created: z.boolean().describe('False when the path existed'), file: fileSchema })
  .meta({ id: 'UploadedFile' });

export const multiUploadSchema = z
  .object({
    items: z.array(
      z.union([
        uploadedSchema,
        z.object({
          path: z.string(),
          problem: problemSchema.pick({ code: true, detail: true, status: true }),
        }),
      ]),
    ),
  })
  .meta({ id: 'UploadResults' });
