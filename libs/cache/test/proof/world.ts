import { monitorEventLoopDelay } from 'node:perf_hooks';
import { until } from '../until.js';
import type { Instance, Instances } from './instances.js';
import {
  HARD_MS,
  MEMORY_TTL_MS,
  fillerOf,
  type Change,
  type HowToWrite,
  type Loading,
  type NamespaceName,
  type Question,
  type Version,
} from './world-terms.js';

/** Answers that must come: a hang is a failure. */
const ANSWER_MS = 15_000;

export class SourceFailed extends Error {}

/**
 * The source of truth, callers who remember what they may see, and what every instance has been told. It throws as soon as a
 * caller gets what must not be.
 */
export class World {
  readonly #versions = new Map<string, number>();
  /** Oldest version that a call on this instance may answer with, by `instance id + key`. */
  readonly #floors = new Map<string, number>();
  readonly #loading: Loading[] = [];
  /** Those who wait for an answer, and on which instance. */
  readonly #callers = new Map<Promise<void>, number>();
  /** Calls under way by `instance id + key`. */
  readonly #busy = new Map<string, number>();
  readonly #dead = new Set<number>();
  readonly #writing = new Set<Promise<void>>();
  readonly #changes: Change[] = [];
  /** Every `set` that Redis has not confirmed. */
  readonly #underWay = new Set<Change>();
  readonly #stall = monitorEventLoopDelay({ resolution: 5 });
  readonly #failures: unknown[] = [];

  constructor(
    private readonly instances: Instances,
    private readonly run: string,
  ) {
    this.#stall.enable();
  }

  /** Fails as soon as something was wrong. */
  check(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  get(index: number, namespace: NamespaceName, name: string): void {
    const { instance, key } = this.#point(index, namespace, name);
    this.#expect(instance, namespace, key, instance.cache.namespace(namespace).get(key));
  }

  getMany(index: number, namespace: NamespaceName, name: string): void {
    const { instance, key } = this.#point(index, namespace, name);
    const answer = instance.cache.namespace(namespace).getMany<Version>(['none', key]);
    this.#expect(
      instance,
      namespace,
      key,
      answer.then((values) => values.get(key)),
    );
  }

  /** Callers at one moment. The loader reads the source at once, and brings what it read when it is told to finish. */
  load(index: number, namespace: NamespaceName, name: string, callers: number): void {
    const { instance, key } = this.#point(index, namespace, name);
    let runs = 0;
    const loader = () => {
      if (++runs > 1) this.#failures.push(new Error(`${callers} callers on ${key} made ${runs} loads`));
      return this.#read(instance, key, fillerOf(namespace));
    };
    for (let i = 0; i < callers; i++) {
      const answer = instance.cache
        .namespace(namespace)
        .getOrSet<Version>(key, loader, { tags: [`t-${key}`] });
      this.#expect(instance, namespace, key, answer);
    }
  }

  finish(which: number, fails: boolean): void {
    this.#loading.splice(which % (this.#loading.length || 1), 1)[0]?.finish(fails);
  }

  /** The source changes, and then the cache is told. Waits for the acknowledgement when asked to. */
  async write(
    index: number,
    namespace: NamespaceName,
    name: string,
    how: HowToWrite,
    wait: boolean,
  ): Promise<void> {
    const { instance, key } = this.#point(index, namespace, name);
    const version = this.#version(key) + 1;
    this.#versions.set(key, version);
    this.#raiseFloor(instance, key, version);
    const change: Change = { key, version, by: instance, delivered: false, standsFor: version };
    this.#meet(change);
    this.#changes.push(change);
    const told = this.#tell(instance, namespace, key, how).then(
      () => {
        change.delivered = instance.cache.stats().redis.pendingInvalidations === 0;
        if (change.delivered) this.#underWay.delete(change);
      },
      (error: unknown) => void this.#failures.push(error),
    );
    if (how === 'set') this.#underWay.add(change);
    const writing = told.then(() => void this.#writing.delete(writing));
    this.#writing.add(writing);
    if (wait) await this.#soon(writing, `${how} of ${key}`);
  }

  /** Copies in memory have outlived their time everywhere: also those who were cut off may not have the old. */
  async outlast(): Promise<void> {
    // A read that is under way brings a copy of which the life starts only then.
    await this.#soon(Promise.all(this.#writing), 'the writes');
    const known = this.#changes.filter(({ delivered }) => delivered);
    const idle = (it: Instance, key: string) =>
      !this.#busy.has(it.id + key) && !this.#loading.some((load) => load.instance === it && load.key === key);
    const untouched = known.flatMap((change) =>
      this.instances.live.filter((it) => idle(it, change.key)).map((it) => ({ ...change, it })),
    );
    this.instances.clock.advance(MEMORY_TTL_MS);
    for (const { it, key, version } of untouched) this.#raiseFloor(it, key, version);
  }

  /** The process is gone, with those who waited in it, and with what it had not yet told. */
  async crash(index: number): Promise<void> {
    const dying = this.instances.at(index);
    for (const it of this.#loading.splice(0)) if (it.instance !== dying) this.#loading.push(it);
    this.#dead.add(dying.id);
    for (const [caller, id] of this.#callers) if (id === dying.id) this.#callers.delete(caller);
    await this.instances.crash(index);
  }

  /** The links are well: from here on nobody may have what any of the living has invalidated. */
  async settle(): Promise<void> {
    await this.#soon(Promise.all(this.#writing), 'the writes');
    await this.instances.settle();
    this.#underWay.clear();
    for (const change of this.#changes) {
      change.delivered ||= !this.#dead.has(change.by.id);
      if (!change.delivered) continue;
      for (const it of this.instances.live) this.#raiseFloor(it, change.key, change.version);
    }
  }

  /** Lets everything come to its end and looks at every key on every instance. */
  async end(keys: readonly { readonly namespace: NamespaceName; readonly name: string }[]): Promise<void> {
    await this.settle();
    await until(() => {
      while (this.#loading.length > 0) this.finish(0, false);
      return this.#callers.size === 0 || this.#failures.length > 0;
    }, ANSWER_MS);
    this.check();
    await this.settle();
    for (const { namespace, name } of keys) {
      for (let i = 0; i < this.instances.live.length; i++) this.get(i, namespace, name);
    }
    await this.#soon(Promise.all(this.#callers.keys()), 'the last callers');
    this.#stall.disable();
    this.check();
  }

  #point(index: number, namespace: NamespaceName, name: string) {
    return { instance: this.instances.at(index), key: `${this.run}-${namespace}-${name}` };
  }

  #version(key: string): number {
    return this.#versions.get(key) ?? 0;
  }

  #raiseFloor({ id }: Instance, key: string, version: number): void {
    this.#floors.set(id + key, Math.max(this.#floors.get(id + key) ?? 0, version));
  }

  /** What one instance sends stays in order; what two send does not. */
  #meet({ key, version, by }: Change): void {
    for (const set of this.#underWay) {
      if (set.key !== key) continue;
      if (set.by === by) this.#underWay.delete(set);
      else set.standsFor = version;
    }
  }

  #read(instance: Instance, key: string, filler: string): Promise<Version> {
    const version = this.#version(key);
    return new Promise<Version>((resolve, reject) => {
      const finish = (fails: boolean) =>
        fails ? reject(new SourceFailed()) : resolve({ version, filler, bornAt: performance.now() });
      this.#loading.push({ instance, key, finish });
    });
  }

  #tell({ cache }: Instance, namespace: NamespaceName, key: string, how: HowToWrite): Promise<void> {
    const at = cache.namespace(namespace);
    const tags = [`t-${key}`];
    switch (how) {
      case 'invalidate':
        return at.invalidate(key);
      case 'many':
        return at.invalidateMany(['x', key]);
      case 'set':
        return at.set(key, this.#given(namespace, key), { tags });
      case 'tag':
        return at.invalidateTags(tags);
      case 'tagEverywhere':
        return cache.invalidateTags(tags);
      case 'clear':
        return at.clear();
      case 'flush':
        return cache.flush();
    }
  }

  #given(namespace: NamespaceName, key: string): Version {
    const filler = fillerOf(namespace);
    return { version: this.#version(key), set: true, filler, bornAt: performance.now() };
  }

  /** Notes what the caller may get, and checks it when it comes. */
  #expect(instance: Instance, namespace: NamespaceName, key: string, answer: Promise<unknown>): void {
    const place = instance.id + key;
    const atLeast = this.#floors.get(place) ?? 0;
    const askedAt = performance.now();
    this.#busy.set(place, (this.#busy.get(place) ?? 0) + 1);
    const caller: Promise<void> = answer
      .then((value) =>
        this.#judge(value as Version | undefined, { instance, key, namespace, atLeast, askedAt }),
      )
      .catch((error: unknown) => {
        if (!(error instanceof SourceFailed) && !this.#dead.has(instance.id)) this.#failures.push(error);
      })
      .finally(() => {
        this.#callers.delete(caller);
        const left = this.#busy.get(place)! - 1;
        if (left === 0) this.#busy.delete(place);
        else this.#busy.set(place, left);
      });
    this.#callers.set(caller, instance.id);
  }

  #judge(value: Version | undefined, { instance, key, namespace, atLeast, askedAt }: Question): void {
    if (value === undefined) return;
    const set =
      value.set === true && this.#changes.find((it) => it.key === key && it.version === value.version);
    const version = set ? set.standsFor : value.version;
    if (version < atLeast) {
      throw new Error(
        `${key} on ${instance.id}: version ${version} was served where ${atLeast} was acknowledged`,
      );
    }
    // A write and an answer may each be under way for one deadline; and the process itself may have been slow.
    const late = 2 * this.instances.timeoutMs + this.#stall.max / 1e6;
    const age = askedAt - value.bornAt;
    if (age > HARD_MS[namespace] + late) {
      throw new Error(`${key} on ${instance.id}: a value of ${Math.round(age)} ms was served`);
    }
  }

  async #soon(work: Promise<unknown>, what: string): Promise<void> {
    let done = false;
    void work.then(() => (done = true));
    await until(() => done || this.#failures.length > 0, ANSWER_MS).catch(() => {
      throw new Error(`${what} never ended`);
    });
    this.check();
  }
}
