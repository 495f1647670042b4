import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { CacheNamespace } from '../src/cache-namespace.js';
import { CacheModule } from '../src/cache.module.js';
import { Cache } from '../src/cache.service.js';
import { CacheHealthIndicator } from '../src/nest/cache-health.indicator.js';
import { getCacheNamespaceToken, InjectCache } from '../src/nest/inject-cache.js';
import { connected } from './open-caches.js';
import { redisUrl } from './redis-url.js';

@Injectable()
class Library {
  constructor(
    @InjectCache('content') readonly content: CacheNamespace,
    @InjectCache('books') readonly books: CacheNamespace,
  ) {}
}
@Module({ imports: [CacheModule.forFeature(['content', 'books'])], providers: [Library] })
class LibraryModule {}
/** Declares what the module above only names, and comes after it. */
@Module({ imports: [CacheModule.forFeature({ name: 'books', ttlMs: 7, encryption: undefined })] })
class BooksModule {}

// A Redis that is away is the subject here, not news.
const SILENT = { log: () => undefined, error: () => undefined, warn: () => undefined };

describe('CacheModule', () => {
  const open: { close(): Promise<void> }[] = [];
  const start = async (imports: ModuleMetadata['imports'], root = CacheModule.forRoot({})) => {
    const builder = Test.createTestingModule({ imports: [...(imports ?? []), root] }).setLogger(SILENT);
    const module = await builder.compile();
    open.push(await module.init());
    return module;
  };
  afterEach(() => Promise.all(open.splice(0).map((it) => it.close())));

  it('gives features their namespaces, whatever the order of the modules', async () => {
    const module = await start([LibraryModule, BooksModule]);
    const library = module.get(Library, { strict: false });
    const cache = module.get(Cache);
    expect(library.content).toBe(cache.namespace('content'));
    expect(library.books).toBe(cache.namespace('books'));
    expect(cache.stats().namespaces).toHaveProperty('books');
  });

  it('does the same when the options come from a factory', async () => {
    const root = CacheModule.forRootAsync({
      useFactory: async () => ({ namespaces: { own: { ttlMs: await Promise.resolve(5) } } }),
    });
    const module = await start([LibraryModule, BooksModule], root);
    expect(module.get(Library, { strict: false }).books.name).toBe('books');
    expect(module.get(Cache).namespace('own').name).toBe('own');
  });

  it('lets a feature declare a ready namespace with limits of its own', async () => {
    const module = await start([CacheModule.forFeature([{ name: 'content', ttlMs: 1, maxEntryBytes: 100 }])]);
    const content = module.get<CacheNamespace>(getCacheNamespaceToken('content'), { strict: false });
    expect(content).toBe(module.get(Cache).namespace('content'));
    await content.set('k', 'x'.repeat(1_000), { ttlMs: 60_000 });
    expect(await content.get('k')).toBeUndefined();
  });

  it('takes the same declaration twice and refuses different ones, without showing their values', async () => {
    const declare = (name: string, ttlMs: number) => CacheModule.forFeature([{ name, ttlMs }]);
    await expect(start([declare('a', 5), declare('a', 5)])).resolves.toBeDefined();
    await expect(start([declare('a', 51), declare('a', 52), declare('b', 5)])).rejects.toMatchObject({
      code: 'CACHE_OPTIONS',
      message: expect.stringMatching(/^(?!.*5[12])[^]*"a" is declared twice.*different ttlMs/),
    });
    const root = CacheModule.forRoot({ namespaces: { a: { ttlMs: 1 } } });
    await expect(start([declare('a', 2)], root)).rejects.toThrow(/"a" is declared twice/);
  });

  it('names every problem of the options, those of features too', async () => {
    const build = start(
      [CacheModule.forFeature({ name: 'a', ttlMs: -1 })],
      CacheModule.forRoot({ prefix: ':' }),
    );
    await expect(build).rejects.toThrow(/prefix[^]*namespaces\.a\.ttlMs|namespaces\.a\.ttlMs[^]*prefix/);
  });

  it('fails the start when a feature names a namespace that nobody declares, or forFeature is missing', async () => {
    await expect(start([LibraryModule])).rejects.toMatchObject({ code: 'CACHE_UNKNOWN_NAMESPACE' });
    @Module({ providers: [Library] })
    class WithoutFeature {}
    await expect(start([WithoutFeature])).rejects.toThrow(/CacheModule\.forFeature\('content'\)/);
  });

  it('declares namespaces of a module that is loaded later', async () => {
    const module = await start([]);
    const late = await module.get(LazyModuleLoader).load(() => BooksModule);
    expect(late.get(getCacheNamespaceToken('books'), { strict: false })).toBe(
      module.get(Cache).namespace('books'),
    );
  });

  it('is seen only by its importers with isGlobal: false', async () => {
    const root = CacheModule.forRoot({ isGlobal: false });
    @Module({ imports: [root], exports: [root] })
    class Shared {}
    await expect(start([LibraryModule, BooksModule], root)).rejects.toThrow(/Cache/);
    const module = await start([CacheModule.forFeature([{ name: 'a', ttlMs: 1 }], [Shared])], root);
    expect(module.get(getCacheNamespaceToken('a'), { strict: false })).toBeDefined();
  });

  it('tells health how the cache is, and is not down without Redis unless that was asked for', async () => {
    const module = await start(
      [],
      CacheModule.forRoot({ redis: { url: 'redis://127.0.0.1:1', timeoutMs: 50 } }),
    );
    const indicator = module.get(CacheHealthIndicator);
    const away = { status: 'up', redis: 'unavailable', coherent: false, pendingInvalidations: 0 };
    expect(indicator.isHealthy()).toEqual({ cache: away });
    expect(indicator.isHealthy('own', { required: true })).toEqual({ own: { ...away, status: 'down' } });
    const check = indicator.check();
    expect(check).toMatchObject({ name: 'cache', criticality: 'degraded' });
    await expect(check.check()).rejects.toThrow(/without Redis/);
    expect(indicator.check({ required: true }).criticality).toBe('critical');
  });

  it('is healthy on memory alone, and with Redis at hand', async () => {
    const alone = (await start([])).get(CacheHealthIndicator);
    expect(alone.isHealthy()).toMatchObject({ cache: { status: 'up', redis: 'not configured' } });
    await expect(alone.check().check()).resolves.toBeUndefined();
    const options = { prefix: 'peregrine-test-health', redis: { url: redisUrl(), timeoutMs: 1_000 } };
    const module = await start([], CacheModule.forRoot(options));
    await connected(module.get(Cache));
    const indicator = module.get(CacheHealthIndicator);
    expect(indicator.isHealthy('c', { required: true })).toMatchObject({
      c: { status: 'up', redis: 'available' },
    });
    await expect(indicator.check().check()).resolves.toBeUndefined();
  });
});
