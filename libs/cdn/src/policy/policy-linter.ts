/** Name and value of a header line. */
export type HeaderPair = readonly [name: string, value: string];

/** What the headers belong to. */
export interface LintedAnswer {
  /** As sent, one pair a line. */
  readonly headers: readonly HeaderPair[];
  /** Whether the URL changes with the content. */
  readonly isHashed: boolean;
  /** Whether the answer depends on Accept-Encoding. */
  readonly isNegotiable: boolean;
  /** @default 200 */
  readonly status?: number;
}

export type LintRule =
  /** `immutable` where the name does not change with the content: browsers would keep the old one for good. */
  | 'immutable-unhashed'
  /** Without Vary, a cache hands a coding to clients that can not read it. */
  | 'negotiable-without-vary'
  /** A shared cache would hand one visitor's cookie to all. */
  | 'public-set-cookie'
  /** Two lines of a header of which there is one: caches differ in which one they believe. */
  | 'doubled-header'
  /** Directives that exclude each other. */
  | 'contradiction'
  /** `Vary: *` is never answered from a cache. */
  | 'vary-anything'
  /** A cache would keep a failure as if it were the content. */
  | 'lasting-failure';

export interface LintFinding {
  readonly rule: LintRule;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** Headers that may stand on several lines. */
const REPEATABLE = new Set(['set-cookie', 'link', 'warning', 'via', 'server-timing', 'cache-status']);
const LONGEST_FAILURE_SECONDS = 3_600;

/** Says what is unsafe in the headers of an answer; an empty list when nothing is. */
export function lintHeaders({ headers, isHashed, isNegotiable, status = 200 }: LintedAnswer): LintFinding[] {
  const findings: LintFinding[] = [];
  const refuse = (rule: LintRule, message: string) => findings.push({ rule, message });
  const names = headers.map(([name]) => name.toLowerCase());
  for (const name of new Set(names.filter((it, i) => names.indexOf(it) !== i && !REPEATABLE.has(it)))) {
    refuse('doubled-header', `${name} stands on several lines; send one`);
  }
  const valuesOf = (name: string) => headers.filter((_, i) => names[i] === name).map(([, value]) => value);
  const own = directivesOf(valuesOf('cache-control'));
  const shared = directivesOf(valuesOf('cdn-cache-control'));

  if (own.has('immutable') && !isHashed) {
    refuse(
      'immutable-unhashed',
      'immutable on a name without a content hash; hash the name or leave immutable out',
    );
  }
  const vary = tokensOf(valuesOf('vary'));
  if (vary.includes('*'))
    refuse('vary-anything', 'Vary: * makes every cache useless; name the request headers');
  else if (isNegotiable && !vary.includes('accept-encoding')) {
    refuse('negotiable-without-vary', 'it is sent in several codings without Vary: Accept-Encoding');
  }
  if (names.includes('set-cookie') && [own, shared].some((it) => it.has('public') || it.has('s-maxage'))) {
    refuse('public-set-cookie', 'public with Set-Cookie; make the answer private or send no cookie');
  }
  for (const [field, directives] of [
    ['Cache-Control', own],
    ['CDN-Cache-Control', shared],
  ] as const) {
    const problem = contradictionIn(directives);
    if (problem !== undefined) refuse('contradiction', `${field}: ${problem}`);
  }
  if (
    status >= 400 &&
    [own, shared].some((it) => lifeSecondsOf(it) > LONGEST_FAILURE_SECONDS || it.has('immutable'))
  ) {
    refuse(
      'lasting-failure',
      `an answer of ${status} may be kept for hours; keep failures for seconds, or not at all`,
    );
  }
  return findings;
}

function tokensOf(values: readonly string[]): string[] {
  return values.flatMap((it) => it.split(',')).map((it) => it.trim().toLowerCase());
}

function directivesOf(values: readonly string[]): Map<string, string> {
  return new Map(
    tokensOf(values)
      .filter((it) => it !== '')
      .map((it) => [it.split('=', 1)[0] ?? '', it.split('=')[1] ?? '']),
  );
}

function lifeSecondsOf(directives: ReadonlyMap<string, string>): number {
  return Math.max(Number(directives.get('max-age') ?? 0), Number(directives.get('s-maxage') ?? 0));
}

function contradictionIn(directives: ReadonlyMap<string, string>): string | undefined {
  if (directives.has('public') && directives.has('private')) return 'public and private at once';
  if (directives.has('no-store') && (lifeSecondsOf(directives) > 0 || directives.has('immutable'))) {
    return 'no-store with a life time';
  }
  if (directives.has('immutable') && lifeSecondsOf(directives) === 0) return 'immutable without a life time';
  return undefined;
}
