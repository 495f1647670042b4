import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { TASK_HANDLER_METADATA } from '../task-queue.tokens.js';
import { type HandlerCandidate, HandlerRegistry } from './handler-registry.js';

/** Finds the handlers among Nest's providers. */
@Injectable()
export class HandlerDiscovery implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
    private readonly registry: HandlerRegistry,
  ) {}

  /** @throws {TaskHandlerProblemsError} with every problem; it ends start-up */
  onModuleInit(): void {
    this.registry.register(this.#find());
  }

  #find(): HandlerCandidate[] {
    const found: HandlerCandidate[] = [];
    const seen = new Set<object>();
    for (const wrapper of this.discovery.getProviders()) {
      const type = handlerClass(wrapper.instance, wrapper.metatype);
      const definition =
        type && this.reflector.get<AnyTaskDefinition | undefined>(TASK_HANDLER_METADATA, type);
      // An alias of a handler is the handler, not a second one.
      if (!type || !definition || wrapper.isAlias || seen.has(wrapper.instance as object)) continue;
      const isSingleton = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
      const instance = isSingleton ? (wrapper.instance as object) : undefined;
      if (instance) seen.add(instance);
      found.push({ definition, name: type.name, instance });
    }
    return found;
  }
}

function handlerClass(
  instance: unknown,
  metatype: unknown,
): ({ name: string } & (new () => object)) | undefined {
  const type: unknown = instance instanceof Object ? instance.constructor : metatype;
  return typeof type === 'function' ? (type as new () => object) : undefined;
}
