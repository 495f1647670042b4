import { REQUEST_FIELDS } from './nginx-base.js';
import { indented, renderMap } from './nginx-text.js';
import type { ParsedProxyOptions } from './nginx.options.js';

/** Who answers for what is to be forgotten: this nginx itself. */
const FORGETTER = 'forgetter';
const TOMBSTONE = '/nginx-forgotten';
const FORGET = '/nginx-forget';
const KEY_HEADER = 'X-Forget-Key';

/** Where each part of the configuration stands. */
export interface Forgetting {
  /** At the level of `http`. */
  readonly http: string;
  /** Of the server. */
  readonly server: string;
  /** In the location that takes all methods, before everything else. */
  readonly location: string;
  readonly locations: string;
  /** What a line of the log says of the request. */
  readonly logFields: readonly (readonly [name: string, value: string])[];
}

/**
 * A write makes kept answers old (RFC 9111, section 4.4): for its target, and for what its `Location` and
 * `Content-Location` name on the same host. nginx has no directive for that, so after the answer to an unsafe method it asks
 * itself for an answer that is over since 1970, and keeps that one in place of the old one.
 *
 * `post_action` is what runs after an answer; nginx's documentation leaves it out.
 *
 * @param zone of the cache
 * @param key of its entries, with `$request_uri` in it
 */
export function renderForgetting(options: ParsedProxyOptions, zone: string, key: string): Forgetting {
  if (!options.forgetWritten) {
    return { http: '', server: '', location: '', locations: '', logFields: REQUEST_FIELDS };
  }
  return {
    http: `${renderForgetter(options)}\n${renderForgettingMaps()}`,
    server: 'recursive_error_pages on;\nerror_page 418 = @write;\n',
    location: HAND_OVER_WRITES,
    locations: `\n${renderForgettingLocations(zone, key)}`,
    logFields: [
      ['method', '"$log_method"'],
      ['uri', '"$log_uri"'],
      ['status', '$log_status'],
    ],
  };
}

function renderForgettingMaps(): string {
  const sameHost = (header: string, name: string) =>
    renderMap(`"$http_host|$upstream_http_${header}"`, `$${name}`, [
      ['default', '""'],
      [String.raw`"~^[^|]*\|(?<${name}_path>/(?!/)[^#]*)"`, `$${name}_path`],
      [
        String.raw`"~*^(?<${name}_host>[^|]+)\|https?://\k<${name}_host>(?<${name}_rest>/[^#]*)"`,
        `$${name}_rest`,
      ],
    ]);
  return [
    '# Methods that may change something, and whether they have.',
    renderMap('$request_method', '$is_write', [
      ['default', '1'],
      ['"~^(?:GET|HEAD|OPTIONS|TRACE)$"', '0'],
    ]),
    renderMap('$upstream_status', '$has_failed', [
      ['default', '1'],
      ['"~^[23]"', '0'],
    ]),
    sameHost('location', 'written_location'),
    sameHost('content_location', 'written_content'),
    '# Who else could ask for that: it comes from here, and nobody has forwarded it.',
    renderMap('"$remote_addr|$server_addr|$http_x_forwarded_for$http_forwarded$http_via"', '$is_stranger', [
      ['default', '1'],
      [String.raw`"~^(?<own_address>[^|]+)\|\k<own_address>\|$"`, '0'],
    ]),
    '# Of the answer that the client got; what comes after it is not for the log.',
    renderMap('$seen_status', '$log_status', [
      ['""', '$status'],
      ['default', '$seen_status'],
    ]),
    renderMap('$seen_method', '$log_method', [
      ['""', '$request_method'],
      ['default', '$seen_method'],
    ]),
    renderMap('$seen_method', '$log_uri', [
      ['""', '$uri'],
      ['default', '$seen_uri'],
    ]),
    '# Of answers that wrote nothing.\nuninitialized_variable_warn off;\n',
  ].join('\n');
}

function renderForgetter({ listen }: ParsedProxyOptions): string {
  return `# This server, for what it asks itself.
upstream ${FORGETTER} {
    server ${typeof listen === 'number' ? `127.0.0.1:${listen}` : listen};
    keepalive 4;
}
`;
}

const HAND_OVER_WRITES = `if ($is_write) {
    return 418;
}
`;

function renderForgettingLocations(zone: string, key: string): string {
  const keyOf = (path: string) => key.replace('$request_uri', path);
  const ifNamed = (variable: string) =>
    `if (${variable} = "") {\n    return 204;\n}\n${askToForget(keyOf(variable))}`;
  const location = (name: string, body: string) => `location ${name} {\n${indented(body)}}\n`;
  const written = `${SEEN}${askToForget(keyOf('$request_uri'))}post_action @written_location;\n`;
  return [
    location('@write', 'proxy_pass http://api;\npost_action @written;\n'),
    location('@written', written),
    location('@written_location', `${ifNamed('$forgotten_location')}post_action @written_content;\n`),
    location('@written_content', ifNamed('$forgotten_content')),
    '# What comes after an answer is not kept, but what that asks for is.',
    location(`= ${FORGET}`, renderForget(zone)),
    // A failure: no cache in between takes it for something.
    location(`= ${TOMBSTONE}`, 'access_log off;\nadd_header X-Accel-Expires @1 always;\nreturn 410;\n'),
  ].join('\n');
}

/** Before the next request takes the place of the one that was answered. */
const SEEN = `set $seen_status $status;
set $seen_method $request_method;
set $seen_uri $uri;
set $forgotten_location $written_location;
set $forgotten_content $written_content;
if ($has_failed) {
    return 204;
}
`;

function askToForget(key: string): string {
  return `rewrite ^ ${FORGET} break;
proxy_pass http://${FORGETTER};
proxy_method GET;
proxy_pass_request_headers off;
proxy_pass_request_body off;
proxy_set_header Connection "";
proxy_set_header ${KEY_HEADER} "${key}";
`;
}

function renderForget(zone: string): string {
  return `access_log off;
if ($is_stranger) {
    return 404;
}
proxy_pass http://${FORGETTER}${TOMBSTONE};
proxy_pass_request_headers off;
proxy_cache ${zone};
proxy_cache_key "$http_${KEY_HEADER.toLowerCase().replaceAll('-', '_')}";
proxy_cache_bypass 1;
proxy_cache_lock off;
`;
}
