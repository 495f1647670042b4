/** The parsed options of the module. */
export const CDN_OPTIONS = Symbol('@peregrine/cdn:options');
