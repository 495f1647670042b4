import { ManagedClient, type ClientTarget } from './redis-client.js';

/** Pings keep an idle subscription from being cut by the network, and find a dead one. */
const PING_MS = 5_000;

/** What the owner of the subscription wants to know. */
export interface SubscriberHooks {
  onMessage(text: string): void;
  /** The subscription is up, for the first time or again; what was published before it has been missed. */
  onSubscribed(again: boolean): void;
}

/** A connection of its own, to any one master: receives the invalidations of other processes. */
export class BusSubscriber {
  #link: ManagedClient | undefined;
  #server: string | undefined;
  #everSubscribed = false;
  #alive = false;
  #failed = false;
  #closed = false;
  #ping: NodeJS.Timeout | undefined;

  constructor(
    private readonly channel: string,
    private readonly hooks: SubscriberHooks,
  ) {}

  /** Whether messages are being received right now. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Stays with its server while that is a master and answers; otherwise it turns to another one, if there is any. */
  follow(servers: ReadonlyMap<string, { readonly target: ClientTarget }>): void {
    const current = this.#server;
    const stays = current !== undefined && servers.has(current) && (!this.#failed || servers.size === 1);
    if (stays || this.#closed) return;
    const others = [...servers].filter(([name]) => name !== current);
    const [name, chosen] = others[Math.floor(Math.random() * others.length)] ?? [];
    if (name === undefined || chosen === undefined) return;
    void this.#link?.close();
    this.#ping ??= setInterval(() => void this.#checkAlive(), PING_MS).unref();
    this.#server = name;
    this.#link = this.#connect(chosen.target);
    this.#link.open();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#alive = false;
    clearInterval(this.#ping);
    await this.#link?.close();
  }

  #connect(target: ClientTarget): ManagedClient {
    this.#alive = false;
    this.#failed = false;
    let subscribed = false;
    const isCurrent = () => this.#link === link;
    const link: ManagedClient = new ManagedClient(target, () => {
      if (!isCurrent()) return;
      this.#alive = false;
      this.#failed = true;
    });
    const onReady = async () => {
      try {
        // Later connections subscribe again by themselves, before node-redis says ready.
        const listen = (text: string) => {
          if (isCurrent()) this.hooks.onMessage(text);
        };
        if (!subscribed) await link.client.subscribe(this.channel, listen);
        subscribed = true;
        if (isCurrent()) this.#onSubscribed();
      } catch {
        // The connection broke in between; the next `ready` tries again.
        if (isCurrent()) this.#alive = false;
      }
    };
    link.client.on('ready', () => void onReady());
    link.client.on('end', () => {
      if (isCurrent()) this.#alive = false;
    });
    return link;
  }

  #onSubscribed(): void {
    const again = this.#everSubscribed;
    this.#everSubscribed = true;
    this.#alive = true;
    this.#failed = false;
    this.hooks.onSubscribed(again);
  }

  async #checkAlive(): Promise<void> {
    const link = this.#link;
    if (link?.client.isReady !== true) return;
    if (!this.#alive) {
      // Connected, but the server refused the subscription (no password yet, no permission): a new connection asks again.
      this.#failed = true;
      await link.reopen();
      return;
    }
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), PING_MS / 2).unref();
    const answer = link.client.ping().then(
      () => 'alive' as const,
      () => 'late' as const,
    );
    if ((await Promise.race([answer, late.promise])) === 'late' && this.#link === link) {
      this.#alive = false;
      this.#failed = true;
      await link.reopen();
    }
    clearTimeout(timer);
  }
}
