import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  isSubscriber: boolean;
}

const SUBSCRIBE = /\bs?subscribe\b/i;

/** Stands between a cache and its Redis, to hold answers back and to cut subscriptions. */
export class TcpProxy {
  /** Answers of Redis that wait for `releaseAnswers`. */
  heldAnswers = 0;
  /** Subscriptions since the start. */
  subscriptions = 0;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #held: (() => void)[] | undefined;
  #isBusCut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  static async start(redisUrl: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(redisUrl);
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (client) => proxy.#link(client, connect(Number(port), hostname)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** From now on answers to commands wait; what subscribers get goes through. */
  holdAnswers(): void {
    this.#held ??= [];
  }

  releaseAnswers(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  /** Ends all subscriptions, and refuses new ones until `mendBus`. */
  cutBus(): void {
    this.#isBusCut = true;
    for (const link of this.#links) if (link.isSubscriber) this.#end(link);
  }

  mendBus(): void {
    this.#isBusCut = false;
  }

  close(): void {
    for (const link of this.#links) this.#end(link);
    this.#server.close();
  }

  #link(client: Socket, upstream: Socket): void {
    const link: Link = { client, upstream, isSubscriber: false };
    this.#links.add(link);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#end(link));
    }
    client.on('data', (chunk) => this.#onRequest(link, chunk));
    upstream.on('data', (chunk) => this.#onAnswer(link, chunk));
  }

  #onRequest(link: Link, chunk: Buffer): void {
    if (SUBSCRIBE.test(chunk.toString('latin1'))) {
      link.isSubscriber = true;
      if (this.#isBusCut) return this.#end(link);
      this.subscriptions++;
    }
    link.upstream.write(chunk);
  }

  #onAnswer(link: Link, chunk: Buffer): void {
    if (this.#held === undefined || link.isSubscriber) {
      link.client.write(chunk);
      return;
    }
    this.heldAnswers++;
    this.#held.push(() => link.client.write(chunk));
  }

  #end(link: Link): void {
    this.#links.delete(link);
    link.client.destroy();
    link.upstream.destroy();
  }
}
