/** Injection token of the parsed `FeatureFlagsOptions`. */
export const FEATURE_FLAGS_OPTIONS = Symbol.for('@peregrine/config:feature-flags-options');
