import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** An address that is known before the server behind it has one. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where connections go from now on; none is taken before it is set. */
  target = '';

  private constructor() {
    this.#server = createServer((client) => this.#forward(client));
  }

  static async start(): Promise<Relay> {
    const relay = new Relay();
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #forward(client: Socket): void {
    if (this.target === '') return void client.destroy();
    const server = connect(Number(new URL(this.target).port), '127.0.0.1');
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => this.#sockets.delete(from));
      from.pipe(to);
    }
  }
}
