import { type FeatureFlagName, type FeatureFlags, featureSettings } from '@peregrine/config';
import { type FlagFigures } from '@peregrine/console';
import { type FeatureOverrides } from '@peregrine/runtime';

/** The features that there are. */
export const FLAGS = Object.keys(featureSettings.shape) as [FeatureFlagName, ...FeatureFlagName[]];

export function flagFigures(flags: FeatureFlags, overrides: FeatureOverrides): FlagFigures[] {
  return FLAGS.map((name) => {
    const { configured, inForce } = flags.describe(name);
    const { variable, description } = featureSettings.shape[name];
    return {
      name,
      variable,
      description,
      configured: configured.percent,
      inForce: inForce.percent,
      scopes: { ...inForce.scopes },
      isOverridden: overrides.get(name) !== undefined,
    };
  });
}
