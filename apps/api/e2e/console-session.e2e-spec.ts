import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { auditIn, cookieIn, logIn } from './support/operator.js';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

jest.setTimeout(180_000);

describe('a session of the console', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0, env: { CONSOLE_ACTIONS_ENABLED: 'true' } });
  });
  afterAll(() => platform?.stop());

  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
    platform.request(method, `/console/api${path}`, {
      key: '',
      headers,
      ...(body !== undefined && { body }),
    });

  it('is opened by an admin key, which is nowhere in it', async () => {
    const answer = await ask('POST', '/session', {}, { key: platform.adminKey });
    expect(answer.status).toBe(200);
    const cookie = answer.headers.get('set-cookie') ?? '';
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/console']) {
      expect(cookie).toContain(attribute);
    }
    const [, maxAge] = /Max-Age=(\d+)/.exec(cookie) ?? [];
    expect(Number(maxAge)).toBeGreaterThan(0);
    expect(Number(maxAge)).toBeLessThanOrEqual(1_800);
    expect(cookie).not.toContain('Secure');
    const payload = Buffer.from(cookie.split(/[=.]/)[1] ?? '', 'base64url').toString();
    expect(Object.keys(JSON.parse(payload) as object)).toEqual(['id', 'apiKeyId', 'startedAt', 'expiresAt']);
    expect(cookie + payload + JSON.stringify(answer.body)).not.toContain(platform.adminKey);
    expect((await ask('GET', '/session', { cookie: cookieIn(answer.headers) })).body).toMatchObject({
      csrfToken: answer.body.csrfToken,
      actionsEnabled: true,
    });
  });

  it('has a cookie for encrypted connections only where the browser speaks TLS', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const answer = await ask('POST', '/session', headers, { key: platform.adminKey });
    expect(answer.headers.get('set-cookie')).toContain('; Secure');
  });

  it.each([
    ['an unknown key', 401, () => ({ key: `pgn_${'x'.repeat(43)}` })],
    ['a key without the scope admin', 403, () => ({ key: platform.apiKey })],
    ['no key', 400, () => ({})],
    ['something else', 400, () => ({ key: platform.adminKey, more: true })],
    ['a text', 400, () => '"key"'],
  ])('is not opened by %s', async (_, status, body) => {
    const answer = await ask('POST', '/session', { 'content-type': 'application/json' }, body());
    expect(answer.status).toBe(status);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['none', ''],
    ['nonsense', 'peregrine_console=abc'],
    ['a forged one', `peregrine_console=${Buffer.from('{"id":"a"}').toString('base64url')}.abc`],
  ])('is needed for everything; with %s the answer is 401', async (_, cookie) => {
    for (const [method, path] of [
      ['GET', '/session'],
      ['GET', '/stream'],
      ['DELETE', '/session'],
      ['POST', '/actions/cache.flush'],
    ] as const) {
      expect((await ask(method, path, { cookie })).status).toBe(401);
    }
  });

  it('opens nothing but the console, and an API key opens nothing of it', async () => {
    const { cookie } = await logIn(platform);
    expect((await platform.request('GET', '/meta/metrics', { key: '', headers: { cookie } })).status).toBe(
      401,
    );
    const withKey = await platform.request('GET', '/console/api/session', { key: platform.adminKey });
    expect(withKey.status).toBe(401);
  });

  it('changes something only with its own CSRF token, and from its own site', async () => {
    const [one, other] = [await logIn(platform), await logIn(platform)];
    const flush = (headers: Record<string, string>) =>
      ask('POST', '/actions/cache.flush', { cookie: one.cookie, ...headers }, {});
    expect((await flush({})).status).toBe(403);
    expect((await flush({ 'x-csrf-token': other.csrfToken })).status).toBe(403);
    const token = { 'x-csrf-token': one.csrfToken };
    expect((await flush({ ...token, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await flush({ ...token, origin: 'https://example.org' })).status).toBe(403);
    expect((await flush({ ...token, origin: platform.url })).status).toBe(200);
    expect((await flush({ ...token, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  it('is not opened from another site', async () => {
    const headers = { origin: 'https://example.org' };
    expect((await ask('POST', '/session', headers, { key: platform.adminKey })).status).toBe(403);
  });

  it('ends with its key, and with the logout', async () => {
    const { body: key } = await platform.request('POST', '/api-keys', {
      key: platform.adminKey,
      body: { name: 'operator', scopes: ['admin'] },
    });
    const { cookie } = await logIn(platform, key.key as string);
    expect((await ask('GET', '/session', { cookie })).status).toBe(200);
    await platform.request('DELETE', `/api-keys/${key.id}`, { key: platform.adminKey });
    expect((await ask('GET', '/session', { cookie })).status).toBe(401);

    const operator = await logIn(platform);
    const headers = { cookie: operator.cookie, 'x-csrf-token': operator.csrfToken };
    const logout = await ask('DELETE', '/session', headers);
    expect(logout.status).toBe(204);
    expect(logout.headers.get('set-cookie')).toContain('Max-Age=0');
  });

  it('is audited: logins, deeds and refusals, with who and what, without the key', async () => {
    const { cookie, csrfToken } = await logIn(platform);
    const act = (name: string, body: unknown) =>
      ask('POST', `/actions/${name}`, { cookie, 'x-csrf-token': csrfToken }, body);
    expect((await act('cache.flush', { namespace: 'search' })).status).toBe(200);
    expect((await act('cache.flush', { namespace: 'none' })).status).toBe(400);
    expect((await act('cache.explode', {})).status).toBe(404);
    expect((await act('toString', {})).status).toBe(404);
    const uuid = expect.stringMatching(/^[\da-f-]{36}$/);
    const common = { audit: 'console', apiKeyId: uuid, address: '127.0.0.1', requestId: uuid };
    await until(() => auditIn(platform.api.output).some((it) => it['result'] === 'VALIDATION_FAILED'));
    expect(auditIn(platform.api.output)).toEqual(
      expect.arrayContaining([
        { ...common, action: 'login', outcome: 'done' },
        { ...common, action: 'login', outcome: 'refused' },
        { ...common, apiKeyId: null, action: 'login', outcome: 'refused' },
        {
          ...common,
          action: 'cache.flush',
          outcome: 'done',
          input: { namespace: 'search' },
          result: expect.stringContaining('namespace search'),
        },
        {
          ...common,
          action: 'cache.flush',
          outcome: 'failed',
          input: { namespace: 'none' },
          result: 'VALIDATION_FAILED',
        },
      ]),
    );
    expect(platform.api.output).not.toContain(platform.adminKey);
  });

  it('is shown on a page that runs and loads nothing foreign, in no frame', async () => {
    const page = await platform.request('GET', '/console/', { key: '' });
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const [script = '', style = ''] = [
      ...String(page.body).matchAll(/\/console\/\w+\.[\da-f]{12}\.(?:js|css)/g),
    ].map(([it]) => it);
    for (const asset of [script, style]) {
      const { status, headers } = await platform.request('GET', asset, {
        key: '',
        headers: { 'accept-encoding': 'br' },
      });
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toContain('immutable');
      expect(headers.get('content-encoding')).toBe('br');
    }
    const bare = await fetch(`${platform.url}/console`, { redirect: 'manual' });
    expect(bare.status).toBeGreaterThanOrEqual(301);
    expect(bare.headers.get('location')).toMatch(/\/console\/$/);
  });
});

describe('a console whose actions are off', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await Platform.start({ workers: 0 });
  });
  afterAll(() => platform?.stop());

  it('shows, does nothing, and writes down who tried', async () => {
    const { cookie, csrfToken } = await logIn(platform);
    const headers = { cookie, 'x-csrf-token': csrfToken };
    for (const name of [
      'cache.flush',
      'flag.set',
      'flag.reset',
      'dead-letters.redrive',
      'dead-letters.purge',
      'cdn.purge',
    ]) {
      const answer = await platform.request('POST', `/console/api/actions/${name}`, {
        key: '',
        headers,
        body: {},
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
      expect(answer.body.detail).toContain('CONSOLE_ACTIONS_ENABLED');
    }
    await until(() => auditIn(platform.api.output).filter((it) => it['outcome'] === 'refused').length === 6);
  });
});
