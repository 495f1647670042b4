import { mimes } from 'mrmime';
import { mediaTypeOf, type Policy, type PolicyTable } from '../policy/policy-table.js';
import { escapeRegExp, quoted, quotedValue, renderMap } from './nginx-text.js';

/** Sent with failures too: how a browser treats what it gets. */
const ON_FAILURES = new Set(['x-content-type-options']);
const CACHING = ['Cache-Control', 'CDN-Cache-Control', 'Vary'];
/** nginx adds no header without a value. */
const NONE = '""';
/** The status changes when a range turns out not to be there. */
const VOLATILE = ['volatile', ''] as const;
/** nginx has sent its headers by then. */
const OUT_OF_RANGE = ['416', NONE] as const;

interface HeaderRule {
  readonly name: string;
  readonly variable: string;
}

/**
 * The policy table as maps of nginx: of the path to its resource type, of that to each header, and of the status to
 * whether the header is sent. What an origin sends for the same path and status is the same, header for header.
 */
export function renderPolicyMaps(table: PolicyTable): { readonly maps: string; readonly headers: string } {
  const names = headerNamesOf(table);
  const rules = names.map((name): HeaderRule => ({ name, variable: `$cdn_${variableOf(name)}` }));
  const maps = [
    renderTypes(),
    renderResourceType(table),
    renderHashed(table),
    ...rules.map((it) => renderHeader(table, it)),
  ];
  // A 405 names the methods (RFC 9110, section 15.5.6).
  maps.push(renderMap('$status', '$cdn_allow', [VOLATILE, ['default', NONE], ['405', '"GET, HEAD"']]));
  const headers = [...rules, { name: 'Allow', variable: '$cdn_allow' }];
  return {
    maps: maps.join('\n'),
    headers: headers.map(({ name, variable }) => `add_header ${name} ${variable} always;\n`).join(''),
  };
}

/** Media types by extension, the same as the origin's. */
function renderTypes(): string {
  const byType = Map.groupBy(Object.keys(mimes), (extension) => mediaTypeOf(`a.${extension}`));
  const lines = [...byType].map(([type, extensions]) => `    ${quoted(type)} ${extensions.join(' ')};\n`);
  return `types {\n${lines.join('')}}\ndefault_type application/octet-stream;\n`;
}

/** Whole names count before extensions, and the first type that claims one has it. */
function renderResourceType({ rules }: PolicyTable): string {
  const other = rules.at(-1)?.type ?? '';
  const byName = rules.flatMap(({ type, names }) =>
    names.map((it) => [quoted(`~*/${escapeRegExp(it)}$`), type] as const),
  );
  const byExtension = rules
    .filter(({ extensions }) => extensions.length > 0)
    .map(({ type, extensions }) => [quoted(String.raw`~*\.(?:${extensions.join('|')})$`), type] as const);
  return renderMap('$uri', '$cdn_type', [['default', other], ...byName, ...byExtension]);
}

function renderHashed({ hashedName }: PolicyTable): string {
  return renderMap('$uri', '$cdn_hashed', [
    ['default', 'stable'],
    [quoted(`~${hashedName}`), 'hashed'],
  ]);
}

function renderHeader({ rules }: PolicyTable, { name, variable }: HeaderRule): string {
  const policies = rules.flatMap(({ stable, hashed }) => [stable, hashed]);
  const byType = policies.flatMap((policy): [string, string][] => {
    const value = valueOf(policy, name);
    const key = quoted(`${policy.type} ${policy.isHashed ? 'hashed' : 'stable'}`);
    return value === undefined ? [] : [[key, quotedValue(value)]];
  });
  return [
    renderMap('"$cdn_type $cdn_hashed"', `${variable}_of_type`, [['default', NONE], ...byType]),
    renderMap('$status', variable, statusLines(name, `${variable}_of_type`, policies)),
  ].join('');
}

/** When a header is sent: the caching ones with what they are for and with a 304, the others with a body. */
function statusLines(
  name: string,
  ofType: string,
  policies: readonly Policy[],
): readonly (readonly [string, string])[] {
  const always = (missing: string, sent: string) =>
    [VOLATILE, ['default', missing], OUT_OF_RANGE, [sent, ofType]] as const;
  const lower = name.toLowerCase();
  if (lower === 'cache-control') return always('no-store', '~^(?:200|206|304)$');
  if (lower === 'cdn-cache-control') return always(NONE, '~^(?:200|206|304)$');
  if (lower === 'vary') return always(NONE, '~^(?:200|206|304|412)$');
  if (!ON_FAILURES.has(lower)) return always(NONE, '~^20[06]$');
  const [value = ''] = policies.flatMap((it) => valueOf(it, name) ?? []);
  return [...always(quotedValue(value), '~^20[06]$'), ['304', NONE]];
}

function valueOf({ headers }: Policy, name: string): string | undefined {
  return headers.find(([it]) => it.toLowerCase() === name.toLowerCase())?.[1];
}

/** The caching ones first, then all others of any policy. */
function headerNamesOf({ rules }: PolicyTable): string[] {
  const names = rules.flatMap(({ stable, hashed }) =>
    [...stable.headers, ...hashed.headers].map(([name]) => name),
  );
  const known = new Set(CACHING.map((it) => it.toLowerCase()));
  const others = new Map(
    names.filter((it) => !known.has(it.toLowerCase())).map((it) => [it.toLowerCase(), it]),
  );
  return [...CACHING, ...others.values()];
}

const variableOf = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
