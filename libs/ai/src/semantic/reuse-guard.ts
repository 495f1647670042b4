import { protectedFactsInOrder } from './protected-facts.js';

/** What two questions are compared by beside their embeddings. */
export interface ReuseGuard {
  /** Numbers, versions, dates, names, quotations and words of polarity, in their order. */
  readonly facts: string;
  /** Every other word that says something, once, in the order in which they come. */
  readonly words: readonly string[];
}

const WORD = /[\p{L}\p{N}]+/gu;
/** They may move or go without a change of meaning. */
const ARTICLES: ReadonlySet<string> = new Set(['a', 'an', 'the']);

export function guardOf(text: string): ReuseGuard {
  const words = [...text.normalize('NFKC').toLowerCase().matchAll(WORD)].map(([word]) => word);
  return {
    facts: protectedFactsInOrder(text),
    words: [...new Set(words.filter((it) => !ARTICLES.has(it)))],
  };
}

/**
 * Whether the reply to one question may answer the other, as far as words can tell: the same facts in the same order, and what both
 * say, they say in the same order (`is a cat faster than a dog` is not `is a dog faster than a cat`). What it cannot see is an
 * ordinary word in the place of another; that is left to the embedding.
 */
export function mayShareReply(one: ReuseGuard, other: ReuseGuard): boolean {
  if (one.facts !== other.facts) return false;
  const [ofOne, ofOther] = [new Set(one.words), new Set(other.words)];
  const shared = one.words.filter((it) => ofOther.has(it));
  return other.words.filter((it) => ofOne.has(it)).every((it, index) => it === shared[index]);
}
