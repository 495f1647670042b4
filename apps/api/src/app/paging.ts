import { z } from 'zod';

/** A whole number in a query string. */
const limit = (byDefault: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from 1 to ${max}`)
    .transform(Number)
    .pipe(z.int().min(1).max(max))
    .default(byDefault)
    .describe(`How many at most: 1 to ${max}, ${byDefault} by default`);

/** The query of a list that is served page by page. */
export const pageQuery = (byDefault: number, max: number) =>
  z.strictObject({
    limit: limit(byDefault, max),
    cursor: z
      .string()
      .max(8_192)
      .optional()
      .describe('nextCursor or previousCursor of another page of the same list'),
  });

/** One page of `item`s. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Of the page after this one; null on the last'),
    previousCursor: z.string().nullable().describe('Of the page before this one; null on the first'),
  });
