import { parseDocument } from 'yaml';

/** The longest front matter that is read, in characters. */
export const MAX_FRONT_MATTER_LENGTH = 65_536;
/** How far aliases may multiply what they stand for, times. */
const MAX_ALIASES = 100;
/** How deep and how large the value may be, aliases written out. */
const MAX_DEPTH = 32;
const MAX_NODES = 10_000;

/** Opening and closing line of `---`; the closing one may be `...`. */
const FRONT_MATTER = /^---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)??(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;

export interface FrontMatter {
  /** JSON; null without a front matter, or with one that cannot be read. */
  value: Record<string, unknown> | null;
  /** Why it cannot be read, for a person. */
  problem: string | null;
  /** The text behind it. */
  body: string;
}

/**
 * Splits a Markdown text from the YAML before it. What is no mapping, is malformed, too long, too deep or too large is a
 * problem and no value: a short text whose aliases stand for gigabytes among them.
 */
export function readFrontMatter(text: string): FrontMatter {
  const match = FRONT_MATTER.exec(text);
  if (!match) return { value: null, problem: null, body: text };
  const body = text.slice(match[0].length);
  try {
    return { value: valueOf(match[1] ?? ''), problem: null, body };
  } catch (error) {
    return { value: null, problem: problemOf(error), body };
  }
}

function valueOf(yaml: string): Record<string, unknown> {
  if (yaml.length > MAX_FRONT_MATTER_LENGTH)
    throw new Error(`it is longer than ${MAX_FRONT_MATTER_LENGTH.toLocaleString('en')} characters`);
  // The core schema knows no tag that makes an object of a class, and no dates: they stay text.
  const document = parseDocument(yaml, {
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: true,
    logLevel: 'silent',
  });
  const [error] = document.errors;
  if (error) throw error;
  const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Error('it is no mapping of names to values');
  return plain(value, { nodes: 0 }, 0) as Record<string, unknown>;
}

/** What JSON can say of it. Numbers that it has not become null, keys that would be a prototype stay keys. */
function plain(value: unknown, seen: { nodes: number }, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new Error(`it is nested deeper than ${MAX_DEPTH} levels`);
  if (++seen.nodes > MAX_NODES) throw new Error(`it has more than ${MAX_NODES.toLocaleString('en')} values`);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (value === undefined || typeof value !== 'object' || value === null) return value ?? null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((it) => plain(it, seen, depth + 1));
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, it] of Object.entries(value)) copy[key] = plain(it, seen, depth + 1);
  return copy;
}

function problemOf(error: unknown): string {
  // Brackets within brackets, thousands deep, end the parser's own stack.
  if (error instanceof RangeError)
    return `The front matter cannot be read: it is nested deeper than ${MAX_DEPTH} levels`;
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return `The front matter cannot be read: ${message.replace(/:$/, '')}`;
}
