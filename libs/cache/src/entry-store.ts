import type { Readable } from 'node:stream';
import { AddressBook } from './address-book.js';
import { InvalidTagsError } from './cache.errors.js';
import type { NamespaceOptions, TierName } from './cache.options.js';
import { dependencies, keyScope } from './coherence/scopes.js';
import { publishHit, traceRead } from './events/events.js';
import type { EntryDraft, NotedGenerations, TierEntry } from './entry.js';
import type { MemoryEntry } from './memory/entry-memory.js';
import { takeIn, type StoredValue } from './memory/stored-value.js';
import type { Lease, ReadOptions, RedisRead } from './redis/redis-tier.js';
import { NamespaceCounters } from './statistics/counters.js';
import {
  contentTag,
  EARLIEST_REFRESH,
  assertTag,
  MAX_TAGS,
  type Below,
  type Draft,
  type Found,
  type Placement,
  type Target,
} from './target.js';
import type { Tiers } from './tiers.js';
import { noteHit, readSpan } from './tracing/cache-spans.js';
import { ValueIntake } from './value-intake.js';

/** The entries of one namespace in all tiers: reads through them, promotes, stores, and replaces. */
export class EntryStore {
  readonly counters = new NamespaceCounters();
  readonly #addresses: AddressBook;
  readonly #intake: ValueIntake;

  constructor(
    readonly name: string,
    readonly options: NamespaceOptions,
    readonly tiers: Tiers,
    warn: (message: string) => void,
  ) {
    this.#addresses = new AddressBook(name);
    this.#intake = new ValueIntake(name, options.maxEntryBytes, this.counters, warn);
  }

  /** Where an entry lives in memory. @throws {InvalidKeyError} */
  address(key: string): string {
    return this.#addresses.addressOf(key);
  }

  /** Notes the logical time: whatever is read or loaded from here on can be overtaken. @throws {InvalidTagsError} */
  target(key: string, tags: readonly string[] = [], contentHashes: readonly string[] = []): Target {
    const all = contentHashes.length === 0 ? tags : [...tags, ...contentHashes.map(contentTag)];
    if (all.length > MAX_TAGS)
      throw new InvalidTagsError(`an entry takes ${MAX_TAGS} tags, not ${all.length}`);
    for (const tag of all) assertTag(tag);
    const address = this.address(key);
    const scopes = dependencies(this.name, all);
    const { generations } = this.tiers;
    return {
      key,
      address,
      scope: keyScope(address),
      dependencies: scopes,
      tagSlots: generations.tagSlots(scopes),
      at: generations.now(),
    };
  }

  /** The entry in memory, fresh or stale. Synchronous, allocates nothing. */
  lookUp(address: string): MemoryEntry | undefined {
    const entry = this.tiers.memory.get(address);
    if (entry === undefined) {
      this.counters.memoryMisses++;
      return undefined;
    }
    if (this.tiers.generations.suspectedSince(entry.at)) {
      // Messages may have been missed since it was stored: only Redis can tell.
      this.counters.suspected++;
      this.counters.memoryMisses++;
      return undefined;
    }
    this.counters.memoryHits++;
    return entry;
  }

  /** As {@link lookUp}, fresh only, and what is not found is no miss: whoever asks goes on to ask elsewhere. */
  peek(address: string): MemoryEntry | undefined {
    const { memory, generations, clock } = this.tiers;
    const entry = memory.get(address);
    if (entry === undefined || entry.softUntil <= clock.now()) return undefined;
    if (generations.suspectedSince(entry.at)) return undefined;
    this.counters.memoryHits++;
    return entry;
  }

  /** Whether the key, the namespace or one of the tags was invalidated since the target was noted. */
  overtaken({ scope, at, tagSlots }: Target, slots = tagSlots): boolean {
    return this.tiers.generations.moved(this.name, scope, slots, at);
  }

  /**
   * Looks in Redis and then in the object store; what is found is promoted. Without options nothing follows a miss, and
   * nothing is noted for it. Never rejects.
   */
  read(target: Target, placement: Placement, options?: ReadOptions): Promise<Below> {
    return readSpan(this.name, 1, () =>
      traceRead(this.name, 1, () => this.#read(target, placement, options)),
    );
  }

  /** As {@link read} for many, with a load to follow or without; one round trip to Redis for each bucket. */
  readMany(targets: readonly Target[], placement: Placement, toLoad: boolean): Promise<readonly Below[]> {
    if (targets.length === 0) return Promise.resolve([]);
    const { length } = targets;
    return readSpan(this.name, length, () =>
      traceRead(this.name, length, () => this.#readMany(targets, placement, toLoad)),
    );
  }

  async #read(target: Target, placement: Placement, options?: ReadOptions): Promise<Below> {
    // Right after the start the first connection is worth the wait, which is bounded.
    if (this.tiers.opening !== undefined) await this.tiers.opening;
    const redis = this.tiers.redisFor(target.scope);
    const how = options ?? { note: this.#notesAlways };
    const answer = redis && (await redis.read(target.scope, target.dependencies, how));
    return this.#below(target, placement, answer);
  }

  async #readMany(
    targets: readonly Target[],
    placement: Placement,
    toLoad: boolean,
  ): Promise<readonly Below[]> {
    const requests = targets.map((it) => ({
      entry: it.scope,
      dependencies: it.dependencies,
      note: toLoad || this.#notesAlways,
    }));
    if (this.tiers.opening !== undefined) await this.tiers.opening;
    const answers = (await this.tiers.redis?.readMany(requests)) ?? [];
    return Promise.all(targets.map((target, i) => this.#below(target, placement, answers[i])));
  }

  async #below(target: Target, placement: Placement, answer: RedisRead | undefined): Promise<Below> {
    if (answer?.hit === true) {
      this.counters.redisHits++;
      publishHit(this.name, target.key, 'redis');
      noteHit('redis');
      const { noted } = answer;
      const found = this.#promote(target, placement, answer.entry);
      return {
        found,
        ...(noted !== undefined && { noted }),
        ...(answer.lease !== undefined && { lease: answer.lease }),
      };
    }
    if (answer !== undefined) this.counters.redisMisses++;
    const { objects } = this.tiers;
    const noted = answer?.noted ?? (await this.tiers.noteWithoutRedis(target.scope, target.dependencies));
    const rest: Below = {
      ...(noted !== undefined && { noted }),
      ...(answer?.lease !== undefined && { lease: answer.lease }),
    };
    const mayBeObject = placement.tiers === 'auto' || placement.tiers.includes('object');
    if (objects === undefined || noted === undefined || !mayBeObject || rest.lease === 'held') return rest;
    const entry = await objects.read(target.scope, noted);
    if (entry === undefined) {
      this.counters.objectMisses++;
      return rest;
    }
    this.counters.objectHits++;
    publishHit(this.name, target.key, 'object');
    noteHit('object');
    this.counters.objectPromotions++;
    return { ...rest, found: this.#promote(target, placement, entry) };
  }

  /** Brings a value up into memory, unless it was invalidated here while the answer was under way. */
  #promote(target: Target, placement: Placement, entry: TierEntry): Found {
    const stored = takeIn(entry.value);
    const tagSlots = this.tiers.generations.tagSlots(entry.scopes);
    const draft = { ...entry, stored };
    if (!this.overtaken(target, tagSlots) && keptIn('memory', placement)) {
      this.counters.promotions++;
      this.#keepInMemory({ ...target, tagSlots }, draft, placement);
    }
    const now = this.tiers.clock.now();
    return { ...draft, freshUntil: now + entry.freshMs, hardUntil: now + entry.hardMs };
  }

  /** Keeps what a load brought, where size and caller want it. Nobody waits for the lower tiers. */
  keep(target: Target, draft: Draft, below: Below, placement: Placement): void {
    const entry = keptIn('memory', placement) ? this.#keepInMemory(target, draft, placement) : undefined;
    const lease = below.lease === 'held' ? undefined : below.lease;
    const { noted } = below;
    const written = noted && this.#write(target, draft, noted, lease, placement);
    if (written === undefined) return this.release(below);
    this.tiers.track(
      written.then((accepted) => {
        if (accepted !== false) return;
        // Overtaken in another process: nobody may get it from here either.
        this.counters.overtaken++;
        if (entry !== undefined) this.tiers.memory.deleteEntry(target.address, entry);
      }),
    );
  }

  /** Lets another process load, when nothing was stored. */
  release({ lease }: Below): void {
    if (lease === undefined || lease === 'held') return;
    const released = this.tiers.redis?.releaseLease(lease);
    if (released !== undefined) this.tiers.track(released);
  }

  /** Replaces the entry in all tiers by what a caller gives. */
  async replace(target: Target, draft: Draft, placement: Placement): Promise<void> {
    const fresh = this.#raise(target);
    if (keptIn('memory', placement)) this.#keepInMemory(fresh, draft, placement);
    if (this.tiers.opening !== undefined) await this.tiers.opening;
    const redis = this.tiers.redisFor(fresh.scope);
    if (redis !== undefined && this.#belongsInRedis(draft, placement)) {
      return redis.set(fresh.scope, fresh.dependencies, { ...draft, value: draft.stored.value });
    }
    await this.tiers.invalidateBelow([fresh.scope]);
    if (this.tiers.objects === undefined || !this.#belongsInObjects(draft, placement)) return;
    const noted = await this.tiers.note(fresh.scope, fresh.dependencies);
    if (noted !== undefined) await this.#write(fresh, draft, noted, undefined, placement);
  }

  /** Replaces the entry by bytes in the object store. False when they were not kept. */
  async replaceByStream(
    target: Target,
    source: Readable,
    draft: Omit<EntryDraft, 'value'>,
  ): Promise<boolean> {
    const { scope, dependencies } = this.#raise(target);
    this.tiers.memory.delete(target.address);
    await this.tiers.invalidateBelow([scope]);
    const noted = await this.tiers.note(scope, dependencies);
    const { objects } = this.tiers;
    if (noted === undefined || objects === undefined) {
      source.destroy();
      return false;
    }
    const kept = await objects.writeStream(scope, noted, source, draft);
    return kept && (await this.tiers.hold(scope, noted, draft.hardMs)) === true;
  }

  /** The bytes of {@link replaceByStream}. */
  async openStream(target: Target): Promise<Readable | undefined> {
    const noted = await this.tiers.note(target.scope, target.dependencies);
    const found = noted && (await this.tiers.objects?.openStream(target.scope, noted));
    if (found === undefined) {
      this.counters.objectMisses++;
      return undefined;
    }
    this.counters.objectHits++;
    return found.body;
  }

  /** As {@link replace} for many; one round trip to Redis for each bucket. */
  async replaceMany(
    entries: readonly { readonly target: Target; readonly draft: Draft }[],
    placement: Placement,
  ): Promise<void> {
    const { redis } = this.tiers;
    const batch = entries.filter(
      ({ draft }) => redis !== undefined && this.#belongsInRedis(draft, placement),
    );
    const alone = entries.filter((it) => !batch.includes(it));
    const requests = batch.map(({ target, draft }) => {
      const fresh = this.#raise(target);
      if (keptIn('memory', placement)) this.#keepInMemory(fresh, draft, placement);
      return {
        entry: fresh.scope,
        dependencies: fresh.dependencies,
        draft: { ...draft, value: draft.stored.value },
      };
    });
    await Promise.all([
      requests.length === 0 ? undefined : redis?.setMany(requests),
      ...alone.map((it) => this.replace(it.target, it.draft, placement)),
    ]);
  }

  /** See {@link ValueIntake.takeIn}. */
  takeIn(value: unknown): StoredValue | undefined {
    return this.#intake.takeIn(value);
  }

  /** To note generations costs Redis a key for each: without a load to follow only the object store needs them. */
  get #notesAlways(): boolean {
    return this.tiers.objects !== undefined;
  }

  /** Noted after the key was raised, so that the loads under way are overtaken and this value is not. */
  #raise(target: Target): Target {
    this.tiers.generations.raise(target.scope);
    return { ...target, at: this.tiers.generations.now() };
  }

  #keepInMemory({ address, at, tagSlots }: Target, draft: Draft, { earlyRefresh }: Placement): MemoryEntry {
    const { memory, memoryTtlMs, clock } = this.tiers;
    const { stored, freshMs, hardMs, loadMs, createdAt, etag, lastModified } = draft;
    const now = clock.now();
    const lifeMs = Math.floor(Math.min(hardMs, memoryTtlMs));
    const earlyMs = EARLIEST_REFRESH * earlyRefresh * loadMs;
    const entry: MemoryEntry = {
      stored,
      at,
      tagSlots,
      freshUntil: now + freshMs,
      hardUntil: now + hardMs,
      // Most entries leave memory while they are fresh: then a hit need not look at the clock again.
      softUntil: lifeMs <= freshMs && earlyMs === 0 ? Infinity : now + freshMs - earlyMs,
      loadMs,
      createdAt,
      etag,
      lastModified,
      counters: this.counters,
    };
    if (lifeMs > 0) memory.set(address, entry, lifeMs);
    return entry;
  }

  #belongsInRedis(draft: Draft, { tiers }: Placement): boolean {
    if (tiers !== 'auto') return tiers.includes('redis');
    return this.tiers.objects === undefined || draft.stored.bytes < this.tiers.objectMinBytes;
  }

  #belongsInObjects(draft: Draft, { tiers }: Placement): boolean {
    if (tiers !== 'auto') return tiers.includes('object');
    return draft.stored.bytes >= this.tiers.objectMinBytes;
  }

  /** False when a generation has moved; undefined when no lower tier takes it. */
  #write(
    { scope }: Target,
    draft: Draft,
    noted: NotedGenerations,
    lease: Lease | undefined,
    placement: Placement,
  ): Promise<boolean | undefined> | undefined {
    const { redis, objects } = this.tiers;
    const full: EntryDraft = { ...draft, value: draft.stored.value };
    const inObjects = objects !== undefined && this.#belongsInObjects(draft, placement);
    const inRedis = redis !== undefined && this.#belongsInRedis(draft, placement);
    if (!inObjects) return inRedis ? redis.write(scope, noted, full, lease) : undefined;
    const held = inRedis
      ? redis.write(scope, noted, full, lease)
      : this.tiers.hold(scope, noted, draft.hardMs, lease);
    return held.then(async (accepted) => {
      if (accepted === true) await objects.write(scope, noted, full);
      return accepted;
    });
  }
}

const keptIn = (tier: TierName, { tiers }: Placement) => tiers === 'auto' || tiers.includes(tier);
