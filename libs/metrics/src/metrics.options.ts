import { z } from 'zod';
import { type MetricSource } from './metric-source.js';
import { MetricsOptionsError } from './metrics.errors.js';

const isSource = (it: unknown): boolean =>
  typeof it === 'object' &&
  it !== null &&
  typeof (it as MetricSource).name === 'string' &&
  typeof (it as MetricSource).collect === 'function';

const schema = z.strictObject({
  /** Sources known at start; more can be registered later. */
  sources: z
    .array(z.custom<MetricSource>(isSource, 'a source has a name and a collect()'))
    .readonly()
    .default([]),
  /** Labels on every series, such as `{ app: 'api' }`. */
  defaultLabels: z
    .record(z.string().regex(/^(?!__)[a-zA-Z_]\w*$/, 'is no label name'), z.string())
    .readonly()
    .default({}),
  /** A request that takes longer is logged and counted as slow, milliseconds. */
  slowRequestMs: z.number().positive().max(3_600_000).default(500),
  /** Upper bound of the HTTP label sets beside those of the application's own routes, and of one family of a source. */
  maxLabelSets: z.number().int().min(1).max(20_000).default(1_000),
  /** What one source may take within a scrape, milliseconds. */
  sourceTimeoutMs: z.number().int().min(1).max(60_000).default(1_000),
  /** What a scraper has to present as `Authorization: Bearer <key>`; without it see `localOnly`. Visible ASCII. */
  accessKey: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'has at least 16 visible ASCII characters')
    .optional(),
  /** Without a key: only callers on this machine, not through a proxy, may scrape. */
  localOnly: z.boolean().default(true),
  /** What of the heap can be in use, bytes. @default `heapLimitBytes()`, which does not know of `NODE_OPTIONS` */
  heapLimitBytes: z.number().int().positive().optional(),
  /** Adds CPU, memory, event loop, garbage collection and handles of this process. */
  processMetrics: z.boolean().default(true),
});

/** What `MetricsModule.forRoot` takes, beside `isGlobal` and `path`. */
export type MetricsOptionsInput = z.input<typeof schema>;

/** The options with every default filled in, frozen. */
export type MetricsOptions = Readonly<z.output<typeof schema>>;

/**
 * Fills in the defaults.
 *
 * @throws {MetricsOptionsError} with every problem at once, unknown names included
 */
export function parseMetricsOptions(input: MetricsOptionsInput = {}): MetricsOptions {
  const result = schema.safeParse(input);
  if (result.success) return Object.freeze(result.data);
  const issues = result.error.issues.map((it) => `${it.path.join('.') || 'options'}: ${it.message}`);
  throw new MetricsOptionsError(issues, { cause: result.error });
}
