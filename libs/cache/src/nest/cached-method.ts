import { Inject } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import 'reflect-metadata';
import { CacheDecoratorError, CacheKeyError, CacheNotInjectedError } from '../cache.errors.js';
import { Cache } from '../cache.service.js';
import type { LoaderContext } from '../loads/loader.js';
import { canonicalArguments, NoCanonicalFormError } from './default-key.js';

/** One call of a decorated method. */
export interface MethodCall {
  readonly cache: Cache;
  readonly args: readonly unknown[];
  /** The method itself; what it throws is a rejection. `context` is there when it runs as a loader. */
  readonly proceed: (context?: LoaderContext<unknown>) => Promise<unknown>;
  /** `Class.method` and the arguments. @throws {CacheKeyError} for arguments that have no form as text. */
  readonly defaultKey: () => string;
}

/** What a decorator makes of a method. */
export interface MethodPlan {
  /** For messages, `@Cacheable` for example. */
  readonly decorator: string;
  readonly namespace: string;
  readonly usesDefaultKey: boolean;
  readonly run: (call: MethodCall) => Promise<unknown>;
}

/** A decorated method, as found on a class. */
export interface DecoratedMethod {
  readonly plan: MethodPlan;
  /** `Class.method` for objects of that class, as in default keys. */
  readonly label: (type: object) => string;
}

type Method = (...args: unknown[]) => unknown;
type Bound = Record<symbol, Cache | undefined>;

/**
 * Where an object holds its cache. Nest names the property when it can not fill it, and so its text says what to do.
 * A property on the object, and nothing global: two applications in one process never meet.
 */
const CACHE = Symbol('the cache of its decorated methods: import CacheModule.forRoot() of @peregrine/cache');
const DECORATED = Symbol('@peregrine/cache:decorated-methods');

const loading = new AsyncLocalStorage<LoaderContext<unknown> | undefined>();

/**
 * Inside a `@Cacheable` method: what `getOrSet` gives to a loader (signal, stale value, `setTtl`, `setValidators`, …).
 * Undefined when the method was called past the cache, and outside of such methods.
 */
export function currentLoad<T = unknown>(): LoaderContext<T> | undefined {
  return loading.getStore() as LoaderContext<T> | undefined;
}

/** Gives a cache to the decorated methods of an object that Nest has not made, in a unit test for example. */
export function bindCache<T extends object>(object: T, cache: Cache): T {
  Object.defineProperty(object, CACHE, { value: cache, writable: true, configurable: true });
  return object;
}

/** The cache of an object with decorated methods. */
export const boundCache = (object: object): Cache | undefined => (object as Bound)[CACHE];

/** The decorated methods of a class and of those it extends. */
export const decoratedMethods = (type: object): readonly DecoratedMethod[] =>
  (Reflect.getMetadata(DECORATED, type) as readonly DecoratedMethod[] | undefined) ?? [];

/**
 * Puts a plan around a method. The cache comes by property injection, which works in every scope of Nest. Name,
 * length, and what other decorators have noted on the method are kept, whichever stands first.
 */
export function decorate(
  target: object,
  name: string | symbol,
  descriptor: PropertyDescriptor,
  plan: MethodPlan,
): void {
  const original = descriptor.value as Method | undefined;
  const where = `${plan.decorator} on ${target.constructor.name}.${String(name)}`;
  if (typeof target === 'function') throw new CacheDecoratorError(where, 'a static method has no cache');
  if (typeof original !== 'function') throw new CacheDecoratorError(where, 'this is not a method');
  const label = labels(target.constructor, name);
  Inject(Cache)(target, CACHE);
  Reflect.defineMetadata(
    DECORATED,
    [...decoratedMethods(target.constructor), { plan, label } satisfies DecoratedMethod],
    target.constructor,
  );
  descriptor.value = imitate(original, wrapped(original, plan, label));
}

function wrapped(original: Method, plan: MethodPlan, label: (type: object) => string): Method {
  return function (this: object, ...args) {
    const cache = boundCache(this);
    if (cache === undefined) return Promise.reject(new CacheNotInjectedError(label(this.constructor)));
    try {
      return plan.run({
        cache,
        args,
        proceed: (context) =>
          new Promise((resolve) => resolve(loading.run(context, () => original.apply(this, args)))),
        defaultKey: () => defaultKey(label(this.constructor), args),
      });
    } catch (error) {
      // Of a key or tag function: a promise is what the method promises.
      return Promise.resolve().then(() => {
        throw error;
      });
    }
  };
}

function defaultKey(method: string, args: readonly unknown[]): string {
  try {
    return `${method}:${canonicalArguments(args)}`;
  } catch (error) {
    throw error instanceof NoCanonicalFormError ? new CacheKeyError(method, error.message) : error;
  }
}

/**
 * `Class.method` by the class of the object, so that two classes which inherit a method do not share its entries; with the
 * class of the method too when that is another one, so that a method can call the one it overrides.
 */
function labels(owner: { readonly name: string }, method: string | symbol): (type: object) => string {
  const own = `${owner.name}.${String(method)}`;
  return (type) => (type === owner ? own : `${(type as { name: string }).name}>${own}`);
}

function imitate(original: Method, wrapper: Method): Method {
  for (const key of Reflect.getOwnMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapper);
  }
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(original) as Record<
    string | symbol,
    PropertyDescriptor
  >;
  return Object.defineProperties(wrapper, properties);
}
