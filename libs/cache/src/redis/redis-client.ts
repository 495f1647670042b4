import { createRequire } from 'node:module';
import type { RedisStore } from 'cache-manager-redis-yet';
import { RedisDeadlineError } from './redis-faults.js';

/**
 * The only file that knows cache-manager-redis-yet. The cache uses the node-redis client that the package
 * brings, not its store: `redisStore()` answers only after it is connected, prints to the console when it is
 * not, and keeps values as JSON. The client is taken from where that package resolves it, so that its version
 * decides and no second client is installed.
 */
export type RedisClient = RedisStore['client'];

interface RedisModule {
  readonly createClient: (options: object) => RedisClient;
}

const requireHere = createRequire(import.meta.url);
const requireThere = createRequire(requireHere.resolve('cache-manager-redis-yet'));

/** node-redis' own `createClient`, of the version that cache-manager-redis-yet brings. */
export const { createClient: createRedisClient } = requireThere('redis') as RedisModule;

/** Where a server is and who we are to it. */
export interface ClientTarget {
  readonly host: string;
  readonly port: number;
  readonly tls?: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** @default 0 */
  readonly database?: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 500;
/** Above the longest reconnect delay, so that a pending attempt is seen to its end. */
const SETTLE_MS = 1_000;

/** @throws {TypeError} when it is not a URL */
export function targetOf(url: string): ClientTarget {
  const { hostname, port, protocol, username, password, pathname } = new URL(url);
  const database = Number(pathname.slice(1));
  if (!Number.isSafeInteger(database))
    throw new TypeError('The path of a Redis URL is the number of a database');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    tls: protocol === 'rediss:',
    database,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}

/** How a server is called in logs: nothing of the credentials. */
export const serverName = ({ host, port }: ClientTarget): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

function clientFor(
  { host, port, tls, username, password, database }: ClientTarget,
  reconnect: (retries: number) => number | false,
) {
  return createRedisClient({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    // A command for a Redis that is away must fail at once, not wait for its return.
    disableOfflineQueue: true,
    disableClientInfo: true,
    socket: {
      host,
      port,
      ...(tls === true && { tls }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: reconnect,
    },
  });
}

/** One command on a connection of its own. @throws whatever went wrong, within the deadline. */
export async function askOnce(target: ClientTarget, command: string[], timeoutMs: number): Promise<unknown> {
  const client = clientFor(target, () => false);
  // Told by the rejection.
  client.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RedisDeadlineError(timeoutMs)), timeoutMs);
  });
  const answer = client.connect().then(() => client.sendCommand(command));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    const leave = () => (client.isOpen ? client.disconnect() : undefined);
    // node-redis 4 leaks the socket when it is closed in the middle of connecting.
    void answer.then(leave, leave).catch(() => undefined);
  }
}

/** A client with its life cycle: connects in the background for as long as it takes, and closes once. */
export class ManagedClient {
  readonly client: RedisClient;
  #closing = false;

  /** @param onError connection errors; node-redis retries by itself. */
  constructor(target: ClientTarget, onError: (error: Error) => void) {
    this.client = clientFor(target, (retries) =>
      this.#closing ? false : Math.min(50 * (retries + 1), MAX_RECONNECT_DELAY_MS),
    );
    this.client.on('error', onError);
  }

  /** Returns at once. Watch the client's `ready` event. */
  open(): void {
    // The strategy above never gives up, so this rejects only on close; the error event has told the cause.
    this.client.connect().catch(() => undefined);
  }

  /** Replaces a connection that is up but does not answer. */
  async reopen(): Promise<void> {
    if (this.#isClosing() || !this.client.isReady) return;
    await this.client.disconnect();
    if (!this.#isClosing()) this.open();
  }

  /** Does not wait for answers. Safe to call while connecting, and twice. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    // node-redis 4 leaks the socket when it is closed in the middle of connecting: let the attempt end first.
    if (this.client.isOpen && !this.client.isReady) await this.#settled();
    if (this.client.isOpen) await this.client.disconnect();
  }

  /** A call, since it may become true while `reopen` waits. */
  #isClosing(): boolean {
    return this.#closing;
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        for (const event of ['ready', 'error', 'end']) this.client.off(event, done);
        resolve();
      };
      const timer = setTimeout(done, SETTLE_MS);
      for (const event of ['ready', 'error', 'end']) this.client.once(event, done);
    });
  }
}
