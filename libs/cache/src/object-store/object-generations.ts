import type { Scope } from '../coherence/scopes.js';
import type { NotedGenerations } from '../entry.js';
import type { FrameHead } from './object-frame.js';

/**
 * Whether the generations that an object was loaded under are those of now: noted by its reader, or, for scopes that
 * the reader did not know of, noted here.
 */
export async function isCurrent(
  head: Pick<FrameHead, 'key' | 'scopes' | 'tokens'>,
  entry: Scope,
  noted: NotedGenerations,
  note?: (entry: Scope, scopes: readonly Scope[]) => Promise<NotedGenerations | undefined>,
): Promise<boolean> {
  if (!head.key.equals(noted.key)) return false;
  const known = tokensOf(noted);
  const unknown = head.scopes.filter((scope) => !known.has(scope));
  if (unknown.length > 0) {
    const more = await note?.(entry, unknown);
    if (more === undefined || !more.key.equals(head.key)) return false;
    for (const [scope, token] of tokensOf(more)) known.set(scope, token);
  }
  return head.scopes.every((scope, i) => {
    const token = head.tokens[i];
    return token !== undefined && known.get(scope)?.equals(token) === true;
  });
}

function tokensOf({ scopes, tokens }: NotedGenerations): Map<Scope, Buffer> {
  const known = new Map<Scope, Buffer>();
  scopes.forEach((scope, i) => {
    const token = tokens[i];
    if (token !== undefined) known.set(scope, token);
  });
  return known;
}
