/** The parsed, frozen options. Services inject this, never the raw input. */
export const CACHE_OPTIONS = Symbol.for('@peregrine/cache:options');
