import { randomBytes } from 'node:crypto';
import { PendingInvalidations } from '../coherence/pending-invalidations.js';
import type { Scope } from '../coherence/scopes.js';
import { evaluate, type RedisConnection } from './redis-connection.js';
import { SCRIPTS } from './redis-scripts.js';

/** Scopes in one command, below Lua's limit for `unpack`. */
export const MAX_SCOPES = 1_000;

/**
 * A part of the keys that is always in one slot, and so on one server: a small cache of its own, which holds a generation of
 * every namespace and tag. It keeps the invalidations that have not reached its server, whichever that is by then.
 */
export class Bucket {
  /** The key that names its session; its hash tag decides the slot. */
  readonly key: string;
  readonly pending: PendingInvalidations;
  #connection: RedisConnection | undefined;
  #session = '';
  #base = '';
  /** replaying: invalidations may be sent behind those that are being replayed, nothing may be read yet. */
  #state: 'closed' | 'replaying' | 'open' = 'closed';
  #recovery: Promise<void> = Promise.resolve();

  constructor(prefix: string, index: number, maxPending: number) {
    this.key = `${hashTag(prefix, index)}:session`;
    this.pending = new PendingInvalidations(maxPending);
  }

  get connection(): RedisConnection | undefined {
    return this.#connection;
  }

  /** What the scripts have to find in the key of the session. */
  get session(): string {
    return this.#session;
  }

  /** What all names of this session begin with. */
  get base(): string {
    return this.#base;
  }

  /** The time of its server, see `ServerClock`. */
  get now(): number {
    return this.#connection?.clock.now ?? Infinity;
  }

  /** Whether it is on a server that can be used, and nothing is pending. */
  get usable(): boolean {
    return this.#state === 'open' && this.#connection?.ready === true;
  }

  /** Whether an invalidation may be sent now: it will not overtake a pending one. */
  get sendable(): boolean {
    return this.#state !== 'closed' && this.#connection?.started === true;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Not to be used until it is recovered. */
  close(): void {
    this.#state = 'closed';
  }

  /** Keeps what could not be sent; the bucket is not used before it was. */
  postpone(scopes: readonly Scope[]): void {
    this.pending.add(scopes);
    this.close();
  }

  /** Its slot is on this server from now on. */
  moveTo(connection: RedisConnection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.close();
  }

  /** One after the other: opens the session, and sends what is pending. Gives the sent scopes to `onSent`. Rejects when it does not get through. */
  recover(onSent: (scopes: readonly Scope[]) => void): Promise<void> {
    const next = () => this.#recover(onSent);
    return (this.#recovery = this.#recovery.then(next, next));
  }

  async #recover(onSent: (scopes: readonly Scope[]) => void): Promise<void> {
    const connection = this.#connection;
    if (this.open || connection === undefined) return;
    const token = randomBytes(4).toString('base64url');
    const reply = await connection.runInRecovery(
      evaluate(SCRIPTS.OPEN, this.key, [connection.serverId, token]),
    );
    if (connection !== this.#connection) return;
    this.#session = String(reply);
    this.#base = `${this.key.slice(0, -'session'.length)}${this.#session}:`;
    this.#state = 'replaying';
    for (let part = this.pending.take(MAX_SCOPES); part.length > 0; part = this.pending.take(MAX_SCOPES)) {
      try {
        await connection.runInRecovery(evaluate(SCRIPTS.INVALIDATE, this.key, [this.#session, ...part]));
      } catch (error) {
        this.postpone(part);
        throw error;
      }
      onSent(part);
    }
    // Closed again meanwhile: the one who did that sees to another recovery.
    if (this.#isReplaying() && connection === this.#connection) this.#state = 'open';
  }

  /** A call, since it may become false while the recovery waits. */
  #isReplaying(): boolean {
    return this.#state === 'replaying';
  }
}

/** What decides the slot of every key of a bucket (Redis Cluster specification, "Hash tags"). */
export const hashTag = (prefix: string, index: number): string => `{${prefix}:${index}}`;
