import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../src/paths.ts';

export const RUNBOOKS_FOLDER = join(ROOT, 'docs/runbooks');

/** What a page tells a person to use. */
export interface Mentions {
  /** Of package.json: `cache:flush`. */
  readonly commands: readonly string[];
  /** Environment variables. */
  readonly settings: readonly string[];
  /** `GET /api/v1/tasks/stats`, without a query. */
  readonly operations: readonly string[];
  readonly metrics: readonly string[];
  /** Files beside it. */
  readonly links: readonly string[];
}

export function runbooks(): { readonly file: string; readonly text: string }[] {
  return readdirSync(RUNBOOKS_FOLDER).map((file) => ({
    file,
    text: readFileSync(join(RUNBOOKS_FOLDER, file), 'utf8'),
  }));
}

export function mentionsOf(text: string): Mentions {
  const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, it = '']) => it);
  const all = (pattern: RegExp, from = code) =>
    from.flatMap((it) => [...it.matchAll(pattern)].map(([, found = '']) => found));
  return {
    commands: all(/npm run ([\w:-]+)/g),
    settings: all(/^([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=.*)?$/g),
    operations: all(/^((?:GET|POST|PUT|DELETE) \/[^?\s]*)/g),
    metrics: all(/^((?:http|db|cache|task|async|cdn|health|nodejs|process|metrics|feature)_[a-z0-9_]+)$/g),
    links: all(/\]\(([\w-]+\.md)\)/g, [text]),
  };
}
