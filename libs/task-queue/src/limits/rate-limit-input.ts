import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InvalidRateLimitError } from '../task-queue.errors.js';

const MAX_PER_SECOND = 1_000_000;
/** A year. */
const MAX_PAUSE_MS = 31_536_000_000;

const NAME = /^[\w.-]{1,100}$/;

const schema = z
  .strictObject({
    key: z.string().min(1).max(10_000).optional(),
    cost: z.int().min(1).max(MAX_PER_SECOND).default(1),
    ratePerSecond: z.number().min(1e-6).max(MAX_PER_SECOND).default(100),
    burst: z.int().min(1).max(MAX_PER_SECOND).default(200),
    maxWaitMs: z.int().nonnegative().max(MAX_PAUSE_MS).optional(),
  })
  .refine((it) => it.cost <= it.burst, {
    path: ['cost'],
    message: 'must not be more than burst, or it could never be granted',
  });

/** What is taken from which bucket. The same name and key should always come with the same numbers. */
export interface RateLimitRequest {
  /** Any text; each key has a bucket of its own. Without it the limit has a single one. */
  readonly key?: string | undefined;
  /** Tokens to take, 1 to `burst`. @default 1 */
  readonly cost?: number | undefined;
  /** Tokens that flow in, above 0, at most a million. @default 100 */
  readonly ratePerSecond?: number | undefined;
  /** Tokens that the bucket holds, at most a million. @default 200 */
  readonly burst?: number | undefined;
}

export type ParsedRateLimit = Readonly<z.output<typeof schema>>;

/** @throws {InvalidRateLimitError} with every problem */
export function parseRateLimit(
  name: string,
  input: RateLimitRequest & { readonly maxWaitMs?: number | undefined },
): ParsedRateLimit {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidRateLimitError(name, z.prettifyError(parsed.error), { cause: parsed.error });
}

/** Whole microseconds. @throws {InvalidRateLimitError} */
export function parsePauseUs(name: string, pauseMs: number): number {
  if (pauseMs >= 0 && pauseMs <= MAX_PAUSE_MS) return Math.ceil(pauseMs * 1_000);
  throw new InvalidRateLimitError(name, `a pause lasts 0 to ${MAX_PAUSE_MS} ms, got ${pauseMs}`);
}

/**
 * The bucket's name in the store. Keys are hashed: they may be long, be personal, or hold what PostgreSQL refuses.
 *
 * @throws {InvalidRateLimitError}
 */
export function bucketOf(name: string, key: string | undefined): string {
  if (!NAME.test(name)) {
    throw new InvalidRateLimitError(name, 'a name has 1 to 100 characters out of A-Z a-z 0-9 _ . -');
  }
  if (key === undefined) return name;
  return `${name}/${createHash('sha256').update(key).digest('base64url').slice(0, 27)}`;
}
