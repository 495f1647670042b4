import { z } from 'zod';
import { InvalidPurgeTargetError } from './invalidation.errors.js';
import { type PurgeKind } from '../providers/purge-provider.js';
import { surrogateKeyOf } from './surrogate-keys.js';

const MAX_PATH_LENGTH = 2_048;
const MAX_TAG_LENGTH = 1_024;
const MAX_VALUES = 10_000;

/** What stands in a request line: visible ASCII without the fragment, the asterisk, and what URLs have percent-encoded. */
const PATH = /^\/[!$-)+-;=?-[\]_a-z~]*$/;
/** The same without a query, which no provider takes in a wildcard. */
const WILDCARD = /^\/[!$-)+-;=@-[\]_a-z~]*\*$/;

const pathSchema = z
  .string()
  .max(MAX_PATH_LENGTH)
  .regex(PATH, 'must be a path as in a URL: it begins with /, is percent-encoded, and has no * or #');
const wildcardSchema = z
  .string()
  .max(MAX_PATH_LENGTH)
  .regex(WILDCARD, 'must be a path that ends with its only *, as /images/*');
const tagSchema = z.string().min(1).max(MAX_TAG_LENGTH);

/** What to invalidate. At least one of the four. */
export const invalidationRequestSchema = z
  .strictObject({
    /** Paths, with the query where it matters: `/app.css`, `/list?page=2`. */
    paths: z.array(pathSchema).max(MAX_VALUES).optional(),
    /** Everything that begins so: `/images/*`. */
    wildcards: z.array(wildcardSchema).max(MAX_VALUES).optional(),
    /** Everything that carries one of these cache tags. */
    tags: z.array(tagSchema).max(MAX_VALUES).optional(),
    everything: z.literal(true).optional(),
    /** Mark as stale instead of removing, where the provider can. */
    soft: z.boolean().default(false),
    /** Names of providers; all without it. */
    providers: z.array(z.string()).min(1).optional(),
  })
  .refine(
    ({ paths = [], wildcards = [], tags = [], everything }) =>
      everything === true || paths.length + wildcards.length + tags.length > 0,
    { message: 'name at least one of paths, wildcards, tags, or everything: true' },
  );

export type InvalidationRequest = z.input<typeof invalidationRequestSchema>;

/** One thing to purge, as providers know it. */
export interface PurgeTarget {
  readonly kind: PurgeKind;
  /** A path, a wildcard or a surrogate key; empty for everything. */
  readonly value: string;
}

export interface ParsedInvalidation {
  /** Without doubles, sorted, so that two callers lock the same rows in the same order. */
  readonly targets: readonly PurgeTarget[];
  readonly soft: boolean;
  /** `undefined`: all. */
  readonly providers: readonly string[] | undefined;
}

/** @throws {InvalidPurgeTargetError} with every problem */
export function parseInvalidation(input: InvalidationRequest): ParsedInvalidation {
  const parsed = invalidationRequestSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join('.'));
    throw new InvalidPurgeTargetError(problems, { cause: parsed.error });
  }
  const { paths = [], wildcards = [], tags = [], everything, soft, providers } = parsed.data;
  if (everything === true || wildcards.includes('/*')) {
    return { targets: [{ kind: 'everything', value: '' }], soft, providers };
  }
  const values = [
    ...[...new Set(paths)].sort().map((value) => ({ kind: 'path' as const, value })),
    ...[...new Set(tags.map(surrogateKeyOf))].sort().map((value) => ({ kind: 'tag' as const, value })),
    ...[...new Set(wildcards)].sort().map((value) => ({ kind: 'wildcard' as const, value })),
  ];
  return { targets: values, soft, providers };
}
