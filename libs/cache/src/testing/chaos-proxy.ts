import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ChaosLane } from './chaos-lane.js';
import { SeededRandom, type ChaosRange } from './random.js';

/** Which way the bytes go. */
export type ChaosDirection = 'toServer' | 'toClient';
/** Which connections are meant: those that subscribed to a Redis channel, the others, or every one. */
export type ChaosConnections = 'subscriptions' | 'commands' | 'all';

interface Connection {
  readonly client: Socket;
  /** Absent for those that were made during a partition. */
  readonly server: Socket | undefined;
  readonly lanes: Readonly<Record<ChaosDirection, ChaosLane>>;
  subscribes: boolean;
  /** Requests are held, and the server is not to know when the client goes. */
  held: boolean;
  /** Bytes were swallowed: the stream can not go on. */
  damaged: boolean;
}

interface Swallowing {
  readonly directions: readonly ChaosDirection[];
  readonly connections: ChaosConnections;
}

const BOTH: readonly ChaosDirection[] = ['toServer', 'toClient'];
/** Start of a request that is searched for the name of its command; clients put a few small ones into one packet. */
const SEARCHED_BYTES = 1_024;

/**
 * A bad network: a TCP proxy on an ephemeral loopback port in front of a real server. Connect the client to {@link url}
 * and let things go wrong; every fault lasts until it is ended by its counterpart or by {@link calm}.
 *
 * Like TCP it never loses bytes in the middle of a stream that goes on: a connection that lost some stays silent in that
 * direction and is reset when the fault ends. Which connection a random reset hits is decided by the seed.
 */
export class ChaosProxy {
  readonly #connections = new Set<Connection>();
  readonly #random: SeededRandom;
  #delay: number | ChaosRange = 0;
  #errorRate = 0;
  #swallowing: Swallowing | undefined;
  #partitioned = false;
  #swallowedBytes = 0;
  #accepted = 0;

  private constructor(
    private readonly listener: Server,
    private readonly target: URL,
    /** What the random faults were drawn from. */
    readonly seed: number,
  ) {
    this.#random = new SeededRandom(seed);
  }

  /** @param target URL of the server, with host and port; other parts are kept in {@link url}. */
  static async start(target: string, options: { readonly seed?: number } = {}): Promise<ChaosProxy> {
    const listener = createServer();
    const proxy = new ChaosProxy(listener, new URL(target), options.seed ?? 1);
    listener.on('connection', (client) => proxy.#join(client));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** The target's URL with the address of this proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** Connections that are open towards a client. */
  get connections(): number {
    return [...this.#connections].filter(({ client }) => !client.destroyed).length;
  }

  /** Connections that were made so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes that are held back or delayed. */
  get waitingBytes(): number {
    return [...this.#connections].reduce(
      (sum, { lanes }) => sum + lanes.toServer.waiting + lanes.toClient.waiting,
      0,
    );
  }

  /** Bytes that never arrive, so far. */
  get swallowedBytes(): number {
    return this.#swallowedBytes;
  }

  /** Whatever is sent from now on arrives so much later, in either direction, milliseconds. 0 ends it. */
  delay(ms: number | ChaosRange): void {
    this.#delay = ms;
  }

  /** Share of requests, 0 to 1, on which the connection is reset instead. 0 ends it. */
  errorRate(rate: number): void {
    this.#errorRate = rate;
  }

  /** Swallows what goes this way; the connections stay. `none` ends it and resets those that lost something. */
  drop(direction: ChaosDirection | 'both' | 'none', connections: ChaosConnections = 'all'): void {
    const directions = direction === 'both' ? BOTH : direction === 'none' ? [] : [direction];
    this.#swallowing = directions.length === 0 ? undefined : { directions, connections };
    if (direction === 'none') this.#resetWhere((it) => it.damaged && !this.#partitioned);
  }

  /**
   * Resets the connections that are open. New ones work. Those of which requests are on {@link hold} are reset towards the client alone: the server
   * does not hear of it, and gets what was held when it is released.
   */
  cut(connections: ChaosConnections = 'all'): void {
    this.#resetWhere((it) => matches(it, connections));
  }

  /** Nothing gets through any more, also of new connections, and nobody is told. */
  partition(): void {
    this.#partitioned = true;
    for (const it of this.#connections) it.damaged = true;
  }

  /** Ends a partition; the connections from before and from within it are reset. */
  heal(): void {
    if (!this.#partitioned) return;
    this.#partitioned = false;
    this.#resetWhere((it) => it.damaged);
  }

  /** Keeps what goes this way on the connections that are open now; new connections are free. */
  hold(direction: ChaosDirection | 'both' = 'both', connections: ChaosConnections = 'all'): void {
    for (const it of this.#connections) {
      if (!matches(it, connections)) continue;
      it.held ||= direction !== 'toClient';
      for (const way of direction === 'both' ? BOTH : [direction]) it.lanes[way].hold();
    }
  }

  /**
   * Delivers what was held, also on behalf of clients that are gone. Resolves when the server has answered it, or has closed
   * the connection.
   */
  async release(): Promise<void> {
    const late = [...this.#connections].filter((it) => it.held && it.lanes.toServer.waiting > 0);
    const answered = late.map(({ server }) => answer(server));
    for (const it of this.#connections) {
      it.held = false;
      for (const direction of BOTH) it.lanes[direction].release();
    }
    await Promise.all(answered);
  }

  /** Ends every fault; resolves as {@link release} does. */
  calm(): Promise<void> {
    this.delay(0);
    this.errorRate(0);
    this.heal();
    this.drop('none');
    return this.release();
  }

  /** Resets every connection and stops listening. */
  async stop(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    for (const it of this.#connections) {
      it.held = false;
      this.#reset(it);
    }
    await closed;
  }

  #join(client: Socket): void {
    const port = Number(this.target.port);
    const server = this.#partitioned ? undefined : connect(port, this.target.hostname);
    client.setNoDelay(true);
    server?.setNoDelay(true);
    const lanes = { toServer: new ChaosLane(server ?? client), toClient: new ChaosLane(client) };
    const it = { client, server, lanes, subscribes: false, held: false, damaged: this.#partitioned };
    this.#connections.add(it);
    this.#accepted++;
    client.on('data', (bytes) => this.#toServer(it, bytes));
    server?.on('data', (bytes) => this.#pass(it, 'toClient', bytes));
    client.on('close', () => this.#closed(it, 'toServer'));
    server?.on('close', () => this.#closed(it, 'toClient'));
    // The close that follows tells the other side.
    for (const socket of [client, server]) socket?.on('error', () => socket.destroy());
  }

  #toServer(it: Connection, bytes: Buffer): void {
    it.subscribes ||= bytes.toString('latin1', 0, SEARCHED_BYTES).toUpperCase().includes('SUBSCRIBE');
    if (this.#random.happens(this.#errorRate)) this.#reset(it);
    else this.#pass(it, 'toServer', bytes);
  }

  #pass(it: Connection, direction: ChaosDirection, bytes: Buffer): void {
    const swallowed = this.#swallows(it, direction);
    if (!swallowed) return it.lanes[direction].send(bytes, this.#random.within(this.#delay));
    it.damaged = true;
    this.#swallowedBytes += bytes.length;
  }

  #swallows(it: Connection, direction: ChaosDirection): boolean {
    if (this.#partitioned || it.server === undefined) return true;
    const { directions = [], connections = 'all' } = this.#swallowing ?? {};
    return directions.includes(direction) && matches(it, connections);
  }

  /** An end travels like bytes do: it may be held, late, or lost. */
  #closed(it: Connection, direction: ChaosDirection): void {
    if (!this.#swallows(it, direction)) it.lanes[direction].end();
    if (it.client.destroyed && (it.server === undefined || it.server.destroyed)) this.#forget(it);
  }

  #resetWhere(chosen: (it: Connection) => boolean): void {
    for (const it of [...this.#connections]) if (chosen(it)) this.#reset(it);
  }

  #reset(it: Connection): void {
    it.client.resetAndDestroy();
    if (it.held) return;
    it.server?.resetAndDestroy();
    this.#forget(it);
  }

  #forget(it: Connection): void {
    this.#connections.delete(it);
    for (const direction of BOTH) it.lanes[direction].stop();
  }
}

const matches = (it: Connection, connections: ChaosConnections) =>
  connections === 'all' || it.subscribes === (connections === 'subscriptions');

const answer = (server: Socket | undefined) =>
  new Promise<void>((resolve) => {
    if (server === undefined || server.destroyed) return resolve();
    server.once('data', () => resolve());
    server.once('close', () => resolve());
  });
