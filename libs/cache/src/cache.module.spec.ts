import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CacheModule } from './cache.module.js';
import { Cache } from './cache.service.js';

@Module({
  providers: [{ provide: 'user', inject: [Cache], useFactory: (cache: Cache) => cache }],
  exports: ['user'],
})
class FeatureModule {}

describe('CacheModule', () => {
  it('gives a cache, to every module when it is global', async () => {
    const app = await Test.createTestingModule({
      imports: [CacheModule.forRoot({ isGlobal: true }), FeatureModule],
    }).compile();
    await app.init();
    const cache = app.get(Cache);
    expect(app.get('user')).toBe(cache);
    expect(await cache.namespace('query').getOrSet('k', () => Promise.resolve(1))).toBe(1);
    await app.close();
  });

  it('takes its options from a factory', async () => {
    const app = await Test.createTestingModule({
      imports: [CacheModule.forRootAsync({ useFactory: () => ({ namespaces: { own: { ttlMs: 5 } } }) })],
    }).compile();
    expect(app.get(Cache).namespace('own').name).toBe('own');
    await app.close();
  });

  it('fails the start of the application on wrong options', async () => {
    const build = Test.createTestingModule({ imports: [CacheModule.forRoot({ prefix: 'a:b' })] }).compile();
    await expect(build).rejects.toMatchObject({ code: 'CACHE_OPTIONS' });
  });
});
