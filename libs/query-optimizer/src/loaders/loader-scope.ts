import { AsyncLocalStorage } from 'node:async_hooks';
import { QueryLoaderScopeError } from '../query-optimizer.errors.js';

/** What each loader remembers for the time of one request or task. */
export type LoaderScope = WeakMap<object, unknown>;

const current = new AsyncLocalStorage<LoaderScope>();

/**
 * Runs a request or a task: loaders put together what is asked for in it, and remember it until its end. A scope inside
 * another remembers by itself.
 */
export function withLoaders<T>(work: () => T): T {
  return current.run(new WeakMap(), work);
}

/** @throws {QueryLoaderScopeError} outside of {@link withLoaders} */
export function currentLoaderScope(): LoaderScope {
  const scope = current.getStore();
  if (!scope) throw new QueryLoaderScopeError();
  return scope;
}
