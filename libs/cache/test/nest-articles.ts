import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CacheModule } from '../src/cache.module.js';
import { currentLoad } from '../src/nest/cached-method.js';
import { Cacheable, CacheEvict, CachePut } from '../src/nest/decorators.js';

export interface Article {
  readonly id: string;
  readonly text: string;
  readonly runs: number;
}

/** A provider whose methods carry the decorators in all their forms; `runs` counts how often one ran. */
@Injectable()
export class Articles {
  runs = 0;

  @Cacheable({ namespace: 'content', key: (id: string) => id, tags: (id: string) => ['articles', `a:${id}`] })
  find(id: string): Promise<Article> {
    return Promise.resolve({ id, text: 'old', runs: ++this.runs });
  }

  @Cacheable()
  search(_words: string[], _filter?: { language?: string; page?: number }): Promise<number> {
    return Promise.resolve(++this.runs);
  }

  throughThis(id: string): Promise<Article> {
    return this.find(id);
  }

  @CachePut({ namespace: 'content', key: (it: Article) => it.id, tags: (it: Article) => [`a:${it.id}`] })
  write(id: string, text: string): Promise<Article> {
    return Promise.resolve({ id, text, runs: ++this.runs });
  }

  @CacheEvict({ namespace: 'content', key: (id: string) => id })
  remove(_id: string, error?: Error): Promise<string> {
    return error === undefined ? Promise.resolve('removed') : Promise.reject(error);
  }

  @CacheEvict({ namespace: 'content', keys: (ids: readonly string[]) => ids, when: 'before' })
  removeMany(_ids: readonly string[], error?: Error): Promise<void> {
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  }

  @CacheEvict({ namespace: 'content', tags: ['articles'] })
  removeTagged(): Promise<void> {
    return Promise.resolve();
  }

  @CacheEvict({ namespace: 'content', allEntries: true, condition: (really: boolean) => really })
  removeAll(_really: boolean): Promise<void> {
    return Promise.resolve();
  }

  @Cacheable({
    namespace: 'content',
    key: (hash: string) => `page:${hash}`,
    contentHashes: (hash: string) => [hash],
  })
  render(_hash: string): Promise<number> {
    return Promise.resolve(++this.runs);
  }

  @CacheEvict({ contentHashes: (hash: string) => [hash] })
  contentChanged(_hash: string): Promise<void> {
    return Promise.resolve();
  }

  @Cacheable({
    key: (id: string) => (id === 'none' ? undefined : id),
    condition: (id: string) => id !== 'skip',
  })
  sometimes(_id: string): Promise<number> {
    return Promise.resolve(++this.runs);
  }

  @Cacheable({ key: (id: string) => `short:${id}` })
  shortLived(id: string): Promise<number> {
    if (id !== 'kept') currentLoad()?.doNotStore();
    return Promise.resolve(++this.runs);
  }

  // Evicts the list and caches the count: decorators stack in any order.
  @Cacheable({ namespace: 'search', key: (id: string) => `count:${id}` })
  @CacheEvict({ namespace: 'content', key: (id: string) => id })
  stacked(_id: string): Promise<number> {
    return Promise.resolve(++this.runs);
  }

  @Cacheable({ key: (id: string) => id.toUpperCase() })
  failing(_id: string): Promise<never> {
    throw new Error('before the first await');
  }

  @Cacheable()
  withFunction(_run: () => void): Promise<number> {
    return Promise.resolve(++this.runs);
  }
}

/** Applications of one test file, each with a cache in memory. */
export class Applications {
  readonly #open: { close(): Promise<void> }[] = [];

  async start(metadata: ModuleMetadata) {
    const imports = [CacheModule.forRoot({}), ...(metadata.imports ?? [])];
    const module = await Test.createTestingModule({ ...metadata, imports }).compile();
    this.#open.push(await module.init());
    return module;
  }

  async articles(): Promise<Articles> {
    return (await this.start({ providers: [Articles] })).get(Articles);
  }

  add<T extends { close(): Promise<void> }>(application: T): T {
    this.#open.push(application);
    return application;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((it) => it.close()));
  }
}
