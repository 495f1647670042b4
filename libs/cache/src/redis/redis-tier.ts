import type { Scope } from '../coherence/scopes.js';
import type { EntryDraft, NotedGenerations } from '../entry.js';
import type { Lease } from './lease.js';
import { SCRIPTS } from './redis-scripts.js';
import type { ReadRequest } from './remote-batch.js';
import { RemoteReader, type ReadOptions, type RedisRead } from './remote-reader.js';
import { RemoteWriter, type RedisSet, type RedisWrite } from './remote-writer.js';
import { TierCommands, type RedisTierParts } from './tier-commands.js';

export type { Lease } from './lease.js';
export type { ReadRequest } from './remote-batch.js';
export type { ReadOptions, RedisRead } from './remote-reader.js';
export type { RedisSet, RedisWrite } from './remote-writer.js';

const NO_SCOPES: readonly Scope[] = [];
const PLAINLY: ReadOptions = {};

/** Tier 2. Every method settles within the deadline of one operation (ten times that for values to write); none rejects. */
export class RedisTier {
  readonly #commands: TierCommands;
  readonly #reader: RemoteReader;
  readonly #writer: RemoteWriter;

  constructor(private readonly parts: RedisTierParts) {
    this.#commands = new TierCommands(parts);
    this.#reader = new RemoteReader(this.#commands);
    this.#writer = new RemoteWriter(this.#commands);
  }

  /** Whether some entries can be kept and read. */
  get ready(): boolean {
    return this.parts.servers.buckets.some((it) => it.usable);
  }

  /** Whether this entry can. */
  readyFor(entry: Scope): boolean {
    return this.parts.servers.bucketOf(entry).usable;
  }

  /**
   * One round trip. With `dependencies` a miss notes the generations for the load that follows.
   * Undefined when Redis gave no usable answer.
   */
  read(
    entry: Scope,
    dependencies: readonly Scope[] = NO_SCOPES,
    options: ReadOptions = PLAINLY,
  ): Promise<RedisRead | undefined> {
    return this.#reader.read(entry, dependencies, options);
  }

  /** One round trip for each bucket and 500 entries, all sent at once. In the order of the requests. */
  readMany(requests: readonly ReadRequest[]): Promise<(RedisRead | undefined)[]> {
    return this.#reader.readMany(requests);
  }

  /** Stores the result of a load; false when a generation has moved or the lease is lost, undefined when that is not known. */
  async write(
    entry: Scope,
    noted: NotedGenerations,
    draft: EntryDraft,
    lease?: Lease,
  ): Promise<boolean | undefined> {
    return (await this.#writer.writeMany([{ entry, noted, draft, lease }]))[0];
  }

  /** As {@link write} for many different entries, in as many round trips as {@link readMany}. In the order of the requests. */
  writeMany(requests: readonly RedisWrite[]): Promise<(boolean | undefined)[]> {
    return this.#writer.writeMany(requests);
  }

  /** Stores what a caller set and tells the other processes. When that fails the old entry is invalidated. */
  set(entry: Scope, dependencies: readonly Scope[], draft: EntryDraft): Promise<void> {
    return this.#writer.setMany([{ entry, dependencies, draft }]);
  }

  /** As {@link set} for many different entries, in as many round trips as {@link readMany}. */
  setMany(requests: readonly RedisSet[]): Promise<void> {
    return this.#writer.setMany(requests);
  }

  /**
   * Keeps the generations alive for a value that lives elsewhere, and ends the lease. False when one has moved or the lease is
   * lost, undefined when that is not known. One round trip.
   */
  async hold(entry: Scope, noted: NotedGenerations, ms: number, lease?: Lease): Promise<boolean | undefined> {
    const scopes = noted.scopes.flatMap((scope, i) => [scope, noted.tokens[i] ?? '']);
    const args = [String(Math.ceil(ms)), lease?.token ?? '', entry, noted.key, ...scopes];
    const reply = await this.#commands.attemptFor(entry, SCRIPTS.HOLD, args);
    return reply === undefined ? undefined : reply === 1;
  }

  /** False when the lease is another's, or when that is not known. */
  async renewLease({ entry, token, leaseMs }: Lease): Promise<boolean> {
    return (await this.#commands.attemptFor(entry, SCRIPTS.RENEW, [token, String(Math.ceil(leaseMs))])) === 1;
  }

  /** Lets another process load. Does nothing to a lease that is another's by now. */
  async releaseLease({ entry, token }: Lease): Promise<void> {
    await this.#commands.attemptFor(entry, SCRIPTS.RELEASE, [token]);
  }

  /**
   * Invalidates, and tells the other processes; what does not get through is kept and replayed. One command for each bucket
   * and 1,000 scopes, all sent at once; a bucket for an entry, all buckets for the rest.
   */
  invalidate(scopes: readonly Scope[]): Promise<void> {
    return this.parts.invalidator.invalidate(scopes);
  }
}
