import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';
import { type CdnClock, systemClock } from '../clock.js';
import { createProvider } from '../providers/create-provider.js';
import { type ProviderOptionsInput } from '../providers/provider.options.js';
import { type PurgeProvider } from '../providers/purge-provider.js';
import { CdnInvalidation } from './cdn-invalidation.js';
import { InProcessDispatch } from './in-process-dispatch.js';
import { type InvalidationOptionsInput, parseInvalidationOptions } from './invalidation.options.js';
import { type InvalidationQueue } from './invalidation-queue.js';
import { MemoryInvalidationQueue } from './memory-queue.js';
import { MemoryPurgeBudget, type PurgeBudget } from './purge-budget.js';
import { PurgeDelivery } from './purge-delivery.js';
import { PurgeStatistics } from './purge-statistics.js';

export interface CreateInvalidationOptions extends InvalidationOptionsInput {
  /** Options of the library's own providers, or providers of your own. */
  readonly providers: readonly (ProviderOptionsInput | PurgeProvider)[];
  /** @default in memory: what is pending does not survive the process */
  readonly queue?: InvalidationQueue;
  /** @default in memory: several processes do not share the provider's limits */
  readonly budget?: PurgeBudget;
  /** Called for each request to a provider that failed; its purges are kept. @default nothing */
  readonly warn?: (message: string) => void;
  readonly clock?: CdnClock;
}

/** An invalidation that delivers in this process, and its end. */
export interface CreatedInvalidation {
  readonly invalidation: CdnInvalidation;
  /** Ends the requests under way; what they were to purge is pending again. */
  close(): Promise<void>;
}

/**
 * Everything for one process: `createInvalidation({ providers: [{ type: 'varnish', urls: ['http://10.0.0.5:6081'] }] })`.
 * With a queue of your own, what it holds from before is delivered at once.
 *
 * @throws {CdnOptionsError} with every problem
 */
export function createInvalidation(input: CreateInvalidationOptions): CreatedInvalidation {
  const { providers: given, clock = systemClock, queue, budget, warn = () => undefined, ...rest } = input;
  const options = parseInvalidationOptions(rest);
  const providers = given.map((it) => ('purge' in it ? it : createProvider(it)));
  assertDistinct(providers.map((it) => it.name));
  const parts = {
    ...{ options, warn, clock, statistics: new PurgeStatistics() },
    queue: queue ?? new MemoryInvalidationQueue(clock),
    budget: budget ?? new MemoryPurgeBudget(clock),
  };
  const deliveries = providers.map((provider) => new PurgeDelivery({ ...parts, provider }));
  const dispatch = new InProcessDispatch(deliveries, warn, clock);
  const names = providers.map((it) => it.name);
  void dispatch.dispatch(names);
  const { queue: kept, statistics } = parts;
  return {
    invalidation: new CdnInvalidation({ queue: kept, dispatch, providers: names, statistics }),
    close: () => dispatch.close(),
  };
}

function assertDistinct(names: readonly string[]): void {
  const double = names.find((it, index) => names.indexOf(it) !== index);
  if (double === undefined) return;
  const problem = new z.ZodError([
    {
      code: 'custom',
      path: ['providers'],
      message: `two are called ${double}; give one a name`,
      input: double,
    },
  ]);
  throw new CdnOptionsError(z.prettifyError(problem));
}
