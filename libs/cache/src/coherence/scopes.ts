/**
 * A scope is what an invalidation names: one key, one tag, one namespace, or everything. The same text
 * is used in process, on the bus and, behind the prefix, as the Redis key, so that the three never differ.
 */
export type Scope = string;

/** Everything. */
export const FLUSH_SCOPE: Scope = 'f';

/** All entries of a namespace. */
export const namespaceScope = (namespace: string): Scope => `n:${namespace}`;

/** Where an entry lives in memory: unique over all namespaces, since their names hold no colon. */
export const addressOf = (namespace: string, key: string): string => `${namespace}:${key}`;

/** One entry. */
export const keyScope = (address: string): Scope => `k:${address}`;

/** The namespace of one entry's scope. */
export const namespaceOf = (entry: Scope): string => entry.slice(2, entry.indexOf(':', 2));

/** Whether the scope names one entry. */
export const isEntry = (scope: Scope): boolean => scope.startsWith('k:');

/** All entries of a namespace with this tag; the namespace `''` stands for all namespaces. */
export const tagScope = (namespace: string, tag: string): Scope => `t:${namespace}:${tag}`;

/** What an entry depends on beside its own key: everything, its namespace, and each tag twice (here, anywhere). */
export function dependencies(namespace: string, tags: readonly string[]): Scope[] {
  const scopes = [FLUSH_SCOPE, namespaceScope(namespace)];
  for (const tag of new Set(tags)) scopes.push(tagScope('', tag), tagScope(namespace, tag));
  return scopes;
}

/** The widest scope that covers this one and has a bounded number of values. */
export function widen(scope: Scope): Scope {
  if (scope === FLUSH_SCOPE || scope.startsWith('n:')) return scope;
  const namespace = scope.slice(2, scope.indexOf(':', 2));
  return namespace === '' ? FLUSH_SCOPE : namespaceScope(namespace);
}
