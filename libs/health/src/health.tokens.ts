/** Injection token of the parsed `HealthOptions`. */
export const HEALTH_OPTIONS = Symbol.for('@peregrine/health:options');
