import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

describe('profiles of a running api', () => {
  let platform: Platform;
  let folder: string;
  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
    folder = join(platform.storageFolder, '..', 'profiles');
    await platform.api.stop();
    platform.api = platform.spawn('api', { PROFILE_FOLDER: folder });
    platform.url = await platform.api.listening();
  }, 120_000);
  afterAll(() => platform?.stop());

  const ask = (method: string, path: string, body?: object) =>
    platform.request(method, path, { key: platform.adminKey, ...(body && { body }) });

  it('are taken on demand, one at a time, listed, downloaded, and on record', async () => {
    const started = await ask('POST', '/admin/profiles', { kind: 'cpu', seconds: 2 });
    expect(started).toMatchObject({ status: 202, body: { kind: 'cpu', state: 'running', contentUrl: null } });
    const { id, url } = started.body as { id: string; url: string };
    expect(started.headers.get('location')).toBe(url);
    const second = await ask('POST', '/admin/profiles', { kind: 'heap' });
    expect(second).toMatchObject({ status: 409, body: { code: 'METRICS_PROFILE_REFUSED' } });

    await until(async () => (await ask('GET', `/admin/profiles/${id}`)).body.state === 'done');
    const [listed] = (await ask('GET', '/admin/profiles')).body.items as { id: string; sizeBytes: number }[];
    expect(listed?.id).toBe(id);
    const file = await ask('GET', `/admin/profiles/${id}/content`);
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="${id}.cpuprofile"`);
    expect((JSON.parse(file.body as string) as { nodes: unknown[] }).nodes.length).toBeGreaterThan(0);
    const [name = ''] = await readdir(folder);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);

    const tooSoon = await ask('POST', '/admin/profiles', { kind: 'heap' });
    // On a machine that is slow enough the ten seconds are over.
    if (tooSoon.status !== 202) {
      expect(tooSoon.status).toBe(429);
      expect(tooSoon.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    const events = (await ask('GET', '/audit-events?subject=profile/cpu')).body.items;
    expect(events).toMatchObject([{ action: 'profile.take', event: 'requested', url, detail: '2 s' }]);
  }, 120_000);

  it('may hold the whole heap', async () => {
    const started: { url?: string } = {};
    await until(async () => {
      const { status, body } = await ask('POST', '/admin/profiles', { kind: 'snapshot' });
      started.url = (body as { url?: string }).url;
      return status === 202;
    }, 60_000);
    const path = started.url?.replace('/api/v1', '') ?? '';
    await until(async () => (await ask('GET', path)).body.state !== 'running', 60_000);
    expect((await ask('GET', path)).body).toMatchObject({ state: 'done', error: null });
    const { body } = await ask('GET', `${path}/content`);
    expect((body as string).slice(0, 40)).toContain('"snapshot"');
  }, 180_000);

  it('are for operators only, and of sensible length', async () => {
    expect((await platform.request('GET', '/admin/profiles')).status).toBe(403);
    for (const body of [{ kind: 'disk' }, { kind: 'cpu', seconds: 61 }, {}])
      expect((await ask('POST', '/admin/profiles', body)).status).toBe(400);
    expect((await ask('GET', '/admin/profiles/nothing')).status).toBe(404);
    expect((await ask('GET', '/admin/profiles/..%2F..%2Fetc%2Fpasswd/content')).status).toBe(404);
  });
});
