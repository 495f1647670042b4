import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ChaosProxy } from './chaos-proxy.js';

/** A server that answers every line with the line, and remembers what it got. */
class Echo {
  received = '';
  readonly sockets: Socket[] = [];
  readonly #server: Server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on('data', (bytes) => {
      this.received += bytes.toString();
      socket.write(bytes);
    });
    socket.on('error', () => socket.destroy());
  });
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://user:secret@127.0.0.1:${(this.#server.address() as AddressInfo).port}/3`;
  }
  stop(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

describe('ChaosProxy', () => {
  let echo: Echo;
  let proxy: ChaosProxy;
  const open = async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const ask = async (socket: Socket, text: string) => {
    const answer = once(socket, 'data');
    socket.write(text);
    return String((await answer)[0]);
  };
  /** A connection that is known to the server too. */
  const used = async () => {
    const socket = await open();
    await ask(socket, 'hello ');
    return socket;
  };
  const received = async (text: string) => {
    while (!echo.received.includes(text)) await new Promise(setImmediate);
  };
  const closed = (socket: Socket) =>
    new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));

  beforeEach(async () => {
    echo = new Echo();
    proxy = await ChaosProxy.start(await echo.start(), { seed: 3 });
  });
  afterEach(async () => {
    await proxy.stop();
    echo.stop();
  });

  it('passes on what it gets, and keeps the other parts of the URL', async () => {
    expect(await ask(await open(), 'ping')).toBe('ping');
    expect(proxy.url).toBe(`redis://user:secret@127.0.0.1:${proxy.port}/3`);
  });

  it('keeps the order when it delays by chance', async () => {
    proxy.delay({ min: 0, max: 20 });
    const socket = await open();
    for (let i = 0; i < 10; i++) {
      socket.write(`${i},`);
      await new Promise(setImmediate);
    }
    await received('9,');
    expect(echo.received).toBe('0,1,2,3,4,5,6,7,8,9,');
  });

  it('cuts what is open and takes new connections', async () => {
    const socket = await used();
    proxy.cut();
    await closed(socket);
    expect(await ask(await open(), 'again')).toBe('again');
  });

  it('cuts only the subscriptions, or only the others', async () => {
    const [subscriber, commander] = [await open(), await used()];
    await ask(subscriber, '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n');
    proxy.cut('subscriptions');
    await closed(subscriber);
    expect(await ask(commander, 'still')).toBe('still');
    proxy.cut('commands');
    await closed(commander);
  });

  it('swallows one direction, leaves the connection, and resets it at the end', async () => {
    const socket = await used();
    proxy.drop('toClient');
    socket.write('lost answer');
    while (proxy.swallowedBytes < 'lost answer'.length) await new Promise(setImmediate);
    expect(echo.received).toBe('hello lost answer');
    expect(socket.bytesRead).toBe('hello '.length);
    proxy.drop('none');
    await closed(socket);
    expect(await ask(await open(), 'fine')).toBe('fine');
  });

  it('lets nothing through a partition, old connections or new, and recovers when it is healed', async () => {
    const before = await used();
    proxy.partition();
    const within = await open();
    before.write('a');
    within.write('b');
    proxy.heal();
    await Promise.all([closed(before), closed(within)]);
    expect(await ask(await open(), 'healed')).toBe('healed');
    expect(echo.received).toBe('hello healed');
  });

  it('delivers what it held although the client has gone', async () => {
    const socket = await used();
    proxy.hold();
    socket.write('late');
    while (proxy.waitingBytes < 4) await new Promise(setImmediate);
    proxy.cut();
    await closed(socket);
    expect(await ask(await open(), 'early ')).toBe('early ');
    await proxy.release();
    expect(echo.received).toBe('hello early late');
  });

  it('holds only answers, or only the subscriptions', async () => {
    const [subscriber, commander] = [await open(), await used()];
    await ask(subscriber, 'SUBSCRIBE ');
    proxy.hold('toClient', 'commands');
    const answer = once(commander, 'data');
    commander.write('asked');
    while (proxy.waitingBytes < 5) await new Promise(setImmediate);
    expect(echo.received).toBe('hello SUBSCRIBE asked');
    expect(await ask(subscriber, 'free')).toBe('free');
    await proxy.release();
    expect(String((await answer)[0])).toBe('asked');
  });

  it('resets connections at the rate it was told', async () => {
    proxy.errorRate(1);
    const socket = await open();
    socket.write('x');
    await closed(socket);
    proxy.errorRate(0);
    expect(await ask(await open(), 'ok')).toBe('ok');
  });

  it('passes large bodies whole', async () => {
    const socket = await open();
    const body = 'x'.repeat(5_000_000);
    let back = 0;
    socket.on('data', (bytes) => (back += bytes.length));
    socket.write(body);
    while (back < body.length) await once(socket, 'data');
    expect(back).toBe(body.length);
  });
});
