import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Shares connections among processes that are ready, as a load balancer before them would: it asks each for
 * `/health/ready` all the time, and gives a new connection to the next that said yes.
 */
export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ready = new Map<string, boolean>();
  readonly #timer: NodeJS.Timeout;
  /** Connections that each process was given. */
  readonly connections = new Map<string, number>();
  #next = 0;

  private constructor(urls: readonly string[]) {
    for (const url of urls) this.#ready.set(url, true);
    this.#server = createServer((client) => this.#forward(client));
    this.#timer = setInterval(() => void this.#askAll(), 50);
  }

  static async start(urls: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(urls);
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(client: Socket): void {
    const ready = [...this.#ready].filter(([, isReady]) => isReady).map(([url]) => url);
    const url = ready[this.#next++ % ready.length];
    if (url === undefined) return void client.destroy();
    this.connections.set(url, (this.connections.get(url) ?? 0) + 1);
    const backend = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [from, to] of [[client, backend] as const, [backend, client] as const]) {
      this.#sockets.add(from);
      // A broken side breaks the other: the client sees what it would see without a balancer.
      from.on('error', () => to.destroy());
      from.on('close', () => this.#sockets.delete(from));
      from.pipe(to);
    }
  }

  async #askAll(): Promise<void> {
    await Promise.all(
      [...this.#ready.keys()].map(async (url) => {
        const response = await fetch(`${url}/health/ready`).catch(() => undefined);
        this.#ready.set(url, response?.status === 200);
      }),
    );
  }
}
