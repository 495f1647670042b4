import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Origin } from '../src/origin/origin.js';
import { PROBE_CHECKS, runFuzz, runProbe, writeProbeFixture } from '../src/testing/index.js';
import { closeServer, listen } from './listening.js';

describe('the origin, probed over raw sockets', () => {
  let parent: string;
  let server: Server;
  let base: URL;
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'peregrine-cdn-probe-'));
    const origin = await new Origin({ root: await writeProbeFixture(parent) }).open();
    server = createServer(origin.listener);
    base = await listen(server);
  });
  afterAll(async () => {
    await closeServer(server);
    await rm(parent, { recursive: true, force: true });
  });

  it.each(PROBE_CHECKS.map((check) => [check.group, check.title, check] as const))(
    '%s: %s',
    async (_, __, check) => {
      const [result] = await runProbe(base, { checks: [check] });
      expect(result?.problem).toBeUndefined();
    },
  );

  it('survives 5,000 requests that nobody would send', async () => {
    const { problems, statuses } = await runFuzz(base, { requests: 5_000, seed: 20_261_121 });
    expect(problems).toEqual([]);
    for (const status of [200, 206, 304, 308, 400, 403, 404, 406, 412, 416])
      expect(statuses[status]).toBeGreaterThan(0);
  });

  it('has at least 80 checks with titles of their own', () => {
    expect(new Set(PROBE_CHECKS.map((it) => `${it.group} ${it.title}`)).size).toBe(PROBE_CHECKS.length);
    expect(PROBE_CHECKS.length).toBeGreaterThanOrEqual(80);
  });
});
