import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type ConsoleSnapshot } from '@peregrine/console';
import { logIn } from './support/operator.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

jest.setTimeout(120_000);

const MAX_VIEWERS = 32;

describe('the stream of the console', () => {
  let platform: Platform;
  const controllers: AbortController[] = [];

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
  });
  afterEach(() => {
    for (const it of controllers.splice(0)) it.abort();
  });
  afterAll(() => platform?.stop());

  const open = async (cookie: string) => {
    const controller = new AbortController();
    controllers.push(controller);
    const response = await fetch(`${platform.url}/console/api/stream`, {
      headers: { cookie },
      signal: controller.signal,
    });
    return { response, snapshots: snapshotsIn(response), close: () => controller.abort() };
  };

  it('has a whole snapshot at once, and another one every two seconds', async () => {
    const { cookie } = await logIn(platform);
    await platform.createWorkspace();
    const { response, snapshots } = await open(cookie);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const first = await next(snapshots);
    expect(first.verdicts.length).toBeGreaterThan(5);
    expect(first.limits).toHaveLength(5);
    expect(first.routes).toContainEqual(expect.objectContaining({ route: '/api/v1/workspaces' }));
    expect(first.history.perSecond.length).toBeGreaterThan(0);
    expect(first.flags.map(({ name }) => name)).toContain('cacheEnabled');
    expect(first.health).toMatchObject({ database: 'up' });
    expect(first.actionsEnabled).toBe(false);
    expect(JSON.stringify(first)).not.toContain(platform.adminKey);
    expect(Date.parse((await next(snapshots)).at)).toBeGreaterThan(Date.parse(first.at));
  });

  it('is no request in flight, no slow one, and none among the busiest routes', async () => {
    const { cookie } = await logIn(platform);
    const { snapshots, close } = await open(cookie);
    const first = await next(snapshots);
    expect(first.process.inFlight).toBe(0);
    close();
    const metrics = await platform.request('GET', '/metrics', { key: '' });
    expect(metrics.body).not.toContain('/console/api/stream",status="2xx"');
    expect(metrics.body).not.toContain('/console/api/stream",status="aborted"');
  });

  it('takes no more viewers than it can feed, and takes the next when one has left', async () => {
    const { cookie } = await logIn(platform);
    const viewers: Awaited<ReturnType<typeof open>>[] = [];
    // Those of the tests before may not all have left yet.
    await until(async () => {
      viewers.push(await open(cookie));
      return viewers.filter(({ response }) => response.status === 200).length === MAX_VIEWERS;
    });
    expect((await open(cookie)).response.status).toBe(503);
    viewers.find(({ response }) => response.status === 200)?.close();
    await until(async () => (await open(cookie)).response.status === 200);
  });

  it('ends when its key is revoked', async () => {
    const { body: key } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'operator', scopes: ['admin'] },
    });
    const { cookie } = await logIn(platform, key.key as string);
    const { snapshots } = await open(cookie);
    await next(snapshots);
    await platform.request('DELETE', `/api-keys/${key.id}`, { key: platform.adminKey });
    while (!(await snapshots.next()).done);
    expect((await open(cookie)).response.status).toBe(401);
  });

  it('ends when the api shuts down, and does not keep it', async () => {
    const { cookie } = await logIn(platform);
    const { snapshots } = await open(cookie);
    await next(snapshots);
    const ended = platform.api.stop('SIGTERM');
    while (!(await snapshots.next()).done);
    expect(await ended).toMatchObject({ code: 0 });
  });
});

async function next(snapshots: AsyncGenerator<ConsoleSnapshot>): Promise<ConsoleSnapshot> {
  const { value, done } = await snapshots.next();
  if (done) throw new Error('The stream has ended');
  return value;
}

async function* snapshotsIn({ body }: Response): AsyncGenerator<ConsoleSnapshot> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, data] = /^event: snapshot\ndata: (.*)$/.exec(event) ?? [];
      if (data !== undefined) yield JSON.parse(data) as ConsoleSnapshot;
    }
  }
}
