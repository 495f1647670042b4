import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, Param, Scope, SetMetadata } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CacheModule } from '../src/cache.module.js';
import { Cache } from '../src/cache.service.js';
import { bindCache } from '../src/nest/cached-method.js';
import { Cacheable, CacheEvict } from '../src/nest/decorators.js';
import { Applications, Articles } from './nest-articles.js';

describe('the decorators in an application', () => {
  const apps = new Applications();
  afterEach(() => apps.close());

  it('work in request-scoped and transient providers, and in what factories and values bring', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends Articles {
      constructor(@Inject(REQUEST) readonly request: unknown) {
        super();
      }
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient extends Articles {}
    class Made extends Articles {}
    const value = new (class Value extends Articles {})();
    const module = await apps.start({
      providers: [
        PerRequest,
        Transient,
        { provide: 'made', useFactory: () => new Made() },
        { provide: 'value', useValue: value },
      ],
    });
    const two = await Promise.all([module.resolve(PerRequest), module.resolve(PerRequest)]);
    expect(two[0]).not.toBe(two[1]);
    expect(await two[1].search(['per request'])).toBe(await two[0].search(['per request']));
    expect(two[0].runs + two[1].runs).toBe(1);
    const transient = await module.resolve(Transient);
    for (const it of [transient, module.get<Made>('made'), value]) {
      expect([await it.search(['x']), await it.search(['x'])]).toEqual([1, 1]);
    }
  });

  it('let subclasses inherit a method without sharing entries, and call the method they override', async () => {
    class Base {
      constructor(private readonly kind = 'base') {}
      @Cacheable()
      load(id: string): Promise<string> {
        return Promise.resolve(`${this.kind} ${id}`);
      }
    }
    @Injectable()
    class Users extends Base {
      constructor() {
        super('user');
      }
    }
    @Injectable()
    class Posts extends Base {
      constructor() {
        super('post');
      }
      @Cacheable()
      override async load(id: string): Promise<string> {
        return `${await super.load(id)}!`;
      }
    }
    const module = await apps.start({ providers: [Users, Posts] });
    expect(await module.get(Users).load('1')).toBe('user 1');
    expect(await module.get(Posts).load('1')).toBe('post 1!');
  });

  it('keep apart two applications in one process', async () => {
    const [one, two] = [await apps.articles(), await apps.articles()];
    await one.find('1');
    await one.find('1');
    expect((await two.find('1')).runs).toBe(1);
  });

  it('fail the start and name the module to import when there is no cache', async () => {
    const build = Test.createTestingModule({ providers: [Articles] }).compile();
    await expect(build).rejects.toThrow(/Articles[^]*import CacheModule\.forRoot\(\) of @peregrine\/cache/);
  });

  it('fail the start for a namespace that is not declared', async () => {
    class Wrong {
      @Cacheable({ namespace: 'nowhere' })
      load(): Promise<number> {
        return Promise.resolve(1);
      }
    }
    await expect(apps.start({ providers: [Wrong] })).rejects.toMatchObject({
      code: 'CACHE_UNKNOWN_NAMESPACE',
    });
  });

  it('fail the start when two classes of one name would share default keys', async () => {
    const make = () => {
      class Twin {
        @Cacheable()
        load(): Promise<number> {
          return Promise.resolve(1);
        }
      }
      return Twin;
    };
    const build = apps.start({
      providers: [
        { provide: 'a', useClass: make() },
        { provide: 'b', useClass: make() },
      ],
    });
    await expect(build).rejects.toMatchObject({ code: 'CACHE_KEY', method: 'Twin.load' });
  });

  it('reject calls on an object of your own until it is given a cache', async () => {
    const own = new Articles();
    await expect(own.find('1')).rejects.toMatchObject({ code: 'CACHE_NOT_INJECTED' });
    const module = await apps.start({});
    bindCache(own, module.get(Cache));
    expect([(await own.find('1')).runs, (await own.find('1')).runs]).toEqual([1, 1]);
  });

  it('refuse static methods, and an eviction that names nothing', () => {
    const descriptor = { value: () => Promise.resolve() };
    expect(() => Cacheable()(Articles, 'now', descriptor)).toThrow(/static/);
    expect(() => CacheEvict({})(Articles.prototype, 'now', descriptor)).toThrow(/name what to evict/);
  });

  it('keep name, length and the metadata of other decorators, whichever stands first', async () => {
    const Role = (role: string) => SetMetadata('role', role);
    @Controller('pages')
    class Pages {
      runs = 0;

      @Get('above/:id')
      @Role('reader')
      @Cacheable({ key: (id: string) => `above:${id}` })
      above(@Param('id') id: string): Promise<object> {
        return Promise.resolve({ id, runs: ++this.runs });
      }

      @Cacheable({ key: (id: string) => `below:${id}` })
      @Get('below/:id')
      @Role('reader')
      below(@Param('id') id: string): Promise<object> {
        return Promise.resolve({ id, runs: ++this.runs });
      }
    }
    for (const method of [Pages.prototype.above, Pages.prototype.below]) {
      expect(method).toHaveLength(1);
      expect(Reflect.getMetadata('role', method)).toBe('reader');
    }
    expect(Pages.prototype.below.name).toBe('below');
    const module = await Test.createTestingModule({
      imports: [CacheModule.forRoot({})],
      controllers: [Pages],
    }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    apps.add(app);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    for (const [path, runs] of [
      ['above/1', 1],
      ['above/1', 1],
      ['below/1', 2],
      ['below/1', 2],
    ] as const) {
      expect(await (await fetch(`${url}/pages/${path}`)).json()).toEqual({ id: '1', runs });
    }
  });

  it('find the cache of a module that is not global', async () => {
    @Module({
      imports: [CacheModule.forRoot({ isGlobal: false, prefix: 'own' })],
      providers: [Articles],
      exports: [Articles],
    })
    class Own {}
    const module = await apps.start({
      imports: [Own],
      providers: [{ provide: 'other', useClass: Articles }],
    });
    const [own, other] = [module.get(Articles), module.get<Articles>('other')];
    await own.find('1');
    await own.find('1');
    expect([own.runs, other.runs]).toEqual([1, 0]);
    await other.find('1');
    expect(other.runs).toBe(1);
  });
});
