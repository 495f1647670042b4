import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';

const milliseconds = z.number().int().positive().max(2_147_483_647);

const probeSchema = z.strictObject({
  /** Where the CDN answers: scheme, host and port. */
  baseUrl: z.url({ protocol: /^https?$/ }),
  /** Looked at after purges that name no path: tags, wildcards, everything. */
  paths: z.array(z.string().startsWith('/')).max(10).default([]),
  /** How often one path is looked at before the purge is sent again. */
  attempts: z.number().int().min(1).max(20).default(4),
  /** Before the second look; doubles with each, milliseconds. */
  delayMs: milliseconds.default(500),
});

const schema = z.strictObject({
  /** Of one request to a provider, milliseconds. */
  timeoutMs: milliseconds.default(10_000),
  retry: z
    .strictObject({
      /** Before the second attempt; doubles with each, milliseconds. */
      delayMs: milliseconds.default(1_000),
      maxDelayMs: milliseconds.default(300_000),
    })
    .prefault({}),
  /** A purge that did not succeed for so long fails for good, milliseconds from the first call. */
  giveUpAfterMs: milliseconds.default(86_400_000),
  /** Proof that the CDN answers with a fresh copy. Without it a purge is done when the provider says so. */
  probe: probeSchema.optional(),
});

export type InvalidationOptionsInput = z.input<typeof schema>;
export type InvalidationOptions = Readonly<z.output<typeof schema>>;
export type ProbeOptions = Readonly<z.output<typeof probeSchema>>;

/** @throws {CdnOptionsError} with every problem */
export function parseInvalidationOptions(input: InvalidationOptionsInput = {}): InvalidationOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new CdnOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
}
