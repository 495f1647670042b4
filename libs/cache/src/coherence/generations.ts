import { hashOf } from './hash.js';
import { FLUSH_SCOPE, type Scope } from './scopes.js';

const KEY_SLOTS = 1 << 16;
const TAG_SLOTS = 1 << 17;

const slotOf = (text: string, slots: number) => hashOf(text) & (slots - 1);

/**
 * In-process generations on one logical clock. Raising a scope ticks the clock and stamps the scope with it;
 * a load notes the clock before it starts, and has been overtaken when any scope it depends on carries a later
 * stamp. So a noted state is one number, whatever the count of tags, and tags may be learned after the fact
 * (a read from Redis tells them only with its answer).
 *
 * Memory is fixed (1.5 MiB): keys and tags share hashed slots. A collision makes a foreign invalidation look
 * like an own one, which costs a needless miss and never a stale hit.
 */
export class Generations {
  #clock = 0;
  #flushedAt = 0;
  /** When a tag was raised last, whichever: most hits need not look at their own. */
  #tagsRaisedAt = 0;
  #suspectedAt = 0;
  readonly #namespaces: Map<string, number>;
  readonly #keys = new Float64Array(KEY_SLOTS);
  readonly #tags = new Float64Array(TAG_SLOTS);

  constructor(namespaces: Iterable<string>) {
    this.#namespaces = new Map([...namespaces].map((name) => [name, 0]));
  }

  /** The state to note before a load or a read starts. */
  now(): number {
    return this.#clock;
  }

  /** Overtakes all loads and reads that depend on the scope and started before this call. */
  raise(scope: Scope): void {
    const at = ++this.#clock;
    if (scope === FLUSH_SCOPE) this.#flushedAt = at;
    else if (scope.startsWith('k:')) this.#keys[slotOf(scope, KEY_SLOTS)] = at;
    else if (scope.startsWith('t:')) this.#tags[slotOf(scope, TAG_SLOTS)] = this.#tagsRaisedAt = at;
    // Namespaces of other processes that are not declared here hold no entries here.
    else if (this.#namespaces.has(scope.slice(2))) this.#namespaces.set(scope.slice(2), at);
  }

  /** Knows the namespace from here on. */
  declare(namespace: string): void {
    if (!this.#namespaces.has(namespace)) this.#namespaces.set(namespace, 0);
  }

  /**
   * Messages of other processes may have been missed: loads and reads that started before this call count as overtaken, and
   * what was stored before it is to be checked.
   */
  suspect(): void {
    this.#suspectedAt = ++this.#clock;
  }

  /** Whether messages may have been missed since `at`: then only Redis can tell if the entry still holds. */
  suspectedSince(at: number): boolean {
    return this.#suspectedAt > at;
  }

  /** Slots of the tag scopes in a list of dependencies, to keep beside an entry; undefined when there are none. */
  tagSlots(dependencies: readonly Scope[]): Uint32Array | undefined {
    // Plain loops: `Uint32Array.from` with a function costs four times as much, on every miss and every `set`.
    const slots: number[] = [];
    for (const scope of dependencies) if (scope.startsWith('t:')) slots.push(slotOf(scope, TAG_SLOTS));
    return slots.length === 0 ? undefined : new Uint32Array(slots);
  }

  /** Whether one of the tags was raised after `at`. Runs on every hit of a tagged entry. */
  tagsMoved(slots: Uint32Array, at: number): boolean {
    if (this.#tagsRaisedAt <= at) return false;
    for (let i = 0; i < slots.length; i++) if ((this.#tags[slots[i] as number] as number) > at) return true;
    return false;
  }

  /** Whether the key itself, its namespace or one of its tags was raised after `at`, or may have been unheard. */
  moved(namespace: string, keyScope: Scope, slots: Uint32Array | undefined, at: number): boolean {
    return (
      this.#flushedAt > at ||
      this.#suspectedAt > at ||
      (this.#namespaces.get(namespace) ?? 0) > at ||
      (this.#keys[slotOf(keyScope, KEY_SLOTS)] ?? 0) > at ||
      (slots !== undefined && this.tagsMoved(slots, at))
    );
  }
}
