import { AsyncLocalStorage } from 'node:async_hooks';

const tags = new AsyncLocalStorage<string>();

/**
 * Gives the statements of the work a name, whoever sends them: for a threshold of their own, and in the report of slow
 * queries. Give it few different values: a route, a job, a report.
 */
export function withQueryTag<T>(tag: string, work: () => T): T {
  return tags.run(tag, work);
}

/** Of the work around the call. */
export function currentQueryTag(): string | undefined {
  return tags.getStore();
}
