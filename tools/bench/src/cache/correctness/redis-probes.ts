import { setTimeout as delay } from 'node:timers/promises';

import type { LoadingSubject, Subject } from '../libraries/contract.ts';
import { whenConnected } from '../redis/when-connected.ts';
import {
  bad,
  comesTrue,
  type Finding,
  good,
  none,
  type Probe,
  type ProbeContext,
  settle,
  TAGS,
} from './probe.ts';
import { TcpProxy } from './tcp-proxy.ts';

const KEY = 'shared';
const OLD = { id: 'old' };
const NEW = { id: 'new' };
/** Longer than a message of the bus takes, shorter than any deadline of a read. */
const BUS_MS = 30;
const SETTLE_MS = 2_500;
const RECONNECT_MS = 10_000;

/** Two processes on one Redis, of which the second one stands behind a proxy. */
export const REDIS_PROBES: readonly Probe[] = [
  {
    title: 'another process sets what is in memory here',
    run: (context) => withTwo(context, remoteSet),
  },
  {
    title: 'another process sets while a read of the old value is under way here',
    run: (context) => withTwo(context, promotionRace),
  },
  {
    title: 'the bus is cut here while another process sets',
    run: (context) => withTwo(context, busCut),
  },
];

interface Two {
  readonly here: LoadingSubject;
  readonly there: Subject;
  readonly proxy: TcpProxy;
}

async function withTwo(context: ProbeContext, run: (two: Two) => Promise<Finding>): Promise<Finding> {
  if (!context.hasRedis) return none();
  const proxy = await TcpProxy.start(context.redisUrl);
  try {
    const there = await context.open({ redisUrl: context.redisUrl });
    await whenConnected(there, context.redisUrl);
    // Before the other one listens: some buses carry the values themselves.
    await there.set(KEY, OLD, TAGS);
    await delay(BUS_MS);
    const here = await context.open({ redisUrl: proxy.url });
    await whenConnected(here, context.redisUrl);
    // A library that has a bus has subscribed by now.
    await comesTrue(() => proxy.subscriptions > 0, 500);
    await delay(BUS_MS);
    return await run({ here, there, proxy });
  } finally {
    await context.close();
    proxy.close();
  }
}

/** The loader never runs: the value is in memory or in Redis. */
const read = (here: LoadingSubject) =>
  settle(here.getOrSet(KEY, () => Promise.resolve({ id: 'loaded' }), TAGS));

const idOf = (value: unknown) => (value as { id?: string } | undefined)?.id;

/** Reads until the new value is there. */
async function freshAfter(here: LoadingSubject): Promise<Finding> {
  const startedAt = performance.now();
  for (;;) {
    const { value } = await read(here);
    if (idOf(value) === NEW.id) return good('fresh');
    if (performance.now() - startedAt > SETTLE_MS)
      return bad(idOf(value) === OLD.id ? 'stale until its TTL' : 'lost');
    await delay(5);
  }
}

async function remoteSet({ here, there }: Two): Promise<Finding> {
  await read(here);
  await there.set(KEY, NEW, TAGS);
  return freshAfter(here);
}

async function promotionRace({ here, there, proxy }: Two): Promise<Finding> {
  if (proxy.subscriptions === 0) return none('no bus: see above');
  proxy.holdAnswers();
  const reading = read(here);
  if (!(await comesTrue(() => proxy.heldAnswers > 0, 1_000))) return none('not reached');
  await there.set(KEY, NEW, TAGS);
  await delay(BUS_MS);
  proxy.releaseAnswers();
  await reading;
  return freshAfter(here);
}

async function busCut({ here, there, proxy }: Two): Promise<Finding> {
  if (proxy.subscriptions === 0) return none('no bus: see above');
  await read(here);
  proxy.cutBus();
  await there.set(KEY, NEW, TAGS);
  await delay(BUS_MS);
  const before = proxy.subscriptions;
  proxy.mendBus();
  if (!(await comesTrue(() => proxy.subscriptions > before, RECONNECT_MS)))
    return bad('bus does not come back');
  return freshAfter(here);
}
