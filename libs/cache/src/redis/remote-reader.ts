import type { Codec, DecodedEntry } from '../codec/codec.js';
import type { Scope } from '../coherence/scopes.js';
import type { NotedGenerations, TierEntry } from '../entry.js';
import type { Bucket } from './bucket.js';
import type { Lease } from './lease.js';
import { DependencyReader, GenerationSnapshot, readRecord, scopesOf, type EntryRecord } from './record.js';
import { SCRIPTS } from './redis-scripts.js';
import { addressOfEntry, packReads, packScopes, type ReadRequest } from './remote-batch.js';
import type { Batch, TierCommands } from './tier-commands.js';

/** A load that takes longer is not stored in Redis: the generations noted before it may have expired. */
const LOAD_WINDOW_MS = '600000';
/** In place of a refresh time: answers as if there were no record. */
const NO_RECORD = '';
/** A record that is there, and of no use to anybody here. */
const UNREADABLE = Symbol('unreadable');
/** Weight of one read in the share of hits. */
const WEIGHT = 1 / 16;

const NO_SCOPES: readonly Scope[] = [];

/** How to read. */
export interface ReadOptions {
  /** Asks for the lease to load the entry, along with the generations. */
  readonly leaseMs?: number | undefined;
  /** A hit is noted too when its fresh life ends within so many milliseconds. @default 0: when it is stale */
  readonly refreshMs?: number | undefined;
  /** False: no load follows, and a miss leaves nothing in Redis. @default true */
  readonly note?: boolean;
}

/** Answer of Redis to a read. */
export type RedisRead = ({ readonly hit: true; readonly entry: TierEntry } | { readonly hit: false }) & {
  /** With a miss, and with a hit that is stale or about to be; only when dependencies were given. */
  readonly noted?: NotedGenerations;
  /** Beside `noted`, when it was asked for. `held`: another process has it. */
  readonly lease?: Lease | 'held';
};

type Found = RedisRead | typeof UNREADABLE;
type ReadReply = [
  state: number,
  record: Buffer | null,
  now: number,
  fence?: number,
  own?: Buffer,
  ...tokens: Buffer[],
];
type ReadManyReply = [now: number, noted: (Buffer[] | null)[], states: Buffer[]];

/** Share of the reads of a namespace that one MGET settled, or would have: those that a load follows, and the others. */
interface Settled {
  noted: number;
  plain: number;
}

/**
 * Reads entries from their buckets. A fresh hit is one MGET of the record and of the generations that the caller names, which
 * costs Redis a third of a script. What that does not settle (a miss that is to be noted, a stale hit, an entry with other
 * tags than the caller names) is settled by a script. Where that is mostly so, the script is asked at once: one round trip
 * either way.
 */
export class RemoteReader {
  readonly #settled = new Map<Codec, Settled>();
  readonly #dependencies = new DependencyReader();

  constructor(private readonly commands: TierCommands) {}

  /** See `RedisTier.read`. */
  async read(
    entry: Scope,
    dependencies: readonly Scope[],
    { leaseMs, refreshMs = 0, note = true }: ReadOptions,
  ): Promise<RedisRead | undefined> {
    const place = this.commands.placeOf(entry);
    if (place === undefined) return undefined;
    const kind = note ? 'noted' : 'plain';
    const refresh = String(Math.ceil(refreshMs));
    // What no load follows leaves nothing in Redis.
    const toNote = note ? dependencies : NO_SCOPES;
    if (this.#isScriptBetter(place.codec, kind)) {
      const answer = await this.#ask(entry, toNote, leaseMs, refresh);
      this.#learn(place.codec, kind, settledByOne(answer, dependencies, note));
      return answer;
    }
    const request = { entry, dependencies, note };
    const reply = await this.commands.fetch(place.bucket, namesOf(place, dependencies, [request]));
    if (reply === undefined) return undefined;
    const snapshot = new GenerationSnapshot(dependencies, reply, 1);
    const found = this.#settle(
      request,
      reply[1 + dependencies.length] ?? null,
      snapshot,
      place.bucket.now,
      refreshMs,
    );
    const answer = found instanceof Promise ? await found : found;
    this.#learn(place.codec, kind, answer !== undefined);
    if (answer === UNREADABLE) return this.#ask(entry, toNote, leaseMs, NO_RECORD);
    return answer ?? this.#ask(entry, toNote, leaseMs, refresh);
  }

  /** See `RedisTier.readMany`. */
  async readMany(requests: readonly ReadRequest[]): Promise<(RedisRead | undefined)[]> {
    const answers = new Map<ReadRequest, RedisRead | undefined>();
    await Promise.all(this.commands.batches(requests).map((batch) => this.#readBatch(batch, answers)));
    return requests.map((it) => answers.get(it));
  }

  async #readBatch(
    batch: Batch<ReadRequest>,
    answers: Map<ReadRequest, RedisRead | undefined>,
  ): Promise<void> {
    const kind = batch.items.some((it) => it.note !== false) ? 'noted' : 'plain';
    if (this.#isScriptBetter(batch.codec, kind)) {
      await this.#askMany(batch, answers);
      for (const it of batch.items)
        this.#learn(batch.codec, kind, settledByOne(answers.get(it), it.dependencies, it.note ?? true));
      return;
    }
    const found = await this.#look(batch);
    if (found === undefined) return;
    for (const answer of found) this.#learn(batch.codec, kind, answer !== undefined);
    const rest: ReadRequest[] = [];
    const waiting: Promise<void>[] = [];
    for (const [i, item] of batch.items.entries()) {
      const answer = found[i];
      if (answer === undefined) rest.push(item);
      else if (answer !== UNREADABLE) answers.set(item, answer);
      else waiting.push(this.#replace(item, answers));
    }
    if (rest.length > 0) waiting.push(this.#askMany({ ...batch, items: rest }, answers));
    await Promise.all(waiting);
  }

  /** One MGET. In the order of the requests; undefined in all when Redis gave no usable answer. */
  async #look(batch: Batch<ReadRequest>): Promise<(Found | undefined)[] | undefined> {
    const { bucket, items } = batch;
    const scopes = [...new Set(items.flatMap((it) => it.dependencies))];
    const reply = await this.commands.fetch(bucket, namesOf(batch, scopes, items));
    if (reply === undefined) return undefined;
    const snapshot = new GenerationSnapshot(scopes, reply, 1);
    const { now } = bucket;
    const found: (Found | undefined)[] = [];
    for (const [i, item] of items.entries()) {
      const one = this.#settle(item, reply[1 + scopes.length + i] ?? null, snapshot, now, 0);
      found.push(one instanceof Promise ? await one : one);
    }
    return found;
  }

  #isScriptBetter(codec: Codec, kind: keyof Settled): boolean {
    return (this.#settled.get(codec)?.[kind] ?? 1) < 0.5;
  }

  /** Remembers whether one MGET was enough, or would have been. */
  #learn(codec: Codec, kind: keyof Settled, enough: boolean): void {
    let settled = this.#settled.get(codec);
    if (settled === undefined) {
      if (enough) return;
      this.#settled.set(codec, (settled = { noted: 1, plain: 1 }));
    }
    settled[kind] += WEIGHT * ((enough ? 1 : 0) - settled[kind]);
  }

  /** Undefined when the script has to do it. */
  #settle(
    { entry, dependencies, note = true }: ReadRequest,
    bytes: Buffer | null,
    snapshot: GenerationSnapshot,
    now: number,
    refreshMs: number,
  ): Found | undefined | Promise<Found> {
    // A miss that nobody will store needs no generations.
    const noted = note && dependencies.length > 0;
    if (bytes === null) return noted ? undefined : { hit: false };
    const record = this.#record(bytes);
    if (record === undefined) return UNREADABLE;
    if (!snapshot.covers(record)) return undefined;
    if (record.freshUntil - now <= refreshMs && noted) return undefined;
    const hit = this.#hit(entry, record, now);
    return hit instanceof Promise ? hit.then((it) => it ?? UNREADABLE) : (hit ?? UNREADABLE);
  }

  async #ask(
    entry: Scope,
    dependencies: readonly Scope[],
    leaseMs: number | undefined,
    refresh: string,
  ): Promise<RedisRead | undefined> {
    const place = this.commands.placeOf(entry);
    if (place === undefined) return undefined;
    const token = this.commands.parts.nextToken();
    const lease = leaseMs === undefined ? '' : String(Math.ceil(leaseMs));
    const scopes = dependencies.length === 0 ? '' : packScopes(dependencies);
    const args = [place.codec.version, addressOfEntry(entry), token, LOAD_WINDOW_MS, refresh, lease, scopes];
    const reply = await this.commands.attempt(place.bucket, SCRIPTS.READ, args);
    if (reply === undefined) return undefined;
    const [state, bytes, now, fence, own, ...tokens] = reply as ReadReply;
    const notes = {
      ...(own !== undefined && { noted: { scopes: dependencies, key: own, tokens } }),
      ...(leaseMs !== undefined && fence !== undefined && { lease: leaseOf(entry, token, fence, leaseMs) }),
    };
    if (state === 0 || bytes === null) return { hit: false, ...notes };
    const record = this.#record(bytes);
    const hit = record && (await this.#hit(entry, record, now));
    if (hit !== undefined) return { ...hit, ...notes };
    // It is of no use to anybody here: noted as a miss, so that a load replaces it.
    return this.#ask(entry, dependencies, leaseMs, NO_RECORD);
  }

  async #askMany(
    { bucket, codec, items }: Batch<ReadRequest>,
    answers: Map<ReadRequest, RedisRead | undefined>,
  ): Promise<void> {
    const { packed, listOf } = packReads(items);
    const args = [codec.version, this.commands.parts.nextToken(), LOAD_WINDOW_MS, packed];
    const reply = await this.commands.attempt(bucket, SCRIPTS.READ_MANY, args);
    if (reply === undefined) return;
    const [now, noted, states] = reply as ReadManyReply;
    const settle = async (item: ReadRequest, i: number) => {
      const { entry, dependencies } = item;
      const [bytes, own] = [states[2 * i], states[2 * i + 1]];
      const tokens = noted[(listOf[i] ?? 0) - 1];
      const notes = own?.length && tokens ? { noted: { scopes: dependencies, key: own, tokens } } : {};
      if (!bytes?.length) return answers.set(item, { hit: false, ...notes });
      const record = this.#record(bytes);
      const hit = record && (await this.#hit(entry, record, now));
      return hit === undefined ? this.#replace(item, answers) : answers.set(item, { ...hit, ...notes });
    };
    await Promise.all(items.map(settle));
  }

  /** What can not be read is noted as a miss, so that a load replaces it. */
  async #replace(item: ReadRequest, answers: Map<ReadRequest, RedisRead | undefined>): Promise<void> {
    const { entry, dependencies, note = true } = item;
    answers.set(item, await this.#ask(entry, note ? dependencies : NO_SCOPES, undefined, NO_RECORD));
  }

  /** Undefined, counted, when it is damaged. */
  #record(bytes: Buffer): EntryRecord | undefined {
    try {
      return readRecord(bytes, this.#dependencies);
    } catch {
      this.commands.parts.counters.undecodable++;
      return undefined;
    }
  }

  /** Undefined, counted, when it can not be read. */
  #hit(
    entry: Scope,
    record: EntryRecord,
    now: number,
  ): RedisRead | undefined | Promise<RedisRead | undefined> {
    const leftMs = record.hardUntil - now;
    const decoded = leftMs > 0 ? this.commands.decode(entry, record.envelope, leftMs) : undefined;
    const scopes = scopesOf(record);
    const asHit = (it: DecodedEntry | undefined) => it && { hit: true as const, entry: { ...it, scopes } };
    return decoded instanceof Promise ? decoded.then(asHit) : asHit(decoded);
  }
}

/** Whether one MGET would have given the answer that a script gave. */
function settledByOne(answer: RedisRead | undefined, dependencies: readonly Scope[], note: boolean): boolean {
  if (answer?.hit !== true) return answer !== undefined && !note;
  return answer.noted === undefined && answer.entry.scopes.length <= dependencies.length;
}

/** @param fence 0 when another process holds the lease */
const leaseOf = (entry: Scope, token: string, fence: number, leaseMs: number): Lease | 'held' =>
  fence === 0 ? 'held' : { entry, token, fence, leaseMs };

/** The MGET of the session, the generations and the records of entries in one bucket and namespace. */
function namesOf(
  { bucket, codec }: { readonly bucket: Bucket; readonly codec: Codec },
  scopes: readonly Scope[],
  requests: readonly ReadRequest[],
): string[] {
  const { base } = bucket;
  const names = ['MGET', bucket.key];
  for (const scope of scopes) names.push(base + scope);
  const records = `${base}v${codec.version}:`;
  for (const { entry } of requests) names.push(records + addressOfEntry(entry));
  return names;
}
