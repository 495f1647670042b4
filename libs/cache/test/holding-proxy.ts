import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { until } from './until.js';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly held: Buffer[];
  holding: boolean;
}

/** A slow network: keeps what clients have sent and delivers it when the client is long gone. */
export class HoldingProxy {
  readonly #pairs: Pair[] = [];

  private constructor(private readonly listener: Server) {}

  static async start(targetPort: number): Promise<HoldingProxy> {
    const listener = createServer();
    const proxy = new HoldingProxy(listener);
    listener.on('connection', (client) => proxy.#join(client, connect(targetPort, '127.0.0.1')));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** From now on the connections that are open deliver nothing to the server; new ones do. */
  hold(): void {
    for (const pair of this.#pairs) pair.holding = true;
  }

  /** Closes the held connections towards the clients only. */
  cut(): void {
    for (const pair of this.#pairs) if (pair.holding) pair.client.destroy();
  }

  /** Delivers what was held; resolves when the server has answered it, or had closed the connection before. */
  async release(): Promise<void> {
    const late = this.#pairs.filter((pair) => pair.held.length > 0);
    if (late.length === 0) throw new Error('nothing was held');
    const answered = late.map((pair) => {
      let done = pair.server.destroyed;
      pair.server.once('data', () => (done = true));
      pair.server.once('close', () => (done = true));
      if (!done) pair.server.write(Buffer.concat(pair.held));
      return () => done;
    });
    await until(() => answered.every((done) => done()));
  }

  async stop(): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.listener.close();
    await once(this.listener, 'close');
  }

  #join(client: Socket, server: Socket): void {
    const pair: Pair = { client, server, held: [], holding: false };
    this.#pairs.push(pair);
    client.on('data', (data) => {
      if (pair.holding) pair.held.push(data);
      else server.write(data);
    });
    server.on('data', (data) => client.write(data));
    client.on('close', () => {
      if (!pair.holding) server.destroy();
    });
    server.on('close', () => client.destroy());
    for (const socket of [client, server]) socket.on('error', () => socket.destroy());
  }
}
