import { describe, expect, it } from '@jest/globals';
import { CacheOptionsError } from './cache.errors.js';
import { parseCacheOptions, type CacheOptionsInput } from './cache.options.js';

describe('parseCacheOptions', () => {
  it('fills in the defaults and the ready namespaces', () => {
    const ready = (ttlMs: number) => ({
      ttlMs,
      maxEntryBytes: 100 * 1024 ** 2,
      schemaVersion: 0,
      compression: { algorithm: 'auto', minBytes: 4_096 },
    });
    expect(parseCacheOptions()).toEqual({
      prefix: 'peregrine',
      memory: { maxBytes: 1024 ** 3, maxEntries: 50_000, sweepIntervalMs: 300_000 },
      namespaces: {
        default: ready(3_600_000),
        content: ready(3_600_000),
        search: ready(1_800_000),
        query: ready(300_000),
      },
    });
  });

  it('adds namespaces and lets a ready one be declared again', () => {
    const { namespaces } = parseCacheOptions({ namespaces: { ai: { ttlMs: 1 }, query: { ttlMs: 2 } } });
    expect(namespaces['ai']?.ttlMs).toBe(1);
    expect(namespaces['query']?.ttlMs).toBe(2);
    expect(namespaces['content']?.ttlMs).toBe(3_600_000);
  });

  it('lists every problem at once', () => {
    const wrong = { prefx: 'x', memory: { maxBytes: 0 }, redis: { url: 'http://x' } } as CacheOptionsInput;
    expect(() => parseCacheOptions(wrong)).toThrow(CacheOptionsError);
    for (const name of [/prefx/, /maxBytes/, /redis:\/\//])
      expect(() => parseCacheOptions(wrong)).toThrow(name);
  });

  it.each(['a:b', '', '1st', 'x'.repeat(65)])('refuses the namespace name %p', (name) => {
    expect(() => parseCacheOptions({ namespaces: { [name]: { ttlMs: 1 } } })).toThrow(CacheOptionsError);
  });
});
