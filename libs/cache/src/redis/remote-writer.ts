import { CacheEncodingError } from '../cache.errors.js';
import type { Scope } from '../coherence/scopes.js';
import type { EntryDraft, NotedGenerations } from '../entry.js';
import type { Lease } from './lease.js';
import { faultOf } from './redis-faults.js';
import { SCRIPTS } from './redis-scripts.js';
import { packSets, packWrites } from './remote-batch.js';
import type { Batch, TierCommands } from './tier-commands.js';

/** The caller waits for a `set`: only one that takes long to send gets more time than a read. */
const SLOW_BYTES = 2 ** 20;

/** What is to be stored if nothing has overtaken it. */
export interface RedisWrite {
  readonly entry: Scope;
  readonly noted: NotedGenerations;
  readonly draft: EntryDraft;
  readonly lease?: Lease | undefined;
}

/** What is to be stored in any case. */
export interface RedisSet {
  readonly entry: Scope;
  readonly dependencies: readonly Scope[];
  readonly draft: EntryDraft;
}

type Encoded<R> = R & { readonly envelope: Buffer };

/** Stores entries in their buckets. */
export class RemoteWriter {
  constructor(private readonly commands: TierCommands) {}

  /** See `RedisTier.writeMany`. */
  async writeMany(requests: readonly RedisWrite[]): Promise<(boolean | undefined)[]> {
    const answers = new Map<Scope, boolean>();
    const encoded = await this.#encode(requests);
    const write = async ({ bucket, codec, items }: Batch<Encoded<RedisWrite>>) => {
      const args = [codec.version, packWrites(items), ...items.map((it) => it.envelope)];
      const reply = (await this.commands.attempt(bucket, SCRIPTS.WRITE, args, true)) as number[] | undefined;
      for (const [i, { entry }] of items.entries())
        if (reply !== undefined) answers.set(entry, reply[i] === 1);
    };
    await Promise.all(this.commands.batches(encoded).map(write));
    return requests.map((it) => answers.get(it.entry));
  }

  /** See `RedisTier.setMany`. */
  async setMany(requests: readonly RedisSet[]): Promise<void> {
    const { order, invalidator } = this.commands.parts;
    const at = order.now();
    const encoding = this.#encode(requests);
    const encoded = encoding instanceof Promise ? await encoding : encoding;
    // While it was encoded in another thread, it may have been invalidated, or set once more: it must not come after that.
    const isTimely = (it: RedisSet) =>
      !(encoding instanceof Promise) || !order.overtaken(it.entry, it.dependencies, at);
    const batches = this.commands.batches(encoded.filter(isTimely));
    const told = batches.flatMap((it) => it.items.map(({ entry }) => entry));
    const kept = new Set(told);
    const lost = requests.flatMap(({ entry }) => (kept.has(entry) ? [] : [entry]));
    const buckets = batches.map((it) => it.bucket);
    const sent = batches.map((it) => this.#set(it));
    await Promise.all([
      told.length === 0 ? undefined : invalidator.announce(buckets, sent, told),
      lost.length === 0 ? undefined : invalidator.invalidate(lost),
    ]);
  }

  async #set({ bucket, codec, items }: Batch<Encoded<RedisSet>>): Promise<void> {
    const { invalidator, nextToken } = this.commands.parts;
    const envelopes = items.map((it) => it.envelope);
    const bytes = envelopes.reduce((sum, it) => sum + it.length, 0);
    try {
      await this.commands.run(
        bucket,
        SCRIPTS.SET,
        [codec.version, nextToken(), packSets(items), ...envelopes],
        bytes > SLOW_BYTES,
      );
    } catch (error) {
      const entries = items.map((it) => it.entry);
      // There is no room for a value, but still for an invalidation.
      if (faultOf(error) === 'full') await invalidator.invalidate(entries);
      else invalidator.postpone(bucket, entries, error);
    }
  }

  /** Leaves out, counted, what has no binary form. At once, unless one of them takes long. */
  #encode<R extends RedisWrite | RedisSet>(requests: readonly R[]): Encoded<R>[] | Promise<Encoded<R>[]> {
    const encoded = requests.map((it) => this.#encodeOne(it));
    const present = (all: readonly (Encoded<R> | undefined)[]) => all.filter((it) => it !== undefined);
    const isLate = encoded.some((it) => it instanceof Promise);
    if (!isLate) return present(encoded as (Encoded<R> | undefined)[]);
    return Promise.all(encoded as Promise<Encoded<R> | undefined>[]).then(present);
  }

  #encodeOne<R extends RedisWrite | RedisSet>(
    request: R,
  ): Encoded<R> | undefined | Promise<Encoded<R> | undefined> {
    const refuse = (error: unknown) => {
      if (!(error instanceof CacheEncodingError)) this.commands.parts.counters.errors++;
      this.commands.parts.counters.refused++;
      return undefined;
    };
    try {
      const envelope = this.commands.placeOf(request.entry)?.codec.encode(request.entry, request.draft);
      if (envelope === undefined) return undefined;
      if (!(envelope instanceof Promise)) return { ...request, envelope };
      return envelope.then((it) => ({ ...request, envelope: it })).catch(refuse);
    } catch (error) {
      return refuse(error);
    }
  }
}
