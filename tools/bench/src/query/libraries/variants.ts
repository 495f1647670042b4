import type { PoolSubject, Subject } from './contract.ts';

/** One way to read. */
export interface Reader {
  readonly name: string;
  /** Loads the library first, so that a process holds only the one that it measures. */
  open(url: string): Promise<Subject>;
}

const READERS = {
  pg: { name: 'pg, `Pool.query`', open: async (url) => (await import('./pg.ts')).openPg(url) },
  typeorm: {
    name: 'TypeORM',
    open: async (url) => (await import('./typeorm.ts')).openTypeOrm(url, 'plain'),
  },
  'typeorm-cache': {
    name: 'TypeORM, its own cache (a table)',
    open: async (url) => (await import('./typeorm.ts')).openTypeOrm(url, 'own cache'),
  },
  peregrine: {
    name: 'peregrine, `execute` with `cache: true`',
    open: async (url) => (await import('./peregrine.ts')).openPeregrine(url, true),
  },
  'peregrine-typeorm': {
    name: 'TypeORM on peregrine, `.cache()`',
    open: async (url) => (await import('./typeorm.ts')).openTypeOrm(url, 'peregrine'),
  },
  'peregrine-uncached': {
    name: 'peregrine, `execute`',
    open: async (url) => (await import('./peregrine.ts')).openPeregrine(url, false),
  },
} as const satisfies Record<string, Reader>;

export type ReaderId = keyof typeof READERS;

/** The reader with the type that all share. */
export const readerOf = (id: ReaderId): Reader => READERS[id];

/** One pool of connections. */
export interface PoolVariant {
  readonly name: string;
  open(url: string, connections: number): Promise<PoolSubject>;
}

const POOLS = {
  pg: {
    name: "pg's pool, first come first served",
    open: async (url, connections) => (await import('./pg.ts')).openPgPool(url, connections),
  },
  peregrine: {
    name: 'peregrine, a tenth in reserve for high priority',
    open: async (url, connections) =>
      (await import('./peregrine.ts')).openPriorityPool(url, connections, Math.ceil(connections / 10)),
  },
  'peregrine-unreserved': {
    name: 'peregrine, without a reserve',
    open: async (url, connections) => (await import('./peregrine.ts')).openPriorityPool(url, connections, 0),
  },
} as const satisfies Record<string, PoolVariant>;

export type PoolId = keyof typeof POOLS;

export const POOL_IDS = Object.keys(POOLS) as PoolId[];

/** The pool with the type that all share. */
export const poolOf = (id: PoolId): PoolVariant => POOLS[id];
