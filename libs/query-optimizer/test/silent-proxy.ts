import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A wire to PostgreSQL that can go silent: nobody hangs up, and nothing arrives any more. */
export class SilentProxy {
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(target: string): Promise<SilentProxy> {
    const to = new URL(target);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const from = new URL(target);
    from.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxy = new SilentProxy(server, from.href);
    server.on('connection', (near) => proxy.#join(near, connect(Number(to.port || 5432), to.hostname)));
    return proxy;
  }

  /** What is open stays silent for good, what comes is accepted and not answered, until {@link speak}. */
  silence(): void {
    this.#isSilent = true;
    for (const it of this.#sockets) it.pause().removeAllListeners('data');
  }

  speak(): void {
    this.#isSilent = false;
  }

  async stop(): Promise<void> {
    for (const it of this.#sockets) it.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => this.#sockets.delete(one) && other.destroy());
      if (!this.#isSilent) one.on('data', (it) => other.write(it));
    }
  }
}
