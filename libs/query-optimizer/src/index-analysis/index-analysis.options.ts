import { z } from 'zod';
import { InvalidQueryOptimizerOptionsError } from '../query-optimizer.errors.js';

const schema = z.strictObject({
  /** Connection strings of the replicas, whose use of an index counts as well. @default those of the optimizer */
  replicas: z.array(z.string().min(1)).default([]),
  /** For each look into the catalogue, and for each replica. Milliseconds. */
  timeoutMs: z.number().int().positive().max(2_147_483_647).default(10_000),
  /** With shorter statistics "unused" comes with a caution. Days. */
  unusedAfterDays: z.number().nonnegative().default(7),
  bloat: z
    .strictObject({
      /** Smaller indexes are left alone. */
      minBytes: z.number().int().nonnegative().default(1_048_576),
      /** Share of the index that building it anew would free. */
      minShare: z.number().min(0).max(1).default(0.4),
      /** How much of the indexes pgstattuple may read; the others are estimated. */
      readBytes: z.number().int().nonnegative().default(268_435_456),
    })
    .prefault({}),
});

export type IndexAnalysisOptionsInput = z.input<typeof schema>;
export type IndexAnalysisOptions = Readonly<z.output<typeof schema>>;

/** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
export function parseIndexAnalysisOptions(input: IndexAnalysisOptionsInput): IndexAnalysisOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidQueryOptimizerOptionsError(
    parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`),
  );
}
