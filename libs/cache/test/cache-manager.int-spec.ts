import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Cache as NestCache,
  CACHE_MANAGER,
  CacheInterceptor,
  CacheKey,
  CacheModule as NestCacheModule,
  CacheTTL,
} from '@nestjs/cache-manager';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  Query,
  UseInterceptors,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Keyv } from 'keyv';
import { randomBytes } from 'node:crypto';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import { createKeyv, CacheManagerModule, PeregrineKeyvStore } from '../src/cache-manager/index.js';
import { CacheModule } from '../src/cache.module.js';
import { Cache } from '../src/cache.service.js';
import { createCache } from '../src/create-cache.js';
import { connected } from './open-caches.js';
import { redisUrl } from './redis-url.js';
import { until } from './until.js';

const prefix = `peregrine-test-${randomBytes(6).toString('hex')}`;
const root = () => CacheModule.forRoot({ prefix, redis: { url: redisUrl(), timeoutMs: 1_000 } });

// From here to the modules: code of an application on @nestjs/cache-manager, as its documentation writes it.
@Injectable()
class Counter {
  constructor(@Inject(CACHE_MANAGER) readonly cache: NestCache) {}
}
@Controller()
@UseInterceptors(CacheInterceptor)
class Pages {
  runs = 0;

  @Get('auto/:id')
  auto(@Param('id') id: string) {
    return { id, runs: ++this.runs };
  }

  @Get('keyed')
  @CacheKey('the-key')
  @CacheTTL(60_000)
  keyed(@Query('any') any: string) {
    return { any, runs: ++this.runs };
  }

  @Get('short')
  @CacheTTL(() => 1)
  short() {
    return { runs: ++this.runs };
  }
}
const parts = { controllers: [Pages], providers: [Counter] };

@Module({ imports: [root(), CacheManagerModule.forRoot({ ttl: 300_000 })], ...parts })
class OwnModule {}
@Module({
  imports: [
    root(),
    NestCacheModule.registerAsync({
      inject: [Cache],
      useFactory: (cache: Cache) => ({ stores: [createKeyv(cache.namespace('content'), 300_000)] }),
    }),
  ],
  ...parts,
})
class StockModule {}

const start = async (module: Type) => {
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  await connected(app.get(Cache));
  return { app, url: await app.getUrl(), cache: app.get<NestCache>(CACHE_MANAGER) };
};
type Started = Awaited<ReturnType<typeof start>>;

const get = async ({ url }: Started, path: string) => {
  const response = await fetch(`${url}/${path}`);
  return { cached: response.headers.get('x-cache'), body: await response.json() };
};

describe.each<[string, Type]>([
  ['CacheManagerModule', OwnModule],
  ['CacheModule of @nestjs/cache-manager on a Keyv of ours', StockModule],
])('an application on cache-manager with %s', (name, module) => {
  let [one, two] = [] as unknown as [Started, Started];
  beforeAll(async () => {
    one = await start(module);
    two = await start(module);
  });
  afterAll(async () => {
    await one.app.get(Cache).flush();
    await Promise.all([one.app.close(), two.app.close()]);
    await removeRedisKeys(redisUrl(), prefix);
  });

  it('answers from the cache over HTTP, in the other process too', async () => {
    expect(await get(one, 'auto/1')).toEqual({ cached: 'MISS', body: { id: '1', runs: 1 } });
    await until(async () => (await get(one, 'auto/1')).cached === 'HIT');
    expect(await get(one, 'auto/1')).toEqual({ cached: 'HIT', body: { id: '1', runs: 1 } });
    expect(await get(two, 'auto/1')).toEqual({ cached: 'HIT', body: { id: '1', runs: 1 } });
    expect(await get(two, 'auto/2')).toMatchObject({ cached: 'MISS' });
  });

  it('honours CacheKey and CacheTTL', async () => {
    const { body } = await get(one, 'keyed?any=1');
    await until(async () => (await one.cache.get('the-key')) !== undefined);
    expect(await get(one, 'keyed?any=2')).toEqual({ cached: 'HIT', body });
    expect(await one.cache.get('the-key')).toEqual(body);
    expect((await one.cache.ttl('the-key'))! - Date.now()).toBeLessThanOrEqual(60_000);
    await get(one, 'short');
    await until(async () => (await get(one, 'short')).cached === 'MISS');
  });

  it('has get, set, del, mget, mset, mdel, clear and ttl', async () => {
    const { cache } = one;
    await cache.set('a', 1);
    await cache.mset([
      { key: 'b', value: null },
      { key: 'c', value: 'c', ttl: 50_000 },
    ]);
    expect(await cache.mget(['a', 'b', 'c', 'd'])).toEqual([1, null, 'c', undefined]);
    expect(await two.cache.mget(['c', 'a'])).toEqual(['c', 1]);
    expect((await cache.ttl('c'))! - Date.now()).toBeGreaterThan(40_000);
    await cache.del('a');
    await cache.mdel(['b']);
    expect(await cache.mget(['a', 'b', 'c'])).toEqual([undefined, undefined, 'c']);
    await until(async () => (await two.cache.get('a')) === undefined);
    await cache.clear();
    expect(await cache.get('c')).toBeUndefined();
  });

  it('keeps values as they are, not as JSON', async () => {
    const value = { at: new Date(5), map: new Map([['k', 1n]]), bytes: Buffer.from('b'), list: [1] };
    await one.cache.set('typed', value);
    expect(await two.cache.get('typed')).toEqual(value);
    expect(Buffer.isBuffer((await two.cache.get<typeof value>('typed'))?.bytes)).toBe(true);
  });

  it('treats undefined as no entry, and a life of 0 as one without an end', async () => {
    const { cache } = one;
    await cache.set('gone', 1);
    await cache.set('gone', undefined);
    expect(await cache.get('gone')).toBeUndefined();
    await cache.set('endless', 1, 0);
    expect(await cache.get('endless')).toBe(1);
    expect(await cache.ttl('endless')).toBeUndefined();
    await cache.set('over', 1);
    await cache.set('over', 2, -5);
    expect(await cache.get('over')).toBeUndefined();
    await cache.set('fraction', 3, 10_000.5);
    expect(await cache.get('fraction')).toBe(3);
  });

  it('wraps a function: one run for all who miss together, none for undefined or an error to be kept', async () => {
    let runs = 0;
    const wrap = () => one.cache.wrap('wrapped', async () => Promise.resolve({ runs: ++runs }), 60_000);
    const all = await Promise.all(Array.from({ length: 50 }, wrap));
    expect(all.every((it) => it.runs === 1)).toBe(true);
    expect(await wrap()).toEqual({ runs: 1 });
    expect(await one.cache.get('wrapped')).toEqual({ runs: 1 });
    expect(await one.cache.wrap('raw', () => 1, { ttl: (it) => it * 5_000, raw: true })).toMatchObject({
      value: 1,
    });
    const nothing = () => one.cache.wrap('nothing', () => void ++runs);
    expect([await nothing(), await nothing(), runs]).toEqual([undefined, undefined, 3]);
    const failing = one.cache.wrap('failing', () => Promise.reject(new Error('down')));
    await expect(failing).rejects.toThrow('down');
    expect(await one.cache.wrap('failing', () => 'up')).toBe('up');
  });

  it('renews an entry behind the answer when less than refreshThreshold is left', async () => {
    let runs = 0;
    const wrap = () => one.cache.wrap('renewed', () => ++runs, { ttl: 60_000, refreshThreshold: 61_000 });
    expect(await wrap()).toBe(1);
    await until(async () => (await wrap()) > 1);
    expect(await one.cache.wrap('renewed', () => ++runs, { ttl: 60_000 })).toBeGreaterThan(1);
  });

  if (name === 'CacheManagerModule') {
    it('does not store a wrapped load that a del overtook', async () => {
      const old = Promise.withResolvers<string>();
      const before = one.cache.wrap('overtaken', () => old.promise);
      await one.cache.del('overtaken');
      old.resolve('old');
      expect(await before).toBe('old');
      expect(await one.cache.get('overtaken')).toBeUndefined();
    });

    it('hands out copies that the caller may change', async () => {
      await one.cache.set('mutable', { list: [1] });
      (await one.cache.get<{ list: number[] }>('mutable'))!.list.push(2);
      expect(await one.cache.get('mutable')).toEqual({ list: [1] });
    });

    it('gives the class Cache of that package too', () => {
      expect(one.app.get(NestCache)).toBe(one.cache);
    });
  }
});

describe('PeregrineKeyvStore', () => {
  it('works in a Keyv of your own, with its serialisation and its namespace', async () => {
    const cache = createCache();
    const keyv = new Keyv({ store: new PeregrineKeyvStore(cache.namespace('content')), namespace: 'mine' });
    await keyv.set('k', { a: 1 }, 10_000);
    expect(await keyv.get('k')).toEqual({ a: 1 });
    expect([await keyv.has('k'), await keyv.has('other')]).toEqual([true, false]);
    await keyv.deleteMany(['k']);
    expect(await keyv.get('k')).toBeUndefined();
    await cache.close();
  });

  it('keeps an entry alive for as long as its tiers do, though this clock is ahead', async () => {
    const cache = createCache();
    const store = new PeregrineKeyvStore(cache.namespace('content'));
    await store.set('k', { value: 1, expires: Date.now() - 3_600_000 }, 60_000);
    const keyv = createKeyv(cache.namespace('content'));
    expect([await keyv.get('k'), await keyv.getMany(['k'])]).toEqual([1, [1]]);
    await cache.close();
  });
});
