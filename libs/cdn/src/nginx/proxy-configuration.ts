import { type Forgetting, renderForgetting } from './forgetting.js';
import { renderBase, renderListen } from './nginx-base.js';
import { indented, renderMap } from './nginx-text.js';
import { type NginxProxyOptions, type ParsedProxyOptions, parseProxyOptions } from './nginx.options.js';

const ZONE = 'answers';
const KEY = '$scheme $http_host $request_uri';

/**
 * A configuration of nginx as a caching proxy in front of the api: it keeps what `Cache-Control` lets shared caches keep, and
 * nothing that needs a credential. It knows `CDN-Cache-Control` only as a refusal. The cache's keys end in the path, which
 * is what the provider `nginx-cache` finds files by.
 *
 * @throws {CdnOptionsError}
 */
export function renderNginxProxy(input: NginxProxyOptions = {}): string {
  const options = parseProxyOptions(input);
  const { upstreams, cache, maxBodySize } = options;
  const forgetting = renderForgetting(options, ZONE, KEY);
  const http = `# Compression belongs to who knows the right Vary and ETag: the origin.
gzip off;
# A file above 1 MB streams in both directions.
client_max_body_size ${maxBodySize};
client_body_timeout 60s;

upstream api {
${upstreams.map((it) => `    server ${it} max_fails=0;\n`).join('')}    # Below the api's own keep-alive time, so that nginx is the one that closes.
    keepalive 64;
    keepalive_timeout 4s;
}

proxy_cache_path ${cache.folder} levels=1:2 keys_zone=${ZONE}:${cache.keys} max_size=${cache.maxSize}
    inactive=${cache.inactiveSeconds}s use_temp_path=off;

${renderMaps(options)}
${forgetting.http}
server {
${indented(renderServer(options, forgetting))}}
`;
  return renderBase(options, http, [
    ['requestId', '"$forwarded_request_id"'],
    ['cache', '"$upstream_cache_status"'],
    ['upstreamSeconds', '"$upstream_response_time"'],
    ...forgetting.logFields,
  ]);
}

function renderMaps({ credentialHeaders }: ParsedProxyOptions): string {
  const credentials = credentialHeaders
    .map((it) => `$http_${it.toLowerCase().replaceAll('-', '_')}`)
    .join('');
  return [
    '# A request id from outside is passed on when it is harmless, else nginx makes one.',
    renderMap('$http_x_request_id', '$forwarded_request_id', [
      ['default', '$request_id'],
      ['"~^[A-Za-z0-9._-]{8,128}$"', '$http_x_request_id'],
    ]),
    '# Who has a credential passes by the cache, with its conditions and ranges, which a cache would keep to itself.',
    renderMap(`"${credentials}"`, '$cache_zone', [
      ['""', ZONE],
      ['default', 'off'],
    ]),
    '# What nginx would keep although the answer says otherwise: RFC 9213, and RFC 9111, sections 4.1 and 4.2.3.',
    renderMap('$upstream_http_cdn_cache_control', '$refused_by_target', [
      ['default', '0'],
      ['"~*(?:^|[ ,])(?:no-store|no-cache|private)(?:[ ,=]|$)"', '1'],
    ]),
    '# The older name of it.',
    renderMap('$upstream_http_surrogate_control', '$refused_by_surrogate', [
      ['default', '0'],
      ['"~*(?:^|[ ,])(?:no-store|max-age=0)(?:[ ,;]|$)"', '1'],
    ]),
    renderMap('$upstream_http_vary', '$refused_by_vary', [
      ['default', '0'],
      [String.raw`"~\*"`, '1'],
    ]),
    renderMap('$upstream_http_age', '$refused_by_age', [
      ['default', '1'],
      ['""', '0'],
      // Of a list the first counts.
      ['"~^0(?:[ ,]|$)"', '0'],
    ]),
    // Over as soon as it was made.
    renderMap(
      '"$upstream_http_cache_control|$upstream_http_expires|$upstream_http_date"',
      '$refused_by_expires',
      [
        ['default', '0'],
        [String.raw`"~^\|(.+)\|\1$"`, '1'],
      ],
    ),
    // A status that is not understood must not be kept then: RFC 9111, section 5.2.2.3.
    renderMap('"$upstream_status $upstream_http_cache_control"', '$refused_by_status', [
      ['default', '0'],
      ['"~*^(?!20[0346] |30[018] |40[45] |41[04] |501 ).*must-understand"', '1'],
    ]),
    '# RFC 9211.',
    renderMap('$upstream_cache_status', '$cache_status', [
      ['default', '""'],
      ['HIT', '"nginx; hit"'],
      ['MISS', '"nginx; fwd=miss"'],
      ['BYPASS', '"nginx; fwd=bypass"'],
      ['EXPIRED', '"nginx; fwd=stale"'],
      ['REVALIDATED', '"nginx; fwd=stale; fwd-status=304"'],
      ['STALE', '"nginx; hit; ttl=-1"'],
      ['UPDATING', '"nginx; hit; ttl=-1"'],
    ]),
  ].join('\n');
}

function renderServer(options: ParsedProxyOptions, forgetting: Forgetting): string {
  const hidden = options.hiddenPaths.map((it) => `location ^~ ${it} {\n    return 404;\n}\n`).join('\n');
  const streamed = options.streamedPaths.map(renderStreamed).join('');
  return `${renderListen(options)}
proxy_http_version 1.1;
# Empty, so that the connection to the api stays open.
proxy_set_header Connection "";
proxy_set_header Host $http_host;
proxy_set_header X-Request-Id $forwarded_request_id;
# Set, not appended: what a client says of its own address is not to be trusted here.
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_request_buffering off;
proxy_max_temp_file_size 0;
proxy_connect_timeout 3s;
proxy_read_timeout 60s;
proxy_send_timeout 60s;
# What the origin says of the time of its answer stays: with it, whoever keeps the answer knows how old it is.
proxy_pass_header Date;
# As RFC 9110 wants it: not changed since then, and not at that very second.
if_modified_since before;

# Only what nginx itself answers; the api's errors pass through.
error_page 413 @too_large;
error_page 502 504 =503 @unavailable;
${forgetting.server}
# For the inside.
${hidden}
location = /nginx-health {
    access_log off;
    default_type text/plain;
    return 200 ok;
}
${streamed}
location / {
${indented(forgetting.location)}    proxy_pass http://api;
    proxy_cache $cache_zone;
    proxy_cache_key "${KEY}";
    # One request fetches what many ask for.
    proxy_cache_lock on;
    proxy_cache_revalidate on;
    # Stale answers are given where the answer itself allows it (stale-while-revalidate, stale-if-error).
    proxy_cache_background_update on;
    proxy_no_cache $refused_by_target $refused_by_surrogate $refused_by_vary $refused_by_age $refused_by_expires $refused_by_status;
    add_header Cache-Status $cache_status always;
}
${forgetting.locations}

location @too_large {
    internal;
    default_type application/problem+json;
    return 413 '{"type":"about:blank","title":"Payload Too Large","status":413,"code":"PAYLOAD_TOO_LARGE","requestId":"$forwarded_request_id"}';
}

location @unavailable {
    internal;
    default_type application/problem+json;
    add_header Retry-After 1 always;
    return 503 '{"type":"about:blank","title":"Service Unavailable","status":503,"code":"API_UNAVAILABLE","requestId":"$forwarded_request_id"}';
}
`;
}

/** By the cache's lock, whoever asks for the same would wait until it is known that the answer is not to be kept. */
function renderStreamed(path: string): string {
  return `
location ^~ ${path} {
    proxy_pass http://api;
    proxy_cache off;
    proxy_buffering off;
}
`;
}
