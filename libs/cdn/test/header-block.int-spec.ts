import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeaderBlock } from '../src/origin/header-block.js';
import { Origin } from '../src/origin/origin.js';
import { exchange } from '../src/testing/index.js';
import { closeServer, listen } from './listening.js';

const DATE = /Date: [^\r]+/g;

/** Heads made in advance must be what Node itself would have sent. */
describe('the head of an answer from memory', () => {
  let root: string;
  let origin: Origin;
  const servers: Server[] = [];
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'peregrine-cdn-heads-'));
    await writeFile(join(root, 'a.js'), 'export const a = 1;\n'.repeat(100));
    origin = await new Origin({ root, revalidateMs: 3_600_000 }).open();
  });
  afterAll(async () => {
    await Promise.all(servers.map(closeServer));
    await rm(root, { recursive: true, force: true });
  });

  /** All bytes of some answers, of ours and of Node's way, without the date. */
  const both = async (
    text: string,
    prepare: (server: Server, response?: ServerResponse) => void = () => undefined,
  ) => {
    const answers: string[] = [];
    for (const isOurs of [true, false]) {
      const server = createServer((request, response) => {
        prepare(server, response);
        if (isOurs) return origin.listener(request, response);
        void Promise.resolve(
          origin.handle({ method: request.method ?? '', url: request.url ?? '', headers: request.headers }),
        ).then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
      });
      prepare(server);
      servers.push(server);
      const received = await exchange(await listen(server), text);
      expect(received.toString('latin1')).toMatch(DATE);
      answers.push(received.toString('latin1').replace(DATE, 'Date: now'));
    }
    return answers as [string, string];
  };
  const line = (method: string, more = '') => `${method} /a.js HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
  const last = 'Connection: close\r\n';

  it('is the same for GET, HEAD, codings and 304, and on a connection that ends', async () => {
    await origin.handle({ method: 'GET', url: '/a.js', headers: {} });
    const requests = [
      line('GET'),
      line('HEAD'),
      line('GET', 'Accept-Encoding: br\r\n'),
      line('GET', 'If-None-Match: *\r\n'),
      line('GET', 'If-None-Match: *\r\nAccept-Encoding: br\r\n'),
      line('GET', last),
    ];
    const [ours, nodes] = await both(requests.join(''));
    expect(ours).toBe(nodes);
    expect(ours.match(/HTTP\/1\.1 /g)).toHaveLength(requests.length);
  });

  it('is the same where headers were set, and with other limits of the server', async () => {
    const requests = line('GET') + line('GET', last);
    const cases = [
      (_: Server, response?: ServerResponse) => response?.setHeader('X-Custom', 'one'),
      (server: Server) => (server.keepAliveTimeout = 0),
      (server: Server) => (server.keepAliveTimeout = 61_500),
      (server: Server) => (server.maxRequestsPerSocket = 5),
      (server: Server) => (server.maxRequestsPerSocket = 1),
    ];
    for (const prepare of cases) {
      const [ours, nodes] = await both(requests, (server, response) => void prepare(server, response));
      expect(ours).toBe(nodes);
    }
    const [old, nodes] = await both('GET /a.js HTTP/1.0\r\n\r\n');
    expect(old).toBe(nodes);
  });

  it('is the same when it is switched off', async () => {
    const plain = await new Origin({ root, revalidateMs: 3_600_000, preparedHeads: false }).open();
    const requests = line('GET') + line('GET', 'If-None-Match: *\r\n') + line('HEAD', last);
    const answers: string[] = [];
    for (const { listener } of [origin, plain]) {
      const server = createServer(listener);
      servers.push(server);
      const base = await listen(server);
      await exchange(base, line('GET', last));
      answers.push((await exchange(base, requests)).toString('latin1').replace(DATE, 'Date: now'));
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]?.match(/HTTP\/1\.1 /g)).toHaveLength(3);
    const { block } = await plain.handle({ method: 'GET', url: '/a.js', headers: {} });
    expect(block).toBeUndefined();
  });

  it('refuses what would break out of a line', () => {
    expect(() => new HeaderBlock(200, ['X-A', 'a\r\nX-B: b'])).toThrow(/Invalid character|valid HTTP token/);
    expect(() => new HeaderBlock(200, ['X A', 'a'])).toThrow(/Invalid character|valid HTTP token/);
  });
});
