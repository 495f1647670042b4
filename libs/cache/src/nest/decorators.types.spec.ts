import { describe, expect, it } from '@jest/globals';
import { Cacheable, CacheEvict, CachePut } from './decorators.js';

/**
 * Never run: the compiler is the test. Each `@ts-expect-error` is an error itself where the compiler finds nothing.
 */
export class Typed {
  @Cacheable()
  plain(_id: string): Promise<number> {
    return Promise.resolve(1);
  }

  @Cacheable({ ttlMs: 5, tags: ['all'], staleWhileRevalidateMs: 5, singleFlight: 'cluster' })
  withoutFunctions(_id: string): Promise<number> {
    return Promise.resolve(1);
  }

  @Cacheable({
    namespace: 'content',
    key: (id: string) => id,
    tags: (id: string, language?: string) => [`${id}:${language}`],
    condition: (id: string) => id !== '',
    contentHashes: () => ['h'],
  })
  fewerParameters(_id: string, _language?: string): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error the key takes a number, the method a string
  @Cacheable({ key: (id: number) => `${id}` })
  wrongKey(_id: string): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error the tags take a parameter that the method does not have
  @Cacheable({ key: (id: string) => id, tags: (_id: string, more: string) => [more] })
  wrongTags(_id: string): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error the second parameter may be missing
  @Cacheable({ key: (id: string, language: string) => id + language })
  optional(_id: string, _language?: string): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error a method that returns no promise
  @Cacheable({ key: (id: string) => id })
  sync(_id: string): number {
    return 1;
  }

  // @ts-expect-error a key is text
  @Cacheable({ key: (id: number) => id })
  numberKey(_id: number): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error there is no option "ttl"
  @Cacheable({ ttl: 5 })
  misspelt(_id: string): Promise<number> {
    return Promise.resolve(1);
  }

  @CachePut({ key: (result: { id: string }) => result.id, tags: (_: unknown, text: string) => [text] })
  put(_text: string): Promise<{ id: string; text: string }> {
    return Promise.resolve({ id: '1', text: '' });
  }

  // @ts-expect-error the result has no such form
  @CachePut({ key: (result: { id: number }) => `${result.id}` })
  wrongPut(_text: string): Promise<{ id: string }> {
    return Promise.resolve({ id: '1' });
  }

  @CacheEvict({ key: (id: string) => id, keys: () => ['list'], when: 'before' })
  evict(_id: string, _text: string): Promise<void> {
    return Promise.resolve();
  }

  @CacheEvict({ allEntries: true })
  evictAll(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error the tags take an object, the method a string
  @CacheEvict({ tags: (it: { id: string }) => [it.id] })
  wrongEvict(_id: string): Promise<void> {
    return Promise.resolve();
  }
}

describe('the types of the decorators', () => {
  it('compile, as does this file', () => {
    expect(Typed).toBeInstanceOf(Function);
  });
});
