import { createCache, type Cache, type CacheOptionsInput } from '../../src/index.js';
import type { ChildCommand, ChildReport } from './cache-process.js';

// A process with a cache that does what its parent says: see CacheProcess.
declare global {
  var setWallClock: ((byMs: number) => number) | undefined;
}

const send = (report: ChildReport) => process.send?.(report);
const held = new Map<string, (value: unknown) => void>();
const options = JSON.parse(process.argv[2] ?? '{}') as CacheOptionsInput;
const cache: Cache = createCache(options);

const verbs: Record<string, (...args: never[]) => unknown> = {
  get: (namespace: string, key: string) => cache.namespace(namespace).get(key),
  set: (namespace: string, key: string, value: unknown, entry?: object) =>
    cache.namespace(namespace).set(key, value, entry),
  invalidate: (namespace: string, key: string) => cache.namespace(namespace).invalidate(key),
  invalidateTags: (tags: string[]) => cache.invalidateTags(tags),
  /** Many callers at once; the loader is held until `finish`. Gives the different answers. */
  load: async (namespace: string, key: string, callers: number, entry?: object) => {
    const loader = (context: { readonly fence?: number | undefined }) => {
      send({ loading: key, fence: context.fence });
      return new Promise<unknown>((resolve) => held.set(key, resolve));
    };
    const calls = Array.from({ length: callers }, () =>
      cache.namespace(namespace).getOrSet(key, loader, entry),
    );
    return [...new Set(await Promise.all(calls))];
  },
  finish: (key: string, value: unknown) => held.get(key)?.(value),
  redis: () => cache.stats().redis,
  overtaken: (namespace: string) => cache.stats().namespaces[namespace]?.loads.overtaken,
  leaseWaits: (namespace: string) => cache.stats().namespaces[namespace]?.loads.leaseWaits,
  now: () => Date.now(),
  setWallClock: (byMs: number) => globalThis.setWallClock?.(byMs),
  heapAfter: (entries: number, bytesEach: number) => heapAfter(entries, bytesEach),
  close: () => cache.close(),
};

/** What a walk over so many keys leaves on the heap, bytes, and how many entries are kept. */
async function heapAfter(entries: number, bytesEach: number): Promise<{ heap: number; kept: number }> {
  const namespace = cache.namespace('content');
  const collect = () => globalThis.gc?.();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < entries; i++) {
    const body = `${i}`.padEnd(bytesEach, '.');
    await namespace.getOrSet(`key-${i}`, () => Promise.resolve({ body }), { tags: [`tag-${i}`] });
  }
  collect();
  return { heap: process.memoryUsage().heapUsed - before, kept: cache.stats().memory.entries };
}

process.on('message', ({ id, verb, args }: ChildCommand) => {
  const run = verbs[verb] as ((...args: unknown[]) => unknown) | undefined;
  Promise.resolve()
    .then(() => run?.(...args))
    .then((value) => send({ id, value }))
    .catch((error: unknown) => send({ id, error: String(error) }));
});
send({ ready: true });
