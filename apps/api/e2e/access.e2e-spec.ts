import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Platform } from './support/platform.js';

describe('access', () => {
  let platform: Platform;
  let workspace: string;

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(() => platform?.stop());

  it.each([
    ['no key', {}],
    ['an unknown key', { authorization: `Bearer pgn_${'x'.repeat(43)}` }],
    ['another scheme', { authorization: 'Basic abc' }],
    ['an endless key', { authorization: `Bearer ${'x'.repeat(8_000)}` }],
  ])('answers 401 to %s and says what to send', async (_, headers) => {
    const answer = await platform.request('GET', '/workspaces', { key: '', headers });
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED', status: 401 } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  });

  it('takes the key from X-API-Key, too', async () => {
    const answer = await platform.request('GET', '/workspaces', {
      key: '',
      headers: { 'x-api-key': platform.apiKey },
    });
    expect(answer.status).toBe(200);
  });

  it('answers 403 to a key without the scope', async () => {
    const reader = await platform.createKey(['content:read'], [workspace]);
    expect((await platform.request('GET', `/workspaces/${workspace}`, { key: reader })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/workspaces'],
      ['PUT', `/workspaces/${workspace}/files/a.txt`],
      ['DELETE', `/workspaces/${workspace}`],
      ['GET', '/api-keys'],
      ['GET', '/meta/metrics'],
    ] as const) {
      const answer = await platform.request(method, path, {
        key: reader,
        ...(method === 'POST' ? { body: { name: 'x' } } : {}),
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
  });

  it('hides a workspace from a key without a grant as if it did not exist', async () => {
    const stranger = await platform.createKey(['content:read', 'content:write']);
    const { file } = await platform.upload(workspace, 'secret.txt', 'secret');
    for (const path of [
      '',
      '/files',
      `/files/${file.id}`,
      `/files/${file.id}/content`,
      '/search?q=secret',
      '/statistics',
    ]) {
      const hidden = await platform.request('GET', `/workspaces/${workspace}${path}`, { key: stranger });
      const missing = await platform.request(
        'GET',
        `/workspaces/00000000-0000-4000-8000-000000000000${path}`,
        { key: stranger },
      );
      expect(hidden).toMatchObject({ status: 404, body: { code: 'CONTENT_WORKSPACE_NOT_FOUND' } });
      expect(missing).toMatchObject({ status: 404, body: { code: 'CONTENT_WORKSPACE_NOT_FOUND' } });
    }
    expect((await platform.request('GET', '/workspaces', { key: stranger })).body.items).toEqual([]);
  });

  it('lets a key in as soon as it has the grant, and a file only through its own workspace', async () => {
    const { body: key } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'guest', scopes: ['content:read'] },
    });
    const read = () => platform.request('GET', `/workspaces/${workspace}`, { key: key.key as string });
    expect((await read()).status).toBe(404);
    const grant = await platform.request('PUT', `/api-keys/${key.id}/workspaces/${workspace}`, {
      key: platform.adminKey,
    });
    expect(grant.status).toBe(204);
    expect((await read()).status).toBe(200);

    const other = await platform.createWorkspace('other');
    const { file } = await platform.upload(other, 'a.txt', 'a');
    expect((await platform.request('GET', `/workspaces/${workspace}/files/${file.id}`)).status).toBe(404);
    expect((await platform.request('GET', `/workspaces/${workspace}/files/${file.id}/content`)).status).toBe(
      404,
    );
    expect((await platform.request('DELETE', `/workspaces/${workspace}/files/${file.id}`)).status).toBe(404);
  });

  it('refuses a revoked key at once and an expired one', async () => {
    const { body: key } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'short', scopes: ['content:read'] },
    });
    const use = () => platform.request('GET', '/workspaces', { key: key.key as string });
    expect((await use()).status).toBe(200);
    expect((await platform.request('DELETE', `/api-keys/${key.id}`, { key: platform.adminKey })).status).toBe(
      204,
    );
    expect((await use()).status).toBe(401);

    const { body: past } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'past', scopes: ['content:read'], expiresAt: '2020-01-01T00:00:00Z' },
    });
    expect((await platform.request('GET', '/workspaces', { key: past.key as string })).status).toBe(401);
  });

  it('shows the secret of a key once and never lists it', async () => {
    const { body } = await platform.request('GET', '/api-keys', { key: platform.adminKey });
    expect(body.items.length).toBeGreaterThan(1);
    expect(JSON.stringify(body)).not.toContain('pgn_');
    expect(JSON.stringify(body)).not.toContain('hash');
  });
});
