import { z } from 'zod';
import type { HealthCheck } from './checks/health-check.js';
import { HealthInvalidOptionsError } from './health.errors.js';

const durationMs = z.number().int().min(1).max(86_400_000).optional();

/** The data of a check; `check` itself stays a method of the caller's object, so that `this` survives. */
const checkSchema = z.custom<HealthCheck>(
  (value) =>
    z
      .looseObject({
        name: z.string().regex(/^[a-z][a-z0-9_-]*$/),
        criticality: z.enum(['critical', 'degraded']),
        timeoutMs: durationMs,
        intervalMs: durationMs,
        check: z.custom((it) => typeof it === 'function'),
      })
      .safeParse(value).success,
  'must have a name of a-z, 0-9, - and _, a criticality (critical or degraded), a check function, and durations as whole milliseconds',
);

const schema = z.strictObject({
  /** The dependencies that readiness looks at; more can follow by `HealthService.register`. */
  checks: z.array(checkSchema).default([]),
  /** A delay of the event loop above this is a stall, milliseconds. */
  loopDelayLimitMs: z.number().positive().default(1_000),
  /** What of the heap can be in use, bytes; V8 gives up well below its own figure. @default V8's `heap_size_limit` */
  heapLimitBytes: z.number().int().positive().optional(),
  /** Used heap above this share of `heapLimitBytes` is exhaustion, 0 to 1. */
  heapLimitRatio: z.number().gt(0).max(1).default(0.98),
  /** A stall or exhaustion must last so long without a pause before liveness fails, milliseconds. */
  livenessHoldMs: z.number().int().nonnegative().default(10_000),
  /** Time between two looks at event loop and heap, milliseconds. */
  sampleIntervalMs: z.number().int().positive().default(1_000),
});

/** What the caller gives to `HealthModule.forRoot`. */
export type HealthOptionsInput = z.input<typeof schema>;

/** The parsed options: every default filled in. */
export type HealthOptions = Readonly<z.output<typeof schema>>;

/**
 * Validates the options and fills in the defaults.
 *
 * @throws {HealthInvalidOptionsError} with every problem in the message
 */
export function parseHealthOptions(input: HealthOptionsInput): HealthOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new HealthInvalidOptionsError(`Wrong options for HealthModule:\n${z.prettifyError(parsed.error)}`);
  }
  return Object.freeze(parsed.data);
}

/** @throws {HealthInvalidOptionsError} when the check's shape is wrong */
export function assertHealthCheck(check: HealthCheck): void {
  const parsed = checkSchema.safeParse(check);
  if (!parsed.success) {
    throw new HealthInvalidOptionsError(`Wrong health check: ${z.prettifyError(parsed.error)}`);
  }
}
