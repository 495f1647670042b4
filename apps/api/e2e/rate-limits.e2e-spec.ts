import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, Platform } from './support/platform.js';
import { Relay } from './support/relay.js';
import { until } from './support/until.js';

const KEY_BURST = 40;
const ADDRESS_BURST = 30;
const FAILURES = 5;

/** Nothing flows in while a test runs, or next to nothing. */
const LIMITS = {
  RATE_LIMIT_LOCAL: 'true',
  TRUSTED_PROXY_HOPS: '1',
  RATE_LIMIT_KEY_PER_SECOND: '1',
  RATE_LIMIT_KEY_BURST: String(KEY_BURST),
  RATE_LIMIT_ADDRESS_PER_SECOND: '1',
  RATE_LIMIT_ADDRESS_BURST: String(ADDRESS_BURST),
  RATE_LIMIT_FAILURES_PER_MINUTE: String(FAILURES),
  // A busy machine is no reason to count alone.
  RATE_LIMIT_STORE_TIMEOUT_MS: '60000',
};

const from = (address: string) => ({ 'x-forwarded-for': address });

const refused = (answers: Answer[]) => answers.filter((it) => it.status === 429);

describe.each([
  ['Redis', true],
  ['PostgreSQL', false],
])('rate limits over %s', (_, redis) => {
  let platform: Platform;
  let second: string;

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0, redis, env: LIMITS });
    second = await platform.spawn('api').listening();
  }, 180_000);
  afterAll(() => platform?.stop());

  const list = (key: string, url: string, address = '203.0.113.1') =>
    platform.request('GET', '/workspaces', { key, url, headers: from(address) });

  it('hold for a key over all processes, and say so in headers and a problem', async () => {
    const key = await platform.createKey(['content:read']);
    // The first request of a key in a process is its address's.
    const [first] = await Promise.all([list(key, platform.url), list(key, second)]);
    expect(first.headers.get('ratelimit-policy')).toBe(`"address";q=${ADDRESS_BURST};w=${ADDRESS_BURST}`);
    const startedAt = performance.now();
    const answers: Answer[] = [];
    for (let round = 0; round < 4; round++) {
      const some = Array.from({ length: KEY_BURST / 2 }, (_unused, index) =>
        list(key, index % 2 === 0 ? platform.url : second),
      );
      answers.push(...(await Promise.all(some)));
    }
    const flowedIn = Math.ceil((performance.now() - startedAt) / 1_000) + 1;
    const allowed = answers.filter((it) => it.status === 200);
    expect(allowed.length).toBeLessThanOrEqual(KEY_BURST + flowedIn);
    expect(allowed.length).toBeGreaterThanOrEqual(KEY_BURST);
    expect(allowed[0]?.headers.get('ratelimit-policy')).toBe(`"key";q=${KEY_BURST};w=${KEY_BURST}`);
    expect(allowed[0]?.headers.get('ratelimit')).toMatch(/^"key";r=\d+;t=\d+$/);
    expect(allowed[0]?.headers.get('server-timing')).toMatch(/(?:^|, )limits;dur=/);

    const [no] = refused(answers);
    expect(no).toMatchObject({ body: { status: 429, code: 'RATE_LIMITED', requestId: expect.any(String) } });
    expect(Number(no?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(no?.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
    expect(no?.headers.get('content-type')).toContain('application/problem+json');
    // Another key has its own.
    const other = await platform.createKey(['content:read']);
    expect((await list(other, platform.url)).status).toBe(200);
  });

  it('hold for a /64 without a key, and not for probes', async () => {
    const without = (address: string, path = '/workspaces') =>
      platform.request('GET', path, { key: '', headers: from(address) });
    const flood = await Promise.all(
      Array.from({ length: ADDRESS_BURST * 2 }, (_unused, host) =>
        without(`2001:db8:0:1::${host.toString(16)}`),
      ),
    );
    expect(refused(flood).length).toBeGreaterThanOrEqual(1);
    expect(flood.filter((it) => it.status === 401).length).toBeGreaterThanOrEqual(ADDRESS_BURST);
    expect((await without('2001:db8:0:2::1')).status).toBe(401);
    const probes = await Promise.all(
      Array.from({ length: ADDRESS_BURST * 2 }, () => without('2001:db8:0:1::1', '/health/live')),
    );
    expect(probes.every((it) => it.status === 200 && it.headers.get('ratelimit') === null)).toBe(true);
  });

  it('let in known keys alone from where wrong ones come', async () => {
    const attacker = '198.51.100.7';
    const known = await platform.createKey(['content:read']);
    await list(known, platform.url, attacker);
    const guess = (turn: number) => list(`pgn_${String(turn).padStart(43, 'x')}`, platform.url, attacker);
    // One after another, since what came together was judged together.
    const answers: Answer[] = [];
    await until(async () => {
      answers.push(await guess(answers.length));
      return answers.at(-1)?.status === 429;
    });
    expect(answers.length).toBeGreaterThan(FAILURES);
    expect(answers.at(-1)?.headers.get('ratelimit-policy')).toContain('"failures"');
    const login = await platform.request('POST', '/console/api/session', {
      key: '',
      body: { key: 'wrong' },
      headers: from(attacker),
    });
    expect(login.status).toBe(429);
    expect((await list(known, platform.url, attacker)).status).toBe(200);
    const fresh = await platform.createKey(['content:read']);
    expect((await list(fresh, platform.url, attacker)).status).toBe(429);
    expect((await list(fresh, platform.url, '198.51.100.8')).status).toBe(200);
  });

  it('make dear what is dear', async () => {
    const key = await platform.createKey(['content:read', 'content:write']);
    const created = await platform.request('POST', '/workspaces', {
      key: platform.adminKey,
      body: { name: 'dear' },
      headers: from('203.0.113.9'),
    });
    const form = () =>
      platform.request('POST', `/workspaces/${created.body.id as string}/files`, {
        key,
        body: new FormData(),
      });
    await platform.request('GET', '/workspaces', { key, headers: from('203.0.113.9') });
    const left = async () => /r=(\d+)/.exec((await form()).headers.get('ratelimit') ?? '')?.[1];
    const [before, after] = [Number(await left()), Number(await left())];
    expect(before - after).toBeGreaterThanOrEqual(8);
  });
});

describe('rate limits whose store is gone', () => {
  let platform: Platform;
  afterAll(() => platform?.stop());

  it('are held by each process alone, and fail no request', async () => {
    const relay = await Relay.start();
    relay.target = (process.env['REDIS_URL'] ?? '').replace(/^redis:/, 'http:');
    platform = await Platform.start({
      workers: 0,
      env: {
        ...LIMITS,
        REDIS_URL: `redis://127.0.0.1:${relay.port}`,
        RATE_LIMIT_ADDRESS_BURST: '200',
        RATE_LIMIT_STORE_TIMEOUT_MS: '500',
      },
    });
    await platform.request('GET', '/workspaces');
    relay.stop();
    const answers: Answer[] = [];
    await until(async () => {
      answers.push(await platform.request('GET', '/workspaces'));
      return answers.at(-1)?.status === 429;
    });
    const served = answers.slice(0, -1);
    expect(served.every((it) => it.status === 200)).toBe(true);
    expect(served.length).toBeGreaterThanOrEqual(KEY_BURST);
    // Why, operators are told; a probe only says that.
    const down = async () => {
      const { body } = await platform.request('GET', '/meta/health', { key: platform.adminKey });
      const checks = body.checks as { name: string; criticality: string; status: string; reason: string }[];
      return checks.find((it) => it.name === 'cache' && it.status === 'down');
    };
    await until(async () => (await down()) !== undefined);
    expect(await down()).toMatchObject({ criticality: 'degraded', reason: expect.stringMatching(/\w/) });
    // The wait above may have given the key a token again.
    await until(async () => (await platform.request('GET', '/meta/health')).status === 429);
    const probe = await platform.request('GET', '/health/ready', { key: '' });
    expect(JSON.stringify(probe.body)).not.toContain('reason');
    const figures = await platform.request('GET', '/metrics', { key: '' });
    expect(figures.body).toMatch(/^protection_rate_store_up 0$/m);
    expect(figures.body).toMatch(/^protection_rate_fallbacks_total [1-9]/m);
    expect(figures.body).toMatch(/^protection_rate_refused_total{policy="key"} [1-9]/m);
  }, 180_000);
});
