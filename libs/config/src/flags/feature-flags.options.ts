import { z } from 'zod';
import { FeatureFlagsInvalidOptionsError } from '../config.errors.js';
import { featureSettings, type FeatureFlagName } from '../concerns/feature.settings.js';
import type { ScopedRollout } from './rollout.js';

const percent = z.number().min(0).max(100);
const rollout = z.union([percent, z.strictObject({ percent, scopes: z.record(z.string(), percent) })]);

const schema = z.strictObject({
  /** Share of keys for which each flag is on, percent from 0 to 100: `settings.features`. */
  rollouts: z.record(z.enum(flagNames()), rollout),
  /** Domain in OpenFeature under which the provider is registered. */
  domain: z.string().min(1).default('peregrine'),
});

/** What the caller gives to `FeatureFlagsModule.forRoot`. */
export interface FeatureFlagsOptionsInput {
  /** Share of keys for which each flag is on, percent from 0 to 100: `settings.features`. */
  readonly rollouts: Readonly<Record<FeatureFlagName, number | ScopedRollout>>;
  /** Domain in OpenFeature under which the provider is registered. @default 'peregrine' */
  readonly domain?: string;
}

/** The parsed options: every default filled in. */
export type FeatureFlagsOptions = Readonly<z.output<typeof schema>>;

/**
 * Validates the options and fills in the defaults.
 *
 * @throws {FeatureFlagsInvalidOptionsError} with every problem in the message
 */
export function parseFeatureFlagsOptions(input: FeatureFlagsOptionsInput): FeatureFlagsOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new FeatureFlagsInvalidOptionsError(
      `Wrong options for FeatureFlagsModule:\n${z.prettifyError(parsed.error)}`,
    );
  }
  return Object.freeze(parsed.data);
}

function flagNames(): FeatureFlagName[] {
  return Object.keys(featureSettings.shape) as FeatureFlagName[];
}
