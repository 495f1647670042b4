import { CacheDecoratorError } from '../cache.errors.js';
import { decorate, type MethodPlan } from './cached-method.js';
import type {
  AsyncMethod,
  DecoratedEntryOptions,
  NamespaceChoice,
  NamesOf,
  NoOthers,
  ParametersDoNotMatch,
} from './decorator-types.js';

const DEFAULT_NAMESPACE = 'default';

/** The functions in the options of {@link Cacheable}, for a method with the parameters `P`. */
export interface CacheableFunctions<P extends readonly unknown[]> {
  /**
   * The key within the namespace; it says everything the result depends on. Undefined goes past the cache.
   * @default class, method and arguments as text
   */
  readonly key?: (...args: P) => string | undefined;
  /** Names under which the entry can be invalidated with others. */
  readonly tags?: NamesOf<P>;
  /** Hashes of the content the result is made from: it dies when `invalidateContent` names one of them. */
  readonly contentHashes?: NamesOf<P>;
  /** False goes past the cache: nothing is read, nothing is stored. */
  readonly condition?: (...args: P) => boolean;
}
/** Options of {@link Cacheable}. */
export interface CacheableOptions
  extends NamespaceChoice, DecoratedEntryOptions, CacheableFunctions<never[]> {}

/** The functions in the options of {@link CachePut}, for a method with the result `R` and the parameters `P`. */
export interface CachePutFunctions<R, P extends readonly unknown[]> {
  /** The key within the namespace. Undefined stores nothing. */
  readonly key: (result: R, ...args: P) => string | undefined;
  readonly tags?: NamesOf<[R, ...P]>;
  readonly contentHashes?: NamesOf<[R, ...P]>;
  /** False stores nothing. */
  readonly condition?: (result: R, ...args: P) => boolean;
}
/** Options of {@link CachePut}. */
export interface CachePutOptions
  extends NamespaceChoice, DecoratedEntryOptions, CachePutFunctions<never, never[]> {}

/** The functions in the options of {@link CacheEvict}, for a method with the parameters `P`. */
export interface CacheEvictFunctions<P extends readonly unknown[]> {
  /** One key of the namespace. Undefined evicts none. */
  readonly key?: (...args: P) => string | undefined;
  /** Several keys of the namespace. */
  readonly keys?: NamesOf<P>;
  /** All entries of the namespace with one of these tags. */
  readonly tags?: NamesOf<P>;
  /** All entries, of every namespace, that were made from content with one of these hashes. */
  readonly contentHashes?: NamesOf<P>;
  /** False evicts nothing. */
  readonly condition?: (...args: P) => boolean;
}
/** Options of {@link CacheEvict}. */
export interface CacheEvictOptions extends NamespaceChoice, CacheEvictFunctions<never[]> {
  /** The whole namespace. @default false */
  readonly allEntries?: boolean;
  /**
   * `after`: when the method has succeeded. `before`: in any case, for methods that may fail with half their work done.
   * @default 'after'
   */
  readonly when?: 'after' | 'before';
}

/** Decorates methods that return promises and whose parameters, and result, the functions of `O` take. */
type Decorator<O, Kind extends 'arguments' | 'result'> = <M extends AsyncMethod>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> &
    (Shared<O, Functions<M>[Kind]> extends Functions<M>[Kind] ? unknown : ParametersDoNotMatch),
) => void;
/** Without the options that are no functions of the arguments. */
type Shared<O, F> = Pick<O, Extract<keyof O, keyof F>>;
interface Functions<M extends AsyncMethod> {
  readonly arguments: CacheableFunctions<Parameters<M>> & CacheEvictFunctions<Parameters<M>>;
  readonly result: CachePutFunctions<Awaited<ReturnType<M>>, Parameters<M>>;
}

/** The options as they are used: that the functions fit the method, the compiler has seen to. */
type Untyped<T> = { readonly [K in keyof T]: T[K] extends infer F ? Loose<F> : never };
type Loose<F> = F extends (...args: never[]) => infer R ? (...args: readonly unknown[]) => R : F;

const namesFor = (
  names: readonly string[] | ((...args: readonly unknown[]) => readonly string[]) | undefined,
  args: readonly unknown[],
): readonly string[] => (typeof names === 'function' ? names(...args) : (names ?? []));

/**
 * Caches what the method returns: `getOrSet` with the method as the loader, and so with one run for all who miss
 * together, tags, stale answers and whatever else the options say. Calls through `this` count too. The result is shared
 * and frozen unless `clone` is given; the method must return a promise.
 * @throws {CacheKeyError} (from the call) without `key`, for arguments that have no form as text.
 */
export function Cacheable<const O extends CacheableOptions = Record<never, never>>(
  options: O & NoOthers<O, CacheableOptions> = {} as O & NoOthers<O, CacheableOptions>,
): Decorator<O, 'arguments'> {
  const {
    namespace = DEFAULT_NAMESPACE,
    key,
    tags,
    contentHashes,
    condition,
    ...entry
  } = options as CacheableOptions as Untyped<CacheableOptions>;
  return decorator({
    decorator: '@Cacheable',
    namespace,
    usesDefaultKey: key === undefined,
    run: ({ cache, args, proceed, defaultKey }) => {
      if (condition?.(...args) === false) return proceed();
      const name = key === undefined ? defaultKey() : key(...args);
      if (name === undefined) return proceed();
      return cache.namespace(namespace).getOrSet(name, proceed, {
        ...entry,
        tags: namesFor(tags, args),
        contentHashes: namesFor(contentHashes, args),
      });
    },
  });
}

/**
 * Always runs the method, then stores what it returned, and returns it. Of two calls at once for one key the later to end
 * wins; where the order matters, evict instead.
 */
export function CachePut<const O extends CachePutOptions>(
  options: O & NoOthers<O, CachePutOptions>,
): Decorator<O, 'result'> {
  const {
    namespace = DEFAULT_NAMESPACE,
    key,
    tags,
    contentHashes,
    condition,
    ...entry
  } = options as CachePutOptions as Untyped<CachePutOptions>;
  return decorator({
    decorator: '@CachePut',
    namespace,
    usesDefaultKey: false,
    run: async ({ cache, args, proceed }) => {
      const result = await proceed();
      const all = [result, ...args];
      const name = condition?.(...all) === false ? undefined : key(...all);
      if (name === undefined) return result;
      await cache.namespace(namespace).set(name, result, {
        ...entry,
        tags: namesFor(tags, all),
        contentHashes: namesFor(contentHashes, all),
      });
      return result;
    },
  });
}

/**
 * Runs the method and evicts what it has made wrong: for writers. The call ends when the eviction holds, in this process
 * and, while it can be reached, in Redis. Inside a transaction that commits later, evict after the commit instead.
 */
export function CacheEvict<const O extends CacheEvictOptions>(
  options: O & NoOthers<O, CacheEvictOptions>,
): Decorator<O, 'arguments'> {
  const untyped = options as CacheEvictOptions as Untyped<CacheEvictOptions>;
  const { namespace = DEFAULT_NAMESPACE, when = 'after' } = untyped;
  return decorator(
    {
      decorator: '@CacheEvict',
      namespace,
      usesDefaultKey: false,
      run: async (call) => {
        if (when === 'before') await evict(namespace, untyped, call);
        const result = await call.proceed();
        if (when === 'after') await evict(namespace, untyped, call);
        return result;
      },
    },
    namesNothing(untyped) ? 'name what to evict: key, keys, tags, contentHashes or allEntries' : undefined,
  );
}

const namesNothing = ({ key, keys, tags, contentHashes, allEntries }: Untyped<CacheEvictOptions>) =>
  allEntries !== true && [key, keys, tags, contentHashes].every((it) => it === undefined);

async function evict(
  namespace: string,
  { key, keys, tags, contentHashes, allEntries, condition }: Untyped<CacheEvictOptions>,
  { cache, args }: Parameters<MethodPlan['run']>[0],
): Promise<void> {
  if (condition?.(...args) === false) return;
  const space = cache.namespace(namespace);
  const one = key?.(...args);
  const all = {
    keys: [...(one === undefined ? [] : [one]), ...namesFor(keys, args)],
    tags: namesFor(tags, args),
    hashes: namesFor(contentHashes, args),
  };
  await Promise.all([
    allEntries === true && space.clear(),
    all.keys.length > 0 && space.invalidateMany(all.keys),
    all.tags.length > 0 && space.invalidateTags(all.tags),
    all.hashes.length > 0 && cache.invalidateContent(all.hashes),
  ]);
}

function decorator(
  plan: MethodPlan,
  problem?: string,
): (target: object, name: string | symbol, descriptor: PropertyDescriptor) => void {
  return (target, name, descriptor) => {
    if (problem !== undefined) {
      throw new CacheDecoratorError(
        `${plan.decorator} on ${target.constructor.name}.${String(name)}`,
        problem,
      );
    }
    decorate(target, name, descriptor, plan);
  };
}
