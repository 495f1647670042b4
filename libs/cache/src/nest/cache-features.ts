import type { DynamicModule, ModuleMetadata, Provider } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { isDeepStrictEqual } from 'node:util';
import type { CacheNamespace } from '../cache-namespace.js';
import { CacheOptionsError, UnknownNamespaceError } from '../cache.errors.js';
import {
  parseCacheOptions,
  type CacheOptions,
  type CacheOptionsInput,
  type NamespaceOptionsInput,
} from '../cache.options.js';
import { Cache } from '../cache.service.js';
import { getCacheNamespaceToken } from './inject-cache.js';

/** A namespace that a feature brings along: its name and its options in one object. */
export interface CacheFeature extends NamespaceOptionsInput {
  readonly name: string;
}

/** The namespaces that a module asks for: declared elsewhere (by name), or declared here. */
export type CacheFeatures = string | CacheFeature | readonly (string | CacheFeature)[];

/** Holds the namespaces of one `CacheModule.forFeature`. */
export class CacheFeatureModule {}

const DECLARED = Symbol('@peregrine/cache:declared-namespaces');

/** The module of one `forFeature`. */
export function featureModule(
  features: CacheFeatures,
  imports: NonNullable<ModuleMetadata['imports']>,
): DynamicModule {
  const all = [features].flat() as readonly (string | CacheFeature)[];
  const declared = all.filter((it) => typeof it !== 'string');
  const providers = all.map((it): Provider => ({
    provide: getCacheNamespaceToken(typeof it === 'string' ? it : it.name),
    inject: [Cache],
    useFactory: (cache: Cache) => namespaceOf(cache, it),
  }));
  return {
    module: CacheFeatureModule,
    imports,
    providers: [{ provide: DECLARED, useValue: declared }, ...providers],
    exports: all.map((it) => getCacheNamespaceToken(typeof it === 'string' ? it : it.name)),
  };
}

function namespaceOf(cache: Cache, feature: string | CacheFeature): CacheNamespace {
  if (typeof feature === 'string') return cache.namespace(feature);
  const { name, ...options } = feature;
  try {
    return cache.namespace(name);
  } catch (error) {
    // A module that was loaded lazily, after the cache was made.
    if (error instanceof UnknownNamespaceError) return cache.declare(name, options);
    throw error;
  }
}

/**
 * The options of `forRoot` with the namespaces that features declare. Nest knows all modules before it makes the first
 * provider, so that the order of modules does not matter.
 * @throws {CacheOptionsError} also when a namespace is declared twice with different options.
 */
export function optionsWithFeatures(options: CacheOptionsInput, modules: ModulesContainer): CacheOptions {
  const namespaces: Record<string, NamespaceOptionsInput> = { ...options.namespaces };
  const problems: string[] = [];
  for (const { name, ...own } of declaredFeatures(modules)) {
    const known = namespaces[name];
    if (known !== undefined) problems.push(...conflict(name, known, own));
    else namespaces[name] = own;
  }
  if (problems.length > 0) throw new CacheOptionsError(problems.join('\n'));
  return parseCacheOptions({ ...options, namespaces });
}

const declaredFeatures = (modules: ModulesContainer): readonly CacheFeature[] =>
  [...modules.values()]
    .filter((it) => it.metatype === CacheFeatureModule)
    .flatMap((it) => it.providers.get(DECLARED)?.instance as readonly CacheFeature[]);

/** Names the options that differ and not their values, which may be secret. */
function conflict(name: string, one: NamespaceOptionsInput, other: NamespaceOptionsInput): string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])] as (keyof NamespaceOptionsInput)[];
  const different = names.filter((it) => !isDeepStrictEqual(one[it], other[it]));
  if (different.length === 0) return [];
  return [
    `✖ Namespace "${name}" is declared twice (forRoot, forFeature) with different ${different.join(', ')}`,
  ];
}
