import { afterEach, describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import {
  CACHE_CHANNELS,
  CACHE_LOAD_CHANNEL,
  onCacheEvent,
  publishEvict,
  publishHit,
  publishInvalidate,
  publishMiss,
  publishRedis,
  publishSet,
  publishStale,
  publishSuspect,
  traceLoad,
  traceRead,
  type CacheEventName,
  type CacheLoadEvent,
} from './events.js';

const NAMES = Object.keys(CACHE_CHANNELS) as CacheEventName[];

describe('events', () => {
  const open: (() => void)[] = [];
  const record = (...names: CacheEventName[]) => {
    const seen: [CacheEventName, unknown][] = [];
    for (const name of names) open.push(onCacheEvent(name, (event) => seen.push([name, { ...event }])));
    return seen;
  };
  afterEach(() => {
    for (const end of open.splice(0)) end();
  });

  it('publishes each event with its payload', () => {
    const seen = record(...NAMES);
    publishHit('content', 'k', 'memory');
    publishMiss('content', 'k');
    publishSet('content', 'k');
    publishInvalidate(['k:content:k'], 'local');
    publishStale('content', 'k', 'error');
    publishEvict('content', 'k', 12);
    publishRedis(false, 'no answer');
    publishRedis(true);
    publishSuspect(undefined, 'reconnected');
    publishSuspect('content', 'gap');
    expect(seen).toEqual([
      ['hit', { namespace: 'content', key: 'k', tier: 'memory' }],
      ['miss', { namespace: 'content', key: 'k' }],
      ['set', { namespace: 'content', key: 'k' }],
      ['invalidate', { scopes: ['k:content:k'], origin: 'local' }],
      ['stale', { namespace: 'content', key: 'k', reason: 'error' }],
      ['evict', { namespace: 'content', key: 'k', bytes: 12 }],
      ['redis', { available: false, cause: 'no answer' }],
      ['redis', { available: true }],
      ['suspect', { reason: 'reconnected' }],
      ['suspect', { namespace: 'content', reason: 'gap' }],
    ]);
  });

  it('stops when the listening ends', () => {
    const seen = record('hit');
    open.splice(0).forEach((end) => end());
    publishHit('content', 'k', 'redis');
    expect(seen).toEqual([]);
    expect(CACHE_CHANNELS.hit.hasSubscribers).toBe(false);
  });

  it('tells start and end of a load, and never its value', async () => {
    const seen = record('load:start', 'load:end', 'load:error');
    expect(await traceLoad('content', 'k', 'miss', () => Promise.resolve('secret'))).toBe('secret');
    expect(seen).toEqual([
      ['load:start', { namespace: 'content', key: 'k', reason: 'miss' }],
      ['load:end', { namespace: 'content', key: 'k', reason: 'miss', durationMs: expect.any(Number) }],
    ]);
    expect(JSON.stringify(seen)).not.toContain('secret');
  });

  it.each<[string, () => Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws at once',
      () => {
        throw new Error('down');
      },
    ],
  ])('tells the error of a load that %s, and hands it on', async (_, run) => {
    const seen = record('load:error', 'load:end');
    await expect(traceLoad('content', 'k', 'refresh', run)).rejects.toThrow('down');
    expect(seen.map(([name]) => name)).toEqual(['load:error', 'load:end']);
    expect(seen[0]?.[1]).toMatchObject({ reason: 'refresh', error: new Error('down') });
  });

  it('carries a store that a tracing tool has bound into the loader', async () => {
    const span = new AsyncLocalStorage<object>();
    const { start } = tracingChannel<object, CacheLoadEvent>(CACHE_LOAD_CHANNEL);
    start.bindStore(span, ({ key }) => ({ traced: key }));
    open.push(() => void start.unbindStore(span));
    const load = () => Promise.resolve(span.getStore());
    expect(await traceLoad('content', 'k', 'miss', load)).toEqual({ traced: 'k' });
    expect(span.getStore()).toBeUndefined();
  });

  it('calls the loader directly when nobody listens', () => {
    const promise = Promise.resolve(1);
    expect(traceLoad('content', 'k', 'miss', () => promise)).toBe(promise);
  });

  it('tells start and end of a look below memory with one object, and looks directly when nobody listens', async () => {
    const seen: unknown[] = [];
    open.push(onCacheEvent('read:start', (event) => seen.push(event)));
    open.push(onCacheEvent('read:end', (event) => seen.push(event)));
    expect(await traceRead('content', 3, () => Promise.resolve('secret'))).toBe('secret');
    expect(seen).toEqual([
      { namespace: 'content', keys: 3 },
      { namespace: 'content', keys: 3 },
    ]);
    expect(seen[0]).toBe(seen[1]);
    open.splice(0).forEach((end) => end());
    const promise = Promise.resolve(1);
    expect(traceRead('content', 1, () => promise)).toBe(promise);
  });
});
