import { setTimeout as delay } from 'node:timers/promises';

import { variantOf, type VariantId } from '../libraries/variants.ts';
import { median } from '../../harness/statistics.ts';
import { serveWorker, whenTold } from '../../harness/worker.ts';
import { whenConnected } from './when-connected.ts';

/** Which library on which Redis. */
export interface DeadRedisInput {
  readonly variant: VariantId;
  readonly redisUrl: string;
  /** Nothing listened there from the start. */
  readonly isAbsent: boolean;
}

/** What a cold `getOrSet` costs beyond its loader, milliseconds; null: no answer within the cap. */
export interface DeadRedisSample {
  readonly firstMs: number | null;
  readonly medianMs: number | null;
  readonly worstMs: number | null;
  /** What went wrong besides; null: nothing. */
  readonly error: string | null;
}

/** After which nobody waits any longer, milliseconds. */
const CAP_MS = 8_000;

const LOADER_MS = 20;
const CALLS = 20;
const TAGS = ['a', 'b', 'c'] as const;
const NO_ANSWER: DeadRedisSample = { firstMs: null, medianMs: null, worstMs: null, error: null };

await serveWorker<DeadRedisInput, DeadRedisSample>(async ({ variant, redisUrl, isAbsent }) => {
  const opening = variantOf(variant).open({ maxEntries: 1_000, redisUrl });
  const subject = await Promise.race([opening, delay(CAP_MS, undefined)]);
  if (subject === undefined) return NO_ANSWER;
  if (!isAbsent) await whenConnected(subject, redisUrl);
  await whenTold();
  const overheads: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const startedAt = performance.now();
    let loadedMs = 0;
    const load = async () => {
      const loadStartedAt = performance.now();
      await delay(LOADER_MS);
      loadedMs = performance.now() - loadStartedAt;
      return { id: `cold:${call}` };
    };
    const answer = Promise.resolve(subject.getOrSet?.(`cold:${call}`, load, TAGS)).then(
      (value) => (value === undefined ? 'resolved undefined' : null),
      (error: unknown) => `rejected: ${String(error)}`,
    );
    const outcome = await Promise.race([answer, delay(CAP_MS, 'no answer' as const)]);
    if (outcome === 'no answer') return { ...summarize(overheads), worstMs: null };
    if (outcome !== null) return { ...NO_ANSWER, error: outcome };
    overheads.push(performance.now() - startedAt - loadedMs);
  }
  return summarize(overheads);
});

function summarize(overheads: readonly number[]): DeadRedisSample {
  const [firstMs] = overheads;
  if (firstMs === undefined) return NO_ANSWER;
  return { firstMs, medianMs: median(overheads), worstMs: Math.max(...overheads), error: null };
}
