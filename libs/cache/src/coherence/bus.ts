import { randomBytes } from 'node:crypto';
import type { Scope } from './scopes.js';

/** Publishers remembered for gap detection; more at once means the list is stale, and it starts anew. */
const MAX_PUBLISHERS = 1_000;

/** What a received message means for the memory of this process. */
export type BusEvent =
  | { readonly kind: 'own' }
  | { readonly kind: 'invalidate'; readonly scopes: readonly Scope[] }
  /** Messages may have been missed: nothing that is in memory by now can be trusted unseen. */
  | { readonly kind: 'suspect'; readonly reason: string; readonly scopes: readonly Scope[] };

interface Message {
  readonly p: string;
  readonly s: number;
  readonly c: readonly Scope[];
}

function parse(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as Partial<Message> | null;
    const { p, s, c } = message ?? {};
    if (typeof p !== 'string' || !Number.isSafeInteger(s) || !Array.isArray(c)) return undefined;
    return c.every((scope) => typeof scope === 'string') ? { p, s: s as number, c } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Wire format and gap detection of the invalidation channel; it does no I/O. */
export class InvalidationBus {
  /** Names this publisher; also seeds the generation tokens, so it must be unique over all processes. */
  readonly id = randomBytes(12).toString('base64url');
  #sequence = 0;
  readonly #lastSeen = new Map<string, number>();

  /** The next message of this publisher. A message that is made and then not delivered shows up as a gap. */
  message(scopes: readonly Scope[]): string {
    return JSON.stringify({ p: this.id, s: ++this.#sequence, c: scopes });
  }

  /**
   * Says again which number the last message had, so that its loss shows up too; undefined before the first. To be sent on
   * the way of the messages, after them.
   */
  heartbeat(): string | undefined {
    return this.#sequence === 0 ? undefined : JSON.stringify({ p: this.id, s: this.#sequence, c: [] });
  }

  receive(text: string): BusEvent {
    const message = parse(text);
    if (message === undefined) return { kind: 'suspect', reason: 'a message could not be read', scopes: [] };
    if (message.p === this.id) return { kind: 'own' };
    const last = this.#lastSeen.get(message.p);
    if (last === undefined && this.#lastSeen.size >= MAX_PUBLISHERS) this.#lastSeen.clear();
    this.#lastSeen.set(message.p, Math.max(last ?? 0, message.s));
    // One without scopes says again which number the last message had.
    const missingTo = message.c.length === 0 ? message.s : message.s - 1;
    if (last !== undefined && missingTo > last) {
      const reason = `messages ${last + 1} to ${missingTo} of a publisher are missing`;
      return { kind: 'suspect', reason, scopes: message.c };
    }
    return { kind: 'invalidate', scopes: message.c };
  }

  /** After a new subscription the numbers of the others start wherever they are by now. */
  forgetPublishers(): void {
    this.#lastSeen.clear();
  }
}
