import { afterAll, beforeAll, describe, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createRedisClient, type RedisClient } from '../../src/redis/redis-client.js';
import { RedisServer } from '../redis-server.js';
import { Instances } from './instances.js';
import { NAMES, scenario } from './steps.js';
import { MEMORY_TTL_MS, NAMESPACES, type NamespaceName } from './world-terms.js';
import { World } from './world.js';

/** The scenarios of this seed are the same in every run; those of the other test are new ones. */
const FIXED_SEED = 20_260_301;
/** `CACHE_PROOF_SEED`, and `CACHE_PROOF_PATH` up to its first colon, repeat a failure: fast-check prints both. */
const SEED = Number(process.env['CACHE_PROOF_SEED'] ?? Date.now() % 2 ** 31);
const PATH = process.env['CACHE_PROOF_PATH'];
/** Longest time of each of the two tests, seconds; more finds more. */
const SECONDS = Number(process.env['CACHE_PROOF_SECONDS'] ?? 14);
/** Groups of caches that are put to the test beside each other; each waits for its network most of the time. */
const GROUPS = 3;
const DEADLINE_MS = 150;

describe('the cache, by its model', () => {
  let server: RedisServer;
  let admin: RedisClient;
  let groups: Instances[];
  let runs = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
    admin = createRedisClient({ url: server.url });
    await admin.connect();
    groups = await Promise.all(Array.from({ length: GROUPS }, (_, i) => openGroup(`proof-${i}`)));
  });
  afterAll(async () => {
    await Promise.all(groups.map((it) => it.close()));
    await admin.disconnect();
    await server.remove();
  });

  async function openGroup(prefix: string): Promise<Instances> {
    const options = { prefix, namespaces: NAMESPACES, memory: { ttlMs: MEMORY_TTL_MS } };
    const group = new Instances(server.url, options, DEADLINE_MS);
    for (let i = 0; i < 3; i++) await group.open(i + 1);
    return group;
  }

  const points = (Object.keys(NAMESPACES) as NamespaceName[]).flatMap((namespace) =>
    NAMES.map((name) => ({ namespace, name })),
  );

  function prove(instances: Instances, seed: number, path?: string): Promise<void> {
    const property = fc.asyncProperty(scenario, async (steps) => {
      const world = new World(instances, `r${runs++}`);
      const stage = { world, instances, wipeRedis: () => admin.sendCommand(['FLUSHALL']) };
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: stage }), steps);
        await world.end(points);
      } finally {
        await instances.settle();
      }
    });
    return fc.assert(property, {
      seed,
      ...(path !== undefined && { path }),
      numRuns: 100_000,
      interruptAfterTimeLimit: SECONDS * 1_000,
      verbose: 1,
    });
  }

  const proveInGroups = (seed: number, path?: string) =>
    Promise.all(groups.map((group, i) => prove(group, seed + i, i === 0 ? path : undefined)));

  it(
    'serves nothing overtaken or expired, loads once for a flight, and answers everybody (fixed seed)',
    async () => {
      await proveInGroups(FIXED_SEED);
    },
    (SECONDS + 60) * 1_000,
  );

  it(
    `does so in scenarios that nobody has seen before (CACHE_PROOF_SEED=${SEED})`,
    async () => {
      await proveInGroups(SEED, PATH);
      console.info(`The model held in ${runs} scenarios`);
    },
    (SECONDS + 60) * 1_000,
  );
});
