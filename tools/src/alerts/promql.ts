/** Words of PromQL that may stand where a metric could; functions are known by their parenthesis. */
const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const STRING = /"(?:[^"\\]|\\.)*"/g;
const MATCHERS = /\{((?:[^}"]|"(?:[^"\\]|\\.)*")*)\}/g;
const NAME = /(?<![\w.$])[a-zA-Z_:][\w:]*(?!\w|\s*\()/g;

/** A metric in an expression, with the labels that have to equal something. */
export interface Selector {
  readonly metric: string;
  readonly equals: Readonly<Record<string, string>>;
}

/** @returns every metric that the expression reads, once for each set of matchers */
export function selectorsOf(expression: string): Selector[] {
  const matchers: string[] = [];
  const bare = expression
    .replaceAll(MATCHERS, (_, inner: string) => `{${matchers.push(inner) - 1}}`)
    .replaceAll(STRING, '')
    .replaceAll(GROUPING, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(NAME)]
    .filter(([name]) => !KEYWORDS.has(name.toLowerCase()))
    .map((match) => {
      const [, index] = /^\{(\d+)\}/.exec(bare.slice(match.index + match[0].length)) ?? [];
      const inner = index === undefined ? '' : (matchers[Number(index)] ?? '');
      const equals = [...inner.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [
        label,
        value,
      ]);
      return { metric: match[0], equals: Object.fromEntries(equals) as Record<string, string> };
    });
}

/** @returns the names of the metrics that the expression reads, each once */
export function metricsOf(expression: string): string[] {
  return [...new Set(selectorsOf(expression).map(({ metric }) => metric))];
}
