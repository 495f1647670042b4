import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const CROWD = 500;
const DRIP_MS = 100;
const OVERSIZED = 'x'.repeat(12_300);

describe('clients that are slow on purpose, or send what nobody needs', () => {
  let platform: Platform;
  let workspace: string;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    platform = await Platform.start({
      workers: 0,
      env: { HEADERS_TIMEOUT_MS: '2000', BODY_GRACE_MS: '2000', MIN_BODY_BYTES_PER_SECOND: '500' },
    });
    workspace = await platform.createWorkspace();
  }, 180_000);
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await platform?.stop();
  });

  /** A connection that gathers what it is told, and sends `drip` now and then until it is closed, or so many times. */
  const open = async (head: string, drip: string, times = Infinity) => {
    const { hostname, port } = new URL(platform.url);
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    const its = { answer: '', isClosed: false };
    socket.setEncoding('utf8').on('data', (text: string) => (its.answer += text));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(head);
    let left = times;
    const timer = setInterval(() => {
      if (left-- > 0) socket.write(drip);
    }, DRIP_MS);
    socket.once('close', () => {
      clearInterval(timer);
      sockets.delete(socket);
      its.isClosed = true;
    });
    return its;
  };
  const upload = (name: string) =>
    `PUT /api/v1/workspaces/${workspace}/files/${name} HTTP/1.1\r\nHost: x\r\n` +
    `Authorization: Bearer ${platform.apiKey}\r\nContent-Length: 1000000\r\n\r\n`;

  it('are cut off with 408 while others are served, whether they drip headers or a body', async () => {
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, (_, index) =>
        index % 5 === 0
          ? open(upload(`drip-${index}.bin`), 'x')
          : open('GET /api/v1/workspaces HTTP/1.1\r\nHost: x\r\n', 'X'),
      ),
    );
    let served = 0;
    await until(async () => {
      const answer = await platform.request('GET', `/workspaces/${workspace}/statistics`);
      expect(answer.status).toBe(200);
      served++;
      return crowd.every((it) => it.isClosed);
    }, 120_000);
    expect(served).toBeGreaterThan(0);
    // Who still sends when the connection is closed is reset, and may lose what it was told.
    const [bodies, headers] = [0, 1].map((kind) =>
      crowd.filter(({ answer }, index) => answer !== '' && Math.sign(index % 5) === kind),
    );
    for (const told of [bodies, headers]) {
      expect(told?.length).toBeGreaterThan(0);
      for (const { answer } of told ?? []) {
        expect(answer).toMatch(/^HTTP\/1\.1 408 /);
        expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
      }
    }
    expect((await platform.request('GET', `/workspaces/${workspace}/statistics`)).body.files).toBe(0);
  }, 180_000);

  it('lose no upload that moves, however slowly', async () => {
    const its = await open(
      `PUT /api/v1/workspaces/${workspace}/files/steady.bin HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${platform.apiKey}\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n`,
      'x'.repeat(1_000),
      60,
    );
    await until(() => its.isClosed);
    expect(its.answer).toMatch(/^HTTP\/1\.1 201 /);
    const { body } = await platform.request('GET', `/workspaces/${workspace}/files?path=steady.bin`);
    await platform.request('DELETE', `/workspaces/${workspace}/files/${body.items[0].id as string}`);
  });

  it.each([
    ['a URL that is too long', `/workspaces?cursor=${OVERSIZED}`, {}, 414, 'URI_TOO_LONG'],
    ['too many parameters', `/workspaces?${'a=1&'.repeat(60)}`, {}, 414, 'URI_TOO_LONG'],
    [
      'too many headers',
      '/workspaces',
      Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`x-${index}`, '1'])),
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('are refused %s', async (_, path, headers, status, code) => {
    const answer = await platform.request('GET', path, { headers });
    expect(answer).toMatchObject({ status, body: { code, requestId: expect.any(String) } });
  });

  it.each([
    ['100,000 levels of lists', `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'JSON_TOO_DEEP'],
    ['40 levels of objects', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, 'JSON_TOO_DEEP'],
    ['__proto__', '{"name":"a","__proto__":{"admin":true}}', 'BAD_REQUEST'],
    ['constructor.prototype', '{"name":"a","constructor":{"prototype":{"admin":true}}}', 'BAD_REQUEST'],
  ])('are refused JSON with %s', async (_, body, code) => {
    const answer = await platform.request('POST', '/workspaces', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer).toMatchObject({ status: 400, body: { code } });
  });

  it('find no more connections than the setting has', async () => {
    const url = await platform.spawn('api', { MAX_CONNECTIONS: '20' }).listening();
    const { hostname, port } = new URL(url);
    const closed = await Promise.all(
      Array.from({ length: 60 }, () => {
        const socket = connect(Number(port), hostname);
        sockets.add(socket);
        socket.on('error', () => undefined);
        return new Promise<boolean>((resolve) => {
          socket.once('close', () => resolve(true));
          socket.once('data', () => resolve(false));
          socket.once('connect', () => socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'));
        });
      }),
    );
    expect(closed.filter((it) => !it)).toHaveLength(20);
    for (const socket of sockets) socket.destroy();
    await until(async () => {
      const answer = await fetch(`${url}/health/live`).catch(() => undefined);
      return answer?.status === 200;
    });
  });
});
