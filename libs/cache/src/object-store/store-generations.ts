import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { CacheFormatError } from '../cache.errors.js';
import type { Scope } from '../coherence/scopes.js';
import type { NotedGenerations } from '../entry.js';
import { eachLimited } from './each-limited.js';
import type { ObjectGate } from './object-gate.js';
import { KEPT_PREFIX } from './object-store.js';

/** A load that takes longer is not stored: the generations noted before it may be gone. */
const LOAD_WINDOW_MS = 600_000;
/** Generations outlive the entries that depend on them by this; more than {@link LOAD_WINDOW_MS}. */
const GRACE_MS = 3_600_000;
const TOKEN_BYTES = 12;
/** Stands for a scope that was never invalidated, or so long ago that no entry of that time is left. */
const BASELINE = Buffer.alloc(0);
const PARALLEL = 32;
const RETRY_MS = 1_000;

export interface StoreGenerationsOptions {
  /** As for the tier. */
  readonly prefix: string;
  /** Longest life of an object, milliseconds. */
  readonly ttlMs: number;
  /** Monotonic milliseconds, for tests. */
  readonly monotonic?: () => number;
  /** Milliseconds until an invalidation that failed is tried again. @default 1,000 */
  readonly retryMs?: number;
}

/**
 * The generations of scopes in the object store itself, for a cache without Redis. To invalidate a scope is to put a new
 * random token into its object; an absent one stands for the baseline. Every read asks the store, so that several
 * processes on one store agree.
 *
 * Keys and tags share 65,536 objects each, by hash, which bounds their number: the invalidation of one key makes some
 * other entries misses, never an invalid one a hit.
 */
export class StoreGenerations {
  readonly #noted = new WeakMap<NotedGenerations, number>();
  /** Slots whose new token has not reached the store, and the number of the last invalidation of each. */
  readonly #pending = new Map<string, number>();
  #raised = 0;
  readonly #monotonic: () => number;
  readonly #retryMs: number;
  #retry: NodeJS.Timeout | undefined;
  #retrying: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly gate: ObjectGate,
    private readonly options: StoreGenerationsOptions,
  ) {
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#retryMs = options.retryMs ?? RETRY_MS;
  }

  /** Invalidations that have not reached the store; it is not used for their scopes. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The generations of an entry and of what it depends on. Undefined when the store does not tell all of them. */
  async note(entry: Scope, dependencies: readonly Scope[]): Promise<NotedGenerations | undefined> {
    const notedAt = this.#monotonic();
    const found = await this.#tokens([entry, ...dependencies]);
    if (found === undefined) return undefined;
    const [key = BASELINE, ...tokens] = found;
    const noted = { scopes: dependencies, key, tokens };
    this.#noted.set(noted, notedAt);
    return noted;
  }

  /**
   * Whether nothing was invalidated since it was noted; to be asked before a write. Undefined when that is not known.
   * Here nothing has to be kept alive; the parameters are those of the Redis tier.
   */
  async hold(entry: Scope, noted: NotedGenerations): Promise<boolean | undefined> {
    const notedAt = this.#noted.get(noted);
    if (notedAt === undefined || this.#monotonic() - notedAt > LOAD_WINDOW_MS) return false;
    const [key, ...tokens] = (await this.#tokens([entry, ...noted.scopes])) ?? [];
    if (key === undefined) return undefined;
    return key.equals(noted.key) && noted.tokens.every((token, i) => tokens[i]?.equals(token) === true);
  }

  /**
   * Invalidates for all processes on the store. False when a token did not get through: then it is tried again until it
   * does, and this process does without the store for that scope; others may still find old entries there.
   */
  async raise(scopes: readonly Scope[]): Promise<boolean> {
    const slots = new Set(scopes.map(slotOf));
    const number = ++this.#raised;
    // Until the last of them has reached the store, nothing is noted that it should overtake.
    for (const slot of slots) this.#pending.set(slot, number);
    return this.#put([...slots].map((slot) => [slot, number]));
  }

  /** Tries what is pending once more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#retrying;
    if (this.#pending.size > 0) await this.#put([...this.#pending]);
  }

  async #tokens(scopes: readonly Scope[]): Promise<Buffer[] | undefined> {
    const tokens = new Map<string, Buffer>(scopes.map((scope) => [slotOf(scope), BASELINE]));
    if (!this.gate.available || this.#anyPending(tokens.keys())) return undefined;
    try {
      await this.gate.read((signal) =>
        eachLimited([...tokens.keys()], PARALLEL, async (slot) => {
          tokens.set(slot, await this.#token(slot, signal));
        }),
      );
    } catch {
      // Counted by the gate.
      return undefined;
    }
    if (this.#anyPending(tokens.keys())) return undefined;
    return scopes.map((scope) => tokens.get(slotOf(scope)) ?? BASELINE);
  }

  #anyPending(slots: Iterable<string>): boolean {
    if (this.#pending.size === 0) return false;
    for (const slot of slots) if (this.#pending.has(slot)) return true;
    return false;
  }

  async #token(slot: string, signal: AbortSignal): Promise<Buffer> {
    const found = await this.gate.store.get(this.#keyOf(slot), { signal });
    if (found === undefined || found === 'not-modified') return BASELINE;
    if (found.size === TOKEN_BYTES) return buffer(found.body);
    found.body.destroy();
    throw new CacheFormatError(`a generation of ${found.size} bytes`);
  }

  async #put(slots: readonly [slot: string, number: number][]): Promise<boolean> {
    const options = { ttlMs: this.options.ttlMs + GRACE_MS };
    let whole = true;
    await eachLimited(slots, PARALLEL, async ([slot, number]) => {
      try {
        const token = randomBytes(TOKEN_BYTES);
        const put = (signal: AbortSignal) =>
          this.gate.store.put(this.#keyOf(slot), token, {}, { ...options, signal });
        await this.gate.write(put, this.gate.timeoutMs);
        if (this.#pending.get(slot) === number) this.#pending.delete(slot);
      } catch {
        // Counted by the gate.
        whole = false;
      }
    });
    if (!whole) this.#retryLater();
    return whole;
  }

  #retryLater(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#retrying = this.#put([...this.#pending]).then(() => undefined);
    }, this.#retryMs).unref();
  }

  #keyOf(slot: string): string {
    return `${KEPT_PREFIX}${this.options.prefix}/${slot}`;
  }
}

/** Keys and tags by 16 bits of their hash; namespaces and everything, which are few, by name. */
function slotOf(scope: Scope): string {
  const kind = scope.slice(0, 2);
  if (kind !== 'k:' && kind !== 't:') return scope;
  return kind + createHash('sha256').update(scope).digest('hex').slice(0, 4);
}
