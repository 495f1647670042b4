import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const UPLOAD_LIMIT = 200_000;

describe('bad input', () => {
  let platform: Platform;
  let workspace: string;

  beforeAll(async () => {
    platform = await Platform.start({
      workers: 0,
      env: { UPLOAD_LIMIT_BYTES: String(UPLOAD_LIMIT), BODY_LIMIT_BYTES: '10000' },
    });
    workspace = await platform.createWorkspace();
  }, 120_000);
  afterAll(() => platform?.stop());

  /** Whatever was sent, the process still serves and holds the same files. */
  const expectUnharmed = async (files = 0) => {
    expect((await platform.request('GET', '/health/ready')).status).toBe(200);
    const { body } = await platform.request('GET', `/workspaces/${workspace}/statistics`);
    expect(body.files).toBe(files);
  };

  /** Sends a request as it stands, since fetch would tidy it up; gives the whole answer. */
  const send = async (text: string): Promise<string> => {
    const { hostname, port } = new URL(platform.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    // A reset after the answer is as good as a close.
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };
  const put = (path: string, body = 'x') =>
    send(
      `PUT /api/v1/workspaces/${workspace}/files/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.apiKey}\r\n` +
        `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );

  it.each([
    ['..', '../secret.txt', 'segment'],
    ['an encoded ..', '%2e%2e%2fsecret.txt', 'segment'],
    ['an encoded separator', 'a%2f..%2f..%2fb', 'segment'],
    ['a NUL', 'a%00b', 'control character'],
    ['a backslash', 'a%5c..%5cb', 'backslash'],
    ['5,000 characters', 'x'.repeat(5_000), 'longer than 1024 bytes'],
    ['an empty segment', 'a//b', 'empty segment'],
  ])('refuses a path with %s', async (_, path, reason) => {
    const answer = await put(path);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('CONTENT_INVALID_FILE_PATH');
    expect(answer).toContain(reason);
    await expectUnharmed();
  });

  it('refuses a URL that cannot be decoded', async () => {
    const answer = await put('%zz');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
    await expectUnharmed();
  });

  it('refuses a file over the limit, announced or not, and keeps nothing of it', async () => {
    const announced = await platform.upload(workspace, 'big.bin', Buffer.alloc(UPLOAD_LIMIT + 1));
    expect(announced).toMatchObject({ status: 413, body: { code: 'STORAGE_UPLOAD_TOO_LARGE' } });
    const chunk = `${(60_000).toString(16)}\r\n${'x'.repeat(60_000)}\r\n`;
    const unannounced = await send(
      `PUT /api/v1/workspaces/${workspace}/files/big.bin HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.apiKey}\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(4)}`,
    );
    expect(unannounced).toMatch(/^HTTP\/1\.1 413 /);
    await expectUnharmed();
  });

  it('refuses a JSON body over the limit and one that is no JSON', async () => {
    const large = await platform.request('POST', '/workspaces', { body: { name: 'x'.repeat(20_000) } });
    expect(large).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
    const broken = await platform.request('POST', '/workspaces', {
      body: '{"name": ',
      headers: { 'content-type': 'application/json' },
    });
    expect(broken).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(JSON.stringify(broken.body)).not.toContain('    at ');
    const other = await platform.request('POST', '/workspaces', {
      body: 'a=b',
      headers: { 'content-type': 'text/csv' },
    });
    expect(other.status).toBe(415);
    await expectUnharmed();
  });

  it('keeps nothing of an upload that breaks off, and no connection open', async () => {
    const { hostname, port } = new URL(platform.url);
    for (const bytes of [10, 100_000]) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(
        `PUT /api/v1/workspaces/${workspace}/files/broken.bin HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.apiKey}\r\nContent-Length: 150000\r\n\r\n`,
      );
      socket.write(Buffer.alloc(bytes));
      // Only once the server has begun to store does breaking off mean anything.
      await until(async () => (await inFlight()) > 0);
      socket.resetAndDestroy();
      await until(async () => (await inFlight()) === 0);
    }
    await expectUnharmed();
  });

  const inFlight = async (): Promise<number> => {
    const { body } = await platform.request('GET', '/meta/metrics', { key: platform.adminKey });
    // The request that asks is one of them.
    return body.requests.inFlight - 1;
  };

  it.each([
    ['no UUID', 'GET', '/workspaces/42', 'path.workspaceId'],
    ['no UUID of a file', 'GET', '/workspaces/WS/files/42', 'path.fileId'],
    ['a limit of 0', 'GET', '/workspaces/WS/files?limit=0', 'query.limit'],
    ['a limit that is no number', 'GET', '/workspaces/WS/files?limit=1e3', 'query.limit'],
    ['an unknown field', 'GET', '/workspaces/WS/files?fields=path,password', 'query.fields'],
    ['an unknown parameter', 'GET', '/workspaces/WS/files?offset=3', 'query'],
    ['no query', 'GET', '/workspaces/WS/search', 'query.q'],
    ['a NUL in the query', 'GET', '/workspaces/WS/search?q=a%00b', 'query.q'],
    ['no name', 'POST', '/workspaces', 'body.name'],
  ])('names the field when a request has %s', async (_, method, path, field) => {
    const answer = await platform.request(
      method,
      path.replace('WS', workspace),
      method === 'POST' ? { body: { name: '' } } : {},
    );
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.errors.map((it: { field: string }) => it.field)).toContainEqual(
      expect.stringContaining(field),
    );
  });

  it('refuses a search of 10,000 words, and one that fits the headers but not the limit', async () => {
    const words = (count: number) => Array.from({ length: count }, (_, index) => `w${index % 100}`).join('+');
    const search = (query: string) =>
      send(
        `GET /api/v1/workspaces/${workspace}/search?q=${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.apiKey}\r\nConnection: close\r\n\r\n`,
      );
    const tooLarge = await search(words(10_000));
    expect(tooLarge).toMatch(/^HTTP\/1\.1 431 /);
    expect(tooLarge).toContain('HEADERS_TOO_LARGE');
    expect(await search(words(3_000))).toMatch(/^HTTP\/1\.1 400 /);
    const hostile = await platform.request(
      'GET',
      `/workspaces/${workspace}/search?q=${encodeURIComponent(`' " -- & | ! <-> :* ((( or or - \\`)}`,
    );
    expect(hostile.status).toBe(200);
    await expectUnharmed();
  });

  it('refuses a cursor that was tampered with or belongs to another list', async () => {
    const made: string[] = [];
    for (const name of ['a', 'b', 'c'])
      made.push((await platform.upload(workspace, `cursor/${name}.txt`, name)).file.id);
    const list = (query: string) => platform.request('GET', `/workspaces/${workspace}/files?limit=1${query}`);
    const cursor = (await list('')).body.nextCursor as string;
    const flipped = cursor.slice(0, 5) + (cursor[5] === 'A' ? 'B' : 'A') + cursor.slice(6);
    for (const bad of [flipped, cursor.slice(0, -1), 'x', '%00', 'a'.repeat(8_000)]) {
      expect(await list(`&cursor=${bad}`)).toMatchObject({
        status: 400,
        body: { code: 'DATABASE_INVALID_CURSOR' },
      });
    }
    expect((await list(`&path=cursor/&cursor=${cursor}`)).status).toBe(400);
    const other = await platform.createWorkspace('other');
    expect(
      (await platform.request('GET', `/workspaces/${other}/files?limit=1&cursor=${cursor}`)).status,
    ).toBe(400);
    for (const id of made) await platform.request('DELETE', `/workspaces/${workspace}/files/${id}`);
  });

  it('answers an unknown route, a wrong method and no HTTP at all with a problem', async () => {
    expect(await platform.request('GET', '/nowhere')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    expect((await platform.request('DELETE', '/workspaces')).status).toBe(404);
    expect(await send('this is no HTTP\r\n\r\n')).toContain('MALFORMED_REQUEST');
    await expectUnharmed();
  });

  it.each([
    [
      'that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="a"; filename="cut.txt"\r\n\r\nhalf',
    ],
    ['without a boundary', 'multipart/form-data', 'x'],
    [
      'without a file',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
    ],
    ['of another type', 'text/plain', 'x'],
  ])('refuses a form %s and keeps nothing of it', async (_, type, body) => {
    const answer = await platform.request('POST', `/workspaces/${workspace}/files`, {
      body,
      headers: { 'content-type': type },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.body.detail).toEqual(expect.any(String));
    await expectUnharmed();
  });

  it('takes an id of the caller for its request, if it is one', async () => {
    const named = await platform.request('GET', '/workspaces', { headers: { 'x-request-id': 'abc-123' } });
    expect(named.headers.get('x-request-id')).toBe('abc-123');
    const unfit = await platform.request('GET', '/workspaces', {
      headers: { 'x-request-id': 'a b<script>' },
    });
    expect(unfit.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
