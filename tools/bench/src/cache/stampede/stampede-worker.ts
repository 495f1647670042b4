import { setTimeout as delay } from 'node:timers/promises';

import { variantOf, type VariantId } from '../libraries/variants.ts';
import { whenConnected } from '../redis/when-connected.ts';
import { serveWorker, whenTold } from '../../harness/worker.ts';

/** How many ask for one cold key at once, and what their loader does. */
export interface StampedeInput {
  readonly variant: VariantId;
  readonly callers: number;
  readonly loaderMs: number;
  readonly isFailing: boolean;
  /** Present when several processes ask together. */
  readonly redisUrl?: string;
}

/** What came out in this process. */
export interface StampedeSample {
  /** Until the last caller had its answer. */
  readonly ms: number;
  readonly loads: number;
  readonly gotValue: number;
  /** Rejected with the loader's error, or with one that has it as its cause. */
  readonly gotError: number;
  readonly gotUndefined: number;
  readonly gotOther: number;
}

const CAP_MS = 30_000;
const CLOSE_MS = 500;
const TAGS = ['a', 'b', 'c'] as const;
const MESSAGE = 'the origin is down';

await serveWorker<StampedeInput, StampedeSample>(async (input) => {
  const { variant, callers, loaderMs, isFailing, redisUrl } = input;
  const isCluster = redisUrl !== undefined;
  const subject = await variantOf(variant).open({
    maxEntries: 1_000,
    ...(isCluster ? { redisUrl, isClusterFlight: true } : {}),
  });
  if (isCluster) await whenConnected(subject, redisUrl);
  let loads = 0;
  const load = async () => {
    loads++;
    await delay(loaderMs);
    if (isFailing) throw new Error(MESSAGE);
    return { id: 'cold' };
  };
  await whenTold();
  const startedAt = performance.now();
  const calls = Array.from({ length: callers }, () =>
    Promise.race([Promise.resolve(subject.getOrSet?.('cold', load, TAGS)), delay(CAP_MS, 'late')]),
  );
  const outcomes = await Promise.allSettled(calls);
  const ms = performance.now() - startedAt;
  // The parent ends this process when it has the result; what is on its way to the others shall arrive.
  await Promise.race([subject.close?.(), delay(CLOSE_MS)]);
  const kinds = outcomes.map(kindOf);
  const count = (kind: string) => kinds.filter((it) => it === kind).length;
  return {
    ms,
    loads,
    gotValue: count('value'),
    gotError: count('error'),
    gotUndefined: count('undefined'),
    gotOther: count('other'),
  };
});

function kindOf(outcome: PromiseSettledResult<unknown>): 'value' | 'error' | 'undefined' | 'other' {
  if (outcome.status === 'rejected') return isLoadersError(outcome.reason) ? 'error' : 'other';
  if (outcome.value === undefined) return 'undefined';
  return (outcome.value as { id?: string }).id === 'cold' ? 'value' : 'other';
}

function isLoadersError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes(MESSAGE) || isLoadersError(error.cause);
}
