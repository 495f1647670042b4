import { afterEach, describe, expect, it } from '@jest/globals';
import autocannon from 'autocannon';
import { Balancer } from './support/balancer.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

describe('survival', () => {
  let platform: Platform;
  afterEach(() => platform?.stop());

  it('answers every request while one of two processes is stopped under load', async () => {
    platform = await Platform.start({ workers: 0, env: { SHUTDOWN_DRAIN_MS: '1000' } });
    const workspace = await platform.createWorkspace();
    const { file } = await platform.upload(workspace, 'hot.txt', 'hot');
    const second = platform.spawn('api');
    const balancer = await Balancer.start([platform.url, await second.listening()]);
    const load = autocannon({
      url: `${balancer.url}/api/v1/workspaces/${workspace}/files/${file.id}/content`,
      headers: { authorization: `Bearer ${platform.apiKey}` },
      connections: 32,
      duration: 8,
    });
    await until(() => balancer.connections.size === 2);
    const ended = await second.stop('SIGTERM');
    const result = await load;
    await balancer.stop();

    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(result.requests.total).toBeGreaterThan(0);
    expect({ errors: result.errors, timeouts: result.timeouts, non2xx: result.non2xx }).toEqual({
      errors: 0,
      timeouts: 0,
      non2xx: 0,
    });
  }, 120_000);

  it('loses no file that it has acknowledged when the api is killed while files come in', async () => {
    platform = await Platform.start({ workers: 1 });
    const workspace = await platform.createWorkspace();
    const acknowledged = new Map<string, string>();
    const uploads = Array.from({ length: 400 }, async (_, index) => {
      const content = `content of ${index} `.repeat(index % 7 === 0 ? 4_000 : 3);
      const { status, file } = await platform.upload(workspace, `burst/${index}.txt`, content);
      if (status === 201) acknowledged.set(file.id, content);
    });
    await until(() => acknowledged.size >= 50);
    await platform.api.stop('SIGKILL');
    await Promise.allSettled(uploads);
    await platform.restartApi();

    expect(acknowledged.size).toBeGreaterThanOrEqual(50);
    for (const [fileId, content] of acknowledged) {
      const answer = await platform.request('GET', `/workspaces/${workspace}/files/${fileId}/content`);
      expect(answer.body === content).toBe(true);
    }
  }, 120_000);

  it('extracts every text when a worker is killed in the middle of its batches', async () => {
    platform = await Platform.start({ workers: 0 });
    const workspace = await platform.createWorkspace();
    await Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        platform.upload(workspace, `kill/${index}.txt`, `kestrel number ${index}`),
      ),
    );
    const victim = platform.spawn('worker', { STORAGE_READ_LATENCY_MS: '200' });
    const done = async () => {
      const { body } = await platform.request('GET', `/workspaces/${workspace}/statistics`);
      return body.byStatus.extracted as number;
    };
    await until(async () => (await done()) > 0);
    await victim.stop('SIGKILL');
    expect(await done()).toBeLessThan(150);
    platform.spawn('worker');
    await until(async () => (await done()) === 150, 100_000);
  }, 180_000);

  it('finishes what a worker holds before it stops', async () => {
    platform = await Platform.start({ workers: 0 });
    const workspace = await platform.createWorkspace();
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        platform.upload(workspace, `stop/${index}.txt`, `merlin ${index}`),
      ),
    );
    const worker = platform.spawn('worker', { STORAGE_READ_LATENCY_MS: '100' });
    const statistics = async () => {
      const { body } = await platform.request('GET', `/workspaces/${workspace}/statistics`);
      return body.byStatus as { extracted: number; failed: number };
    };
    await until(async () => (await statistics()).extracted > 0);
    expect(await worker.stop('SIGTERM')).toMatchObject({ code: 0 });
    platform.spawn('worker');
    await until(async () => (await statistics()).extracted === 60);
    expect((await statistics()).failed).toBe(0);
  }, 120_000);
});
