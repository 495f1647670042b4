import { AsyncLocalStorage } from 'node:async_hooks';

/** From urgent to patient. */
export const QUERY_PRIORITIES = ['high', 'normal', 'low'] as const;
export type QueryPriority = (typeof QUERY_PRIORITIES)[number];

const current = new AsyncLocalStorage<QueryPriority>();

/** Everything that the work asks of a pool, also indirectly, has this priority unless the call says another. */
export function withQueryPriority<T>(priority: QueryPriority, work: () => T): T {
  return current.run(priority, work);
}

/** @returns `normal` outside of any {@link withQueryPriority} */
export function currentQueryPriority(): QueryPriority {
  return current.getStore() ?? 'normal';
}
