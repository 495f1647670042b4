import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';

/** Headers of a purge request, between the provider and the VCL. */
export const PURGE_HEADERS = {
  token: 'X-Purge-Token',
  /** Of a `PURGE`: mark as stale. */
  soft: 'X-Purge-Soft',
  /** Of a `PURGE`: the host under which the copy is kept. */
  host: 'X-Purge-Host',
  /** Of a `BAN`: a regular expression for the path. */
  url: 'X-Ban-Url',
  /** Of a `BAN`: a regular expression for the surrogate keys, separated by blanks. */
  keys: 'X-Ban-Keys',
} as const;

const address = z
  .string()
  .regex(/^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/, 'must be an IP address or a network, as 10.0.0.0/8');

const schema = z.strictObject({
  /** The api, or the load balancer in front of it. */
  origin: z.strictObject({
    host: z.string().regex(/^[\w.:-]+$/, 'must be a host name or an address'),
    port: z.number().int().min(1).max(65_535),
  }),
  /** From where purges are taken, beside this machine. */
  purgers: z.array(address).default([]),
  /** What purges must bring; visible ASCII. @default none: the address decides */
  token: z
    .string()
    .regex(/^[A-Za-z0-9._~+/=-]{16,256}$/, 'must be 16 to 256 letters, digits and . _ ~ + / = -')
    .optional(),
  /** Headers that tell callers apart. A response to one is only kept when it varies by that header. */
  credentialHeaders: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/))
    .default(['Authorization', 'X-API-Key', 'Cookie']),
  /** How long a stale copy may stand in for an origin that is away, seconds. */
  staleIfErrorSeconds: z.number().int().min(0).max(86_400).default(3_600),
});

export type VarnishVclOptions = z.input<typeof schema>;

/**
 * The configuration of a Varnish (6.6 and newer) in front of our origin: obeys `CDN-Cache-Control` (RFC 9213), says what it
 * did in `Cache-Status` (RFC 9211), and takes the purges of the provider `varnish`.
 *
 * @throws {CdnOptionsError} with every problem
 */
export function renderVarnishVcl(input: VarnishVclOptions): string {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new CdnOptionsError(z.prettifyError(parsed.error));
  const { origin, purgers, token, credentialHeaders, staleIfErrorSeconds } = parsed.data;
  return `vcl 4.1;

import purge;
import std;

backend origin {
    .host = "${origin.host}";
    .port = "${origin.port}";
}

acl purgers {
    "127.0.0.1";
    "::1";
${purgers.map(aclEntry).join('')}}

sub vcl_recv {
    if (req.method == "PURGE" || req.method == "BAN") {
        if (client.ip !~ purgers${token === undefined ? '' : ` || req.http.${PURGE_HEADERS.token} != "${token}"`}) {
            return (synth(403, "Forbidden"));
        }
        if (req.method == "PURGE") {
            if (req.http.${PURGE_HEADERS.host}) {
                set req.http.host = req.http.${PURGE_HEADERS.host};
            }
            return (hash);
        }
        call peregrine_ban;
    }
    unset req.http.X-Purged;
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Looked up with credentials too: only what varies by them was kept for them.
    return (hash);
}

sub peregrine_ban {
    if (req.http.${PURGE_HEADERS.keys}) {
        if (!std.ban("obj.http.Surrogate-Key ~ " + req.http.${PURGE_HEADERS.keys})) {
            return (synth(400, std.ban_error()));
        }
    } elsif (req.http.${PURGE_HEADERS.url}) {
        if (!std.ban("obj.http.X-Url ~ " + req.http.${PURGE_HEADERS.url})) {
            return (synth(400, std.ban_error()));
        }
    } else {
        return (synth(400, "Neither keys nor a path"));
    }
    return (synth(200, "Banned"));
}

sub vcl_hit {
    call peregrine_purge;
}

sub vcl_miss {
    call peregrine_purge;
}

sub peregrine_purge {
    if (req.method == "PURGE") {
        if (req.http.${PURGE_HEADERS.soft}) {
            set req.http.X-Purged = purge.soft(0s);
        } else {
            set req.http.X-Purged = purge.hard();
        }
        return (synth(200, "Purged"));
    }
}

sub vcl_backend_response {
    # For bans, which then need no request to be checked against.
    set beresp.http.X-Url = bereq.url;
    set beresp.grace = 0s;
    set beresp.keep = ${staleIfErrorSeconds}s;
    if (beresp.http.Set-Cookie || beresp.http.Vary ~ "\\*") {
        call peregrine_uncacheable;
    }
${credentialHeaders.map(credentialRule).join('')}    if (beresp.http.CDN-Cache-Control) {
        # The targeted field decides alone (RFC 9213, section 2.2).
        if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])(no-store|no-cache|private)([ ,=]|$)") {
            call peregrine_uncacheable;
        }
        if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])max-age=[0-9]+") {
            set beresp.ttl = std.duration(
                regsub(beresp.http.CDN-Cache-Control, "(?i)^(?:.*[ ,])?max-age=([0-9]+).*$", "\\1") + "s", 0s);
        }
        if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])stale-while-revalidate=[0-9]+") {
            set beresp.grace = std.duration(
                regsub(beresp.http.CDN-Cache-Control, "(?i)^(?:.*[ ,])?stale-while-revalidate=([0-9]+).*$", "\\1") + "s", 0s);
        }
    } elsif (beresp.http.Cache-Control ~ "(?i)(^|[ ,])(no-store|no-cache|private)([ ,=]|$)") {
        call peregrine_uncacheable;
    }
    if (beresp.ttl <= 0s) {
        call peregrine_uncacheable;
    }
    return (deliver);
}

# Remembered for a while, so that requests for it do not wait for each other.
sub peregrine_uncacheable {
    set beresp.ttl = 120s;
    set beresp.uncacheable = true;
    return (deliver);
}

sub vcl_deliver {
    if (obj.hits > 0) {
        call peregrine_hit;
    } else {
        call peregrine_miss;
    }
    unset resp.http.X-Url;
    unset resp.http.Surrogate-Key;
    unset resp.http.Cache-Tag;
    unset resp.http.Via;
    unset resp.http.X-Varnish;
}

sub peregrine_hit {
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; hit";
    } else {
        set resp.http.Cache-Status = "varnish; hit";
    }
}

sub peregrine_miss {
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; fwd=miss";
    } else {
        set resp.http.Cache-Status = "varnish; fwd=miss";
    }
}
`;
}

function aclEntry(network: string): string {
  const [host = '', bits] = network.split('/');
  return bits === undefined ? `    "${host}";\n` : `    "${host}"/${bits};\n`;
}

/** RFC 9111, section 3.5, and more: what is for one caller must not be found by another. */
function credentialRule(header: string): string {
  const isAllowed =
    `beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])public([ ,]|$)"` +
    ` && beresp.http.Vary ~ "(?i)(^|[ ,])${header}([ ,]|$)"`;
  return `    if (bereq.http.${header} && !(${isAllowed})) {
        call peregrine_uncacheable;
    }
`;
}
