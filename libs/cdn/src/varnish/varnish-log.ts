/**
 * For `varnishncsa -F`: a line of JSON for each request, as `CdnModule`'s `edgeLog` reads it. Numbers and words of
 * Varnish's own alone: nothing that a client sends can break a line.
 */
export const VARNISH_LOG_FORMAT = '{"cache":"%{Varnish:handling}x","status":%s,"bytes":%O,"seconds":%T}';
