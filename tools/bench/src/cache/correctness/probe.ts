import { setTimeout as delay } from 'node:timers/promises';

import type { LoadingSubject, OpenOptions, Subject, Tags } from '../libraries/contract.ts';
import { variantOf, type VariantId } from '../libraries/variants.ts';

/** What one probe found in one library. */
export interface Finding {
  /** `none`: the library has not what is asked for. */
  readonly verdict: 'good' | 'bad' | 'none';
  readonly text: string;
}

export const good = (text: string): Finding => ({ verdict: 'good', text });
export const bad = (text: string): Finding => ({ verdict: 'bad', text });
export const none = (text = 'n/a'): Finding => ({ verdict: 'none', text });

export const TAGS: Tags = ['one', 'two', 'three'];

/** What a probe works with. */
export class ProbeContext {
  readonly redisUrl: string;
  readonly #variant: VariantId;
  readonly #opened: Subject[] = [];

  constructor(variant: VariantId, redisUrl: string) {
    this.#variant = variant;
    this.redisUrl = redisUrl;
  }

  get hasRedis(): boolean {
    return variantOf(this.#variant).suites.includes('redis');
  }

  /** An instance of its own, closed at the end of the probe. */
  async open(options: Partial<OpenOptions> = {}): Promise<LoadingSubject> {
    const subject = await variantOf(this.#variant).open({ maxEntries: 1_000, ...options });
    this.#opened.push(subject);
    const { getOrSet } = subject;
    if (getOrSet === undefined) throw new Error(`${this.#variant} has no getOrSet`);
    return { ...subject, getOrSet };
  }

  async close(): Promise<void> {
    const closing = this.#opened.map((it) => Promise.resolve(it.close?.()).catch(() => undefined));
    await Promise.race([Promise.all(closing), delay(1_000)]);
  }
}

/** Looks into one promise of a cache. */
export interface Probe {
  /** Row of the table. */
  readonly title: string;
  readonly run: (context: ProbeContext) => Promise<Finding>;
}

/** A loader that waits for a word, and says when it has begun. */
export function gatedLoad(value: unknown) {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  return {
    load: async () => {
      begun.resolve();
      await gate.promise;
      return value;
    },
    begun: begun.promise,
    finish: () => gate.resolve(),
  };
}

/** Polls; false when it does not come within the time. */
export async function comesTrue(condition: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = performance.now() + withinMs; performance.now() < end;) {
    if (condition()) return true;
    await delay(5);
  }
  return condition();
}

/** What throws at once rejects, too. */
export const attempt = async (work: () => unknown): Promise<unknown> => await work();

/** The value, or what it was rejected with; `late` after the time. */
export function settle(promise: unknown, withinMs = 3_000): Promise<{ value?: unknown; error?: unknown }> {
  const settled = Promise.resolve(promise).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return Promise.race([settled, delay(withinMs, { error: new Error('late') })]);
}
