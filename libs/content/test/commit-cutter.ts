import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const COMMIT = Buffer.from('COMMIT\0');

/** A way to PostgreSQL on which, once armed, the answer to a COMMIT is lost with the connection. */
export class CommitCutter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #statement: string | undefined;

  private constructor(private readonly target: URL) {
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(target: string): Promise<CommitCutter> {
    const cutter = new CommitCutter(new URL(target));
    cutter.#server.listen(0, '127.0.0.1');
    await once(cutter.#server, 'listening');
    return cutter;
  }

  /** The same database by way of this. */
  url(direct: string): string {
    const url = new URL(direct);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** For the next transaction that sends such a statement: others commit at any time. */
  arm(statement: string): void {
    this.#statement = statement;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket): void {
    const server = connect(Number(this.target.port || 5432), this.target.hostname);
    let meant = false;
    let cutting = false;
    client.on('data', (chunk) => {
      if (this.#statement !== undefined && chunk.includes(this.#statement)) {
        this.#statement = undefined;
        meant = true;
      }
      cutting ||= meant && chunk.includes(COMMIT);
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (cutting) client.destroy();
      else client.write(chunk);
    });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
