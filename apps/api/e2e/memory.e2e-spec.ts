import { afterEach, describe, expect, it } from '@jest/globals';
import autocannon from 'autocannon';
import { fileURLToPath } from 'node:url';
import { type Ended, type ServiceProcess } from './support/service-process.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const KEEP_MEMORY = fileURLToPath(new URL('support/preload/keep-memory.mjs', import.meta.url));

/** 100 requests a second keep 9 MiB a second for 30 s, which is more than the heap has. */
const HUNGRY = {
  NODE_OPTIONS: `--max-old-space-size=256 --max-semi-space-size=4 --import ${KEEP_MEMORY}`,
  KEEP_KIB: '96',
  KEEP_MS: '30000',
};
const REQUESTS_A_SECOND = 100;

describe('an api that runs short of memory', () => {
  let platform: Platform;
  afterEach(() => platform?.stop());

  /** The value of a metric without labels, or with these. */
  const metric = async (name: string, labels = '') => {
    const { body } = await platform.request('GET', '/metrics');
    const line = (body as string).split('\n').find((it) => it.startsWith(`${name}${labels} `));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  const start = async (env: Record<string, string>) => {
    platform = await Platform.start({ workers: 0, env });
    const workspace = await platform.createWorkspace();
    const { file } = await platform.upload(workspace, 'hot.txt', 'hot '.repeat(5_000));
    return `/workspaces/${workspace}/files/${file.id}/content`;
  };
  const load = (path: string, seconds: number) =>
    autocannon({
      url: `${platform.url}/api/v1${path}`,
      headers: { authorization: `Bearer ${platform.apiKey}` },
      connections: 20,
      overallRate: REQUESTS_A_SECOND,
      duration: seconds,
    });
  const hasEnded = (process: ServiceProcess): Promise<Ended | undefined> =>
    Promise.race([process.ended(), Promise.resolve(undefined)]);

  it('gives its cache back, refuses requests, tells operators, survives, and recovers', async () => {
    const path = await start(HUNGRY);
    const loading = load(path, 40);
    await until(async () => (await metric('memory_pressure_level')) === 2);

    const refused = await platform.request('GET', path);
    expect(refused).toMatchObject({ status: 503, body: { code: 'OVERLOADED', status: 503 } });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(refused.headers.get('x-request-id')).toBe(refused.body.requestId);
    const ready = await platform.request('GET', '/health/ready');
    expect(ready.status).toBe(200);
    expect((await platform.request('GET', '/health/live')).status).toBe(200);
    expect((await platform.request('GET', '/meta/metrics', { key: platform.adminKey })).status).toBe(200);
    await until(async () => {
      const { body } = await platform.request('GET', '/health/ready');
      return body.status === 'degraded' && body.checks.memory.status === 'down';
    });

    await loading;
    await until(async () => (await metric('memory_pressure_level')) === 0, 120_000);
    expect((await platform.request('GET', path)).status).toBe(200);
    expect(await hasEnded(platform.api)).toBeUndefined();
    expect(await metric('memory_freed_bytes_total', '{consumer="cache"}')).toBeGreaterThan(0);
    expect(await metric('memory_shed_requests_total')).toBeGreaterThan(0);
    // Each level that began or ended is told once, with figures.
    const told = platform.api.output.match(/new work is refused \(\w+ -> shed\)[^"\n]*/g) ?? [];
    expect(told[0]).toMatch(/live heap [\d.]+ MiB of [\d.]+ MiB \(\d+\.\d %\)/);
    expect(platform.api.output).not.toContain('failed with 503');
  }, 300_000);

  it('and a worker that does begins no task, while another one does', async () => {
    platform = await Platform.start({ workers: 0 });
    const workspace = await platform.createWorkspace();
    // What a process of Node has from the start is more than this.
    const url = await platform.spawn('worker', { MEMORY_LIMIT_BYTES: '67108864' }).listening();
    const levelOfWorker = async () => {
      const { body } = await platform.request('GET', '/metrics', { url });
      return /^memory_pressure_level (\d)$/m.exec(body as string)?.[1];
    };
    const pending = async () =>
      (await platform.request('GET', `/workspaces/${workspace}/statistics`)).body.byStatus.pending as number;
    await until(async () => (await levelOfWorker()) === '2');
    await platform.upload(workspace, 'late.txt', 'a late kestrel');
    // Ten looks: a worker that claimed would have had the file by the second.
    for (let look = 0; look < 10; look++) {
      const waiting = await pending();
      if ((await levelOfWorker()) === '2') expect(waiting).toBe(1);
    }
    platform.spawn('worker');
    await platform.extracted(workspace);
  }, 120_000);

  it('dies of such requests when it only watches', async () => {
    const path = await start({ ...HUNGRY, KEEP_KIB: '1024', MEMORY_MANAGER_ENABLED: 'false' });
    const loading = load(path, 10);
    const { code, output } = await platform.api.ended();
    expect(code).not.toBe(0);
    expect(output).toContain('heap out of memory');
    await loading;
  }, 200_000);
});
