import { setTimeout as delay } from 'node:timers/promises';

import type { LoadingSubject } from '../libraries/contract.ts';
import { bad, type Finding, gatedLoad, good, none, type Probe, settle, TAGS } from './probe.ts';

const OLD = { id: 'old' };
const NEW = { id: 'new' };
const WAITERS = 200;
const SETTLE_MS = 20;

/** What happens when the world changes while a loader runs, and when a loader fails. */
export const LOAD_PROBES: readonly Probe[] = [
  {
    title: '`invalidate(key)` while its old value is loading',
    run: async (context) => {
      const subject = await context.open();
      return overtake(subject, subject.invalidate && (() => subject.invalidate?.('key')));
    },
  },
  {
    title: 'invalidation of a tag while the old value is loading',
    run: async (context) => {
      const subject = await context.open({ withTags: true });
      return overtake(subject, subject.invalidateTag && (() => subject.invalidateTag?.(TAGS[1])));
    },
  },
  {
    title: '`set` while the old value is loading',
    run: async (context) => {
      const subject = await context.open();
      return overtake(subject, () => subject.set('key', NEW, TAGS));
    },
  },
  { title: '200 callers of a loader that fails', run: async (context) => failTogether(await context.open()) },
  {
    title: '100 calls, the loader returns `null`',
    run: async (context) => {
      const loads = await countLoads(await context.open(), null);
      return loads === 1 ? good('cached, 1 load') : bad(`not cached: ${loads} loads`);
    },
  },
  {
    title: '100 calls, the loader returns `undefined`',
    run: async (context) => {
      const subject = await context.open();
      const { error } = await settle(subject.getOrSet('undefined', () => Promise.resolve(undefined), TAGS));
      if (error !== undefined) return bad('throws');
      const loads = await countLoads(subject, undefined);
      return loads === 1 ? good('cached') : good('handed through, not cached');
    },
  },
];

/** The value that was loaded from before the change must not be what a reader gets after it. */
async function overtake(subject: LoadingSubject, change: (() => unknown) | undefined): Promise<Finding> {
  if (change === undefined) return none();
  const { load, begun, finish } = gatedLoad(OLD);
  const first = settle(subject.getOrSet('key', load, TAGS));
  await begun;
  await settle(change());
  // Timestamps that some libraries compare have milliseconds.
  await delay(SETTLE_MS);
  finish();
  const waiter = await first;
  // Some store behind the back of the waiter.
  await delay(SETTLE_MS);
  const after = await settle(subject.getOrSet('key', () => Promise.resolve(NEW), TAGS));
  const isFresh = (after.value as { id?: string } | undefined)?.id === NEW.id;
  if (!isFresh) return bad('stale kept');
  return waiter.error === undefined ? good('fresh') : bad('fresh, but its waiters are rejected');
}

async function failTogether(subject: LoadingSubject): Promise<Finding> {
  let loads = 0;
  const load = async () => {
    loads++;
    await delay(5);
    throw new Error('the origin is down');
  };
  const calls = Array.from({ length: WAITERS }, () => settle(subject.getOrSet('key', load, TAGS), 20_000));
  const outcomes = await Promise.all(calls);
  const rejected = outcomes.filter((it) => it.error !== undefined).length;
  const text = `${loads} ${loads === 1 ? 'load' : 'loads'}, ${rejected} of ${WAITERS} get the error`;
  return loads === 1 && rejected === WAITERS ? good(text) : bad(text);
}

async function countLoads(subject: LoadingSubject, value: unknown): Promise<number> {
  let loads = 0;
  const load = () => {
    loads++;
    return Promise.resolve(value);
  };
  for (let i = 0; i < 100; i++) await settle(subject.getOrSet('again', load, TAGS));
  return loads;
}
