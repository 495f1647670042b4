import { CONVERSION_TARGETS, CSV_DELIMITERS } from '@peregrine/content';
import { z } from 'zod';

export const conversionTarget = z.enum(CONVERSION_TARGETS);

export const conversionQuery = z.strictObject({
  delimiter: z
    .enum(CSV_DELIMITERS)
    .optional()
    .describe('Of a CSV; auto, the default, looks at its first lines'),
  header: z
    .enum(['true', 'false'])
    .transform((it) => it === 'true')
    .optional()
    .describe('Whether the first row of a CSV names its columns; true by default'),
});

export const EXAMPLES = {
  html: '<h1 id="user-content-notes">Notes</h1>\n<p>Some <em>words</em></p>\n',
  text: 'Notes\nSome words\n',
  json: {
    frontMatter: { title: 'Notes', tags: ['a', 'b'] },
    headings: [{ level: 1, text: 'Notes', id: 'user-content-notes' }],
  },
} as const;
