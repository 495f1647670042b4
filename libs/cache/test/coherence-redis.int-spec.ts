import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { removeRedisKeys } from '../src/testing/remove-redis-keys.js';
import type { Cache } from '../src/index.js';
import { OpenCaches } from './open-caches.js';
import { RedisCluster } from './redis-cluster.js';
import { redisUrl } from './redis-url.js';
import { until } from './until.js';

interface Write {
  do: 'write';
  at: number;
  how: 'delete' | 'set' | 'tag' | 'clear' | 'flush';
}
type Step = { do: 'load' | 'get'; at: number } | { do: 'finish'; which: number } | Write;

const at = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('load' as const, 'get' as const), at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      at,
      how: fc.constantFrom(
        'delete' as const,
        'set' as const,
        'tag' as const,
        'clear' as const,
        'flush' as const,
      ),
    }),
  },
);

describe.each([
  { where: 'one Redis', numRuns: 150 },
  { where: 'a cluster', numRuns: 60 },
])('coherence of two processes on $where', ({ where, numRuns }) => {
  let cluster: RedisCluster | undefined;
  let caches: OpenCaches;
  let both: Cache[];
  let runs = 0;

  beforeAll(async () => {
    if (where === 'a cluster') cluster = await RedisCluster.start();
    caches = new OpenCaches(
      cluster === undefined ? redisUrl() : { cluster: { nodes: cluster.urls, buckets: 8 } },
    );
    both = [await caches.connect(), await caches.connect()];
    const placed = (it: Cache) =>
      it.stats().redis.servers.reduce((sum, { ready, buckets }) => sum + (ready ? buckets : 0), 0);
    await until(() => both.every((it) => placed(it) === (cluster === undefined ? 1 : 8)));
  }, 60_000);
  afterAll(async () => {
    await caches.close();
    if (cluster === undefined) await removeRedisKeys(redisUrl(), caches.prefix);
    await cluster?.remove();
  });

  /** Every message sent so far has been handled by the other process. */
  const heard = async () => {
    const before = both.map((it) => it.stats().redis.messages);
    await Promise.all(both.map((it) => it.namespace('query').invalidate('nothing')));
    await until(() => both.every((it, i) => it.stats().redis.messages > before[i]!));
  };

  async function play(steps: readonly Step[]): Promise<void> {
    const key = `k${runs++}`;
    const tags = [`t-${key}`];
    const running: (() => void)[] = [];
    const callers: Promise<void>[] = [];
    let version = 0;
    const namespace = (index: number) => both[index]!.namespace('content');
    const read = (answer: Promise<number | undefined>) => {
      const atLeast = version;
      callers.push(answer.then((it) => expect(it ?? atLeast).toBeGreaterThanOrEqual(atLeast)));
    };
    const load = () => {
      const loaded = version;
      return new Promise<number>((resolve) => running.push(() => resolve(loaded)));
    };
    const finish = (which: number) => running.splice(which % (running.length || 1), 1)[0]?.();
    const write = (it: Write) => {
      version++;
      if (it.how === 'delete') return namespace(it.at).invalidate(key);
      if (it.how === 'set') return namespace(it.at).set(key, version, { tags });
      if (it.how === 'tag') return namespace(it.at).invalidateTags(tags);
      return it.how === 'clear' ? namespace(it.at).clear() : both[it.at]!.flush();
    };
    for (const it of steps) {
      if (it.do === 'load') read(namespace(it.at).getOrSet(key, load, { tags }));
      else if (it.do === 'get') read(namespace(it.at).get<number>(key));
      else if (it.do === 'write') await write(it).then(heard);
      else if (it.do === 'finish') finish(it.which);
    }
    let settled = false;
    const all = Promise.all(callers).finally(() => (settled = true));
    await until(() => {
      finish(0);
      return settled;
    });
    await all;
    await heard();
    for (const index of [0, 1, 0]) {
      expect((await namespace(index).get<number>(key)) ?? version).toBe(version);
    }
  }

  it('never keeps, in any tier, a value older than the last write that all have heard of', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), play), {
      numRuns,
    });
  }, 60_000);
});
