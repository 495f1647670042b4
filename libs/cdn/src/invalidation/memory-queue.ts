import { randomUUID } from 'node:crypto';
import { type CdnClock, systemClock } from '../clock.js';
import {
  type Invalidation,
  type InvalidationQueue,
  type NewInvalidation,
  type PendingCount,
  type Postponement,
  type SentPurges,
} from './invalidation-queue.js';

interface Entry extends Invalidation {
  readonly leaseUntil: number;
}

const keyOf = ({ provider, target, soft }: NewInvalidation) =>
  JSON.stringify([provider, target.kind, target.value, soft]);

/**
 * Purges in the memory of this process. **They do not survive it**: what is pending when the process ends is never
 * purged. For one process, for tests, and where a CDN's own time to live is bound enough.
 */
export class MemoryInvalidationQueue implements InvalidationQueue {
  readonly #open = new Map<string, Entry>();
  /** Ids of what is pending, by target. */
  readonly #pending = new Map<string, string>();
  readonly #ended: Invalidation[] = [];

  /** @param historySize how many that have ended are kept */
  constructor(
    private readonly clock: CdnClock = systemClock,
    private readonly historySize = 1_000,
  ) {}

  add(entries: readonly NewInvalidation[]): Promise<Invalidation[]> {
    return Promise.resolve(entries.map((it) => this.#add(it)));
  }

  due(provider: string, limit: number): Promise<Invalidation[]> {
    const now = this.clock.now();
    const due = this.#of(provider).filter((it) => dueAt(it) <= now);
    return Promise.resolve(due.slice(0, limit));
  }

  nextDueMs(provider: string): Promise<number | undefined> {
    const [first] = this.#of(provider)
      .map(dueAt)
      .sort((a, b) => a - b);
    return Promise.resolve(first === undefined ? undefined : Math.max(0, first - this.clock.now()));
  }

  claim(ids: readonly string[], leaseMs: number): Promise<string[]> {
    const now = this.clock.now();
    const claimed = ids.filter((id) => {
      const entry = this.#open.get(id);
      return entry !== undefined && dueAt(entry) <= now;
    });
    for (const id of claimed) {
      const entry = this.#update(id, { state: 'sending', leaseUntil: now + leaseMs });
      if (entry && this.#pending.get(keyOf(entry)) === id) this.#pending.delete(keyOf(entry));
    }
    return Promise.resolve(claimed);
  }

  succeed(ids: readonly string[], { sentAs, verified }: SentPurges): Promise<void> {
    for (const id of ids) this.#end(id, { state: 'done', sentAs, verified, error: null });
    return Promise.resolve();
  }

  postpone(ids: readonly string[], why: Postponement): Promise<void> {
    const notBefore = new Date(this.clock.now() + why.delayMs);
    for (const id of ids) {
      const entry = this.#open.get(id);
      if (!entry) continue;
      const attempts = entry.attempts + (why.countsAsAttempt ? 1 : 0);
      const alone = why.alone ?? entry.alone;
      const postponed = { state: 'pending' as const, notBefore, attempts, alone, error: why.error };
      const again = this.#open.get(this.#pending.get(keyOf(entry)) ?? '');
      // The newer one goes: this one has the attempts and the age.
      if (again) this.#open.delete(again.id);
      const updated = this.#update(id, {
        ...postponed,
        requests: entry.requests + (again?.requests ?? 0),
      });
      if (updated) this.#pending.set(keyOf(updated), id);
    }
    return Promise.resolve();
  }

  fail(ids: readonly string[], error: string): Promise<void> {
    for (const id of ids) this.#end(id, { state: 'failed', error });
    return Promise.resolve();
  }

  pending(limit: number): Promise<Invalidation[]> {
    return Promise.resolve([...this.#open.values()].slice(0, limit).map(toInvalidation));
  }

  history(limit: number): Promise<Invalidation[]> {
    return Promise.resolve(this.#ended.slice(-limit).reverse());
  }

  counts(): Promise<PendingCount[]> {
    const byProvider = Map.groupBy(this.#open.values(), (it) => it.provider);
    const now = this.clock.now();
    return Promise.resolve(
      [...byProvider].map(([provider, its]) => ({
        provider,
        pending: its.length,
        oldestAgeMs: Math.max(...its.map((it) => now - it.requestedAt.getTime())),
      })),
    );
  }

  #add(entry: NewInvalidation): Invalidation {
    const known = this.#open.get(this.#pending.get(keyOf(entry)) ?? '');
    if (known) return toInvalidation(this.#update(known.id, { requests: known.requests + 1 }) ?? known);
    const now = new Date(this.clock.now());
    const added: Entry = {
      ...{ id: randomUUID(), ...entry, state: 'pending', requests: 1, attempts: 0, requestedAt: now },
      ...{ notBefore: now, endedAt: null, sentAs: null, verified: null, error: null, alone: false },
      leaseUntil: 0,
    };
    this.#open.set(added.id, added);
    this.#pending.set(keyOf(entry), added.id);
    return toInvalidation(added);
  }

  #of(provider: string): Entry[] {
    return [...this.#open.values()].filter((it) => it.provider === provider);
  }

  #update(id: string, change: Partial<Entry>): Entry | undefined {
    const entry = this.#open.get(id);
    if (!entry) return undefined;
    const updated = { ...entry, ...change };
    this.#open.set(id, updated);
    return updated;
  }

  #end(id: string, change: Partial<Entry>): void {
    const entry = this.#update(id, { ...change, endedAt: new Date(this.clock.now()) });
    if (!entry) return;
    this.#open.delete(id);
    if (this.#pending.get(keyOf(entry)) === id) this.#pending.delete(keyOf(entry));
    this.#ended.push(toInvalidation(entry));
    if (this.#ended.length > this.historySize) this.#ended.shift();
  }
}

const dueAt = ({ state, leaseUntil, notBefore }: Entry) =>
  state === 'sending' ? leaseUntil : notBefore.getTime();

function toInvalidation({ leaseUntil: _leaseUntil, ...invalidation }: Entry): Invalidation {
  return invalidation;
}
