import type { CacheEntryOptions } from '../loads/settings.js';

/** A method that a cache decorator may stand on: it returns a promise. */
export type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** Names that are given, or told by the arguments. */
export type NamesOf<P extends readonly unknown[]> = readonly string[] | ((...args: P) => readonly string[]);

/** What every cache decorator takes. */
export interface NamespaceChoice {
  /** Name of a declared namespace. @default 'default' */
  readonly namespace?: string;
}

/** Options of one entry, but for those that a decorator tells by the arguments. */
export interface DecoratedEntryOptions extends Omit<CacheEntryOptions, 'tags' | 'contentHashes'> {}

/** Names that no option has; a misspelt one is an error of the compiler. */
export type NoOthers<O, Known> = Record<Exclude<keyof O, keyof Known>, never>;

/** What the compiler shows for a function that does not take the arguments of the method. */
export interface ParametersDoNotMatch {
  readonly 'the functions in the options do not take what the decorated method is called with': never;
}
