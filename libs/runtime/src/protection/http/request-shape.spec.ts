import { describe, expect, it } from '@jest/globals';
import { isDeeperThan } from './request-shape.js';

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: [1, nested(depth - 1)] });

describe('how deep JSON is', () => {
  it('counts lists and objects, and nothing else', () => {
    expect(isDeeperThan(nested(16), 32)).toBe(false);
    expect(isDeeperThan({ a: nested(16) }, 32)).toBe(true);
    for (const flat of [undefined, null, 'text', 1, [], {}, [1, 2], new Date(), Buffer.from('x')]) {
      expect(isDeeperThan(flat, 1)).toBe(false);
    }
  });

  it('does not recurse', () => {
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;
    expect(isDeeperThan(deep, 32)).toBe(true);
    expect(isDeeperThan(deep, 300_000)).toBe(false);
  });
});
