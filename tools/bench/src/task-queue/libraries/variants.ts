import type { StoreKind } from '../../harness/stores.ts';
import type { Subject } from './contract.ts';

/** What the benchmark measures; a suite takes those that can do what it is about. */
export type Suite = 'submission' | 'processing' | 'batches' | 'counts' | 'latency' | 'flood';

/** One library on one store in one setting. */
export interface Variant {
  readonly name: string;
  readonly store: StoreKind;
  readonly suites: readonly Suite[];
  /** Loads the library first, so that a process holds only the one that it measures. */
  open(url: string): Promise<Subject>;
}

const EVERY: readonly Suite[] = ['submission', 'processing', 'batches', 'counts', 'latency', 'flood'];

const VARIANTS = {
  'peregrine-redis': {
    name: 'peregrine, Redis',
    store: 'redis',
    suites: EVERY,
    open: async (url) => (await import('./peregrine.ts')).openPeregrine('redis', url),
  },
  'bullmq-redis': {
    name: 'BullMQ, Redis',
    store: 'redis',
    suites: ['submission', 'processing', 'counts', 'latency', 'flood'],
    open: async (url) => (await import('./bullmq.ts')).openBullMq('redis', url),
  },
  'peregrine-postgres': {
    name: 'peregrine, PostgreSQL',
    store: 'postgres',
    suites: EVERY,
    open: async (url) => (await import('./peregrine.ts')).openPeregrine('postgres', url),
  },
  'bullmq-postgres': {
    name: 'BullMQ, PostgreSQL',
    store: 'postgres',
    suites: ['submission', 'processing', 'counts', 'latency', 'flood'],
    open: async (url) => (await import('./bullmq.ts')).openBullMq('postgres', url),
  },
  'pg-boss': {
    name: 'pg-boss',
    store: 'postgres',
    suites: ['submission', 'processing', 'batches', 'counts', 'latency'],
    open: async (url) => (await import('./pg-boss.ts')).openPgBoss(url),
  },
  'graphile-worker': {
    name: 'graphile-worker',
    store: 'postgres',
    suites: ['submission', 'processing', 'latency'],
    open: async (url) => (await import('./graphile-worker.ts')).openGraphileWorker(url, false),
  },
  'graphile-worker-tuned': {
    name: 'graphile-worker (localQueue 500, batched ends)',
    store: 'postgres',
    suites: ['processing'],
    open: async (url) => (await import('./graphile-worker.ts')).openGraphileWorker(url, true),
  },
} as const satisfies Record<string, Variant>;

export type VariantId = keyof typeof VARIANTS;

/** The variant with the type that all share. */
export const variantOf = (id: VariantId): Variant => VARIANTS[id];

/** In the order of the tables. */
export const variantsOf = (suite: Suite): VariantId[] =>
  (Object.keys(VARIANTS) as VariantId[]).filter((id) => variantOf(id).suites.includes(suite));
