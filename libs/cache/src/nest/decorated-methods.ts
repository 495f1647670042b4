import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { CacheKeyError } from '../cache.errors.js';
import { Cache } from '../cache.service.js';
import { bindCache, boundCache, decoratedMethods } from './cached-method.js';

/**
 * Looks at the decorated methods of the application once, at its start: gives the cache to objects that Nest did not make
 * itself (`useFactory`, `useValue`), and fails where a call would: on unknown namespaces, and on two classes whose default
 * keys are the same.
 */
@Injectable()
export class DecoratedMethods implements OnModuleInit {
  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(Cache) private readonly cache: Cache,
  ) {}

  /** @throws {UnknownNamespaceError} {@link CacheKeyError} */
  onModuleInit(): void {
    const owners = new Map<string, object>();
    for (const [object, type] of this.#objects()) {
      if (boundCache(object) === undefined) bindCache(object, this.cache);
      // Of another CacheModule, which looks at it itself.
      if (boundCache(object) === this.cache) this.#check(type, owners);
    }
  }

  /** The objects with decorated methods that exist already, and their classes. */
  *#objects(): Generator<[object: object, type: object]> {
    for (const { providers, controllers, injectables } of this.modules.values()) {
      for (const wrapper of [...providers.values(), ...controllers.values(), ...injectables.values()]) {
        const object = wrapper.isDependencyTreeStatic() && wrapper.instance;
        if (typeof object !== 'object' || object === null) continue;
        const type: unknown = (Object.getPrototypeOf(object) as object | null)?.constructor;
        if (typeof type === 'function' && decoratedMethods(type).length > 0) yield [object, type];
      }
    }
  }

  #check(type: object, owners: Map<string, object>): void {
    for (const { plan, label } of decoratedMethods(type)) {
      this.cache.namespace(plan.namespace);
      if (!plan.usesDefaultKey) continue;
      const key = `${plan.namespace}/${label(type)}`;
      const owner = owners.get(key) ?? type;
      if (owner !== type) throw new CacheKeyError(label(type), 'another class has the same name');
      owners.set(key, type);
    }
  }
}
