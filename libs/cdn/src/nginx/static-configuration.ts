import { type PolicyTable } from '../policy/policy-table.js';
import { renderBase, renderListen, REQUEST_FIELDS } from './nginx-base.js';
import { indented, quoted } from './nginx-text.js';
import { type NginxStaticOptions, parseStaticOptions } from './nginx.options.js';
import { renderPolicyMaps } from './policy-maps.js';

const FAILURES = [400, 403, 404, 405, 412, 416, 500] as const;
const FAILURE_TEXT: Readonly<Record<(typeof FAILURES)[number], string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  412: 'Precondition Failed',
  416: 'Range Not Satisfiable',
  500: 'Internal Server Error',
};

/**
 * A configuration of nginx (1.19.4 and newer) that serves a folder with the headers of the policy table, from the same
 * precompressed neighbours as the origin. Where it differs: the entity tag is made of time and size, not of the
 * content; a spelling that is not canonical is not found instead of redirected; a compressed answer has no ranges, and a 416
 * the headers of the file (nginx adds headers before it looks at ranges).
 *
 * @throws {CdnOptionsError} for wrong options, and for a policy that nginx cannot send
 */
export function renderNginxStatic(table: PolicyTable, input: NginxStaticOptions): string {
  const options = parseStaticOptions(input);
  const { root, prefix, brotli } = options;
  const { maps, headers } = renderPolicyMaps(table);
  const folder = root.replace(/\/$/, '');
  const server = `${renderListen(options)}
sendfile on;
tcp_nopush on;
etag on;
# Precompressed neighbours only: what is compressed on the way has no strong entity tag and no ranges.
gzip off;
gzip_static on;
${brotli ? 'brotli_static on;\n' : ''}# Vary is the policy's.
gzip_vary off;
# Nothing outside of the folder, links included, and one spelling for each file.
disable_symlinks on from=${folder || '/'};
merge_slashes off;
absolute_redirect off;
open_file_cache max=10000 inactive=60s;
open_file_cache_valid 1s;

${headers}
${FAILURES.map((it) => `error_page ${it} @failure_${it};\n`).join('')}
location ~ "//|/\\." {
    return 404;
}

# The compressed form of a file is no resource of its own.
location ~ ${quoted(`^${prefix}(?<cdn_file>(?<cdn_base>/.+)\\.(?:br|zst|gz))$`)} {
    if (-f ${folder}$cdn_base) {
        return 404;
    }
${indented(renderFiles(`${folder}$cdn_file`))}}

location ${prefix}/ {
${indented(renderFiles(`${folder}/`))}}
${prefix === '' ? '' : `\nlocation / {\n    return 404;\n}\n`}
${FAILURES.map(renderFailure).join('')}`;
  return renderBase(options, `${maps}\nserver {\n${indented(server)}}\n`, REQUEST_FIELDS);
}

function renderFiles(alias: string): string {
  return `if ($request_method !~ "^(?:GET|HEAD)$") {
    return 405;
}
alias ${alias};
index index.html;
`;
}

/** Its headers are those of the server: the maps know the status. */
function renderFailure(status: (typeof FAILURES)[number]): string {
  return `location @failure_${status} {
    types { }
    default_type "text/plain; charset=utf-8";
    return ${status} "${FAILURE_TEXT[status]}\\n";
}
`;
}
