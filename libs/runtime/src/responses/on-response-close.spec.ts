import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { onResponseClose } from './on-response-close.js';

describe('onResponseClose', () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  /** A response under way, and its client, who may leave. */
  const open = async () => {
    const { port } = server.address() as AddressInfo;
    const requested = once(server, 'request') as Promise<[unknown, ServerResponse]>;
    const client = new AbortController();
    const answer = fetch(`http://127.0.0.1:${port}`, { signal: client.signal }).catch(() => undefined);
    const [, response] = await requested;
    return { response, answer, leave: () => client.abort() };
  };

  it('calls everyone once in order, by one listener, when the answer was sent', async () => {
    const { response, answer } = await open();
    const before = response.listenerCount('close');
    const called: number[] = [];
    for (let it = 0; it < 20; it++) onResponseClose(response, () => called.push(it));
    expect(response.listenerCount('close')).toBe(before + 1);
    const closed = once(response, 'close');
    response.end();
    await Promise.all([closed, answer]);
    expect(called).toEqual([...Array(20).keys()]);
  });

  it('calls when the client leaves, but not whoever has ended the wait', async () => {
    const { response, leave } = await open();
    const called: string[] = [];
    const end = onResponseClose(response, () => called.push('ended'));
    onResponseClose(response, () => called.push('waits'));
    end();
    const closed = once(response, 'close');
    leave();
    await closed;
    expect(called).toEqual(['waits']);
    expect(response.writableFinished).toBe(false);
  });

  it('calls at once when the response has closed', async () => {
    const { response, answer } = await open();
    const closed = once(response, 'close');
    response.end();
    await Promise.all([closed, answer]);
    let isCalled = false;
    onResponseClose(response, () => (isCalled = true));
    expect(isCalled).toBe(true);
  });
});
