import { Inject, Injectable } from '@nestjs/common';
import { type AnyTaskDefinition, type TaskBatch } from '../definition/task-definition.js';
import { type BatchTaskExecutor, type TaskExecutor } from '../definition/task-executor.js';
import { TaskHandlerMissingError, TaskHandlerProblemsError } from '../task-queue.errors.js';
import { type AroundHandler, type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';

/** What handles a task, told apart by how it does. */
export type RegisteredHandler =
  | {
      readonly definition: AnyTaskDefinition;
      readonly batch: undefined;
      readonly executor: TaskExecutor<AnyTaskDefinition>;
    }
  | {
      readonly definition: AnyTaskDefinition;
      readonly batch: TaskBatch;
      readonly executor: BatchTaskExecutor<AnyTaskDefinition>;
    };

/** What may become a handler. */
export interface HandlerCandidate {
  readonly definition: AnyTaskDefinition;
  /** For messages. */
  readonly name: string;
  /** `undefined`: a provider that is no singleton. */
  readonly instance: object | undefined;
}

/** The handlers of this process, one a task. */
@Injectable()
export class HandlerRegistry {
  readonly #handlers = new Map<string, RegisteredHandler>();

  constructor(@Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions) {}

  /** @throws {TaskHandlerProblemsError} with every problem; it ends start-up */
  register(candidates: readonly HandlerCandidate[]): void {
    const problems = [...this.#add(candidates), ...this.#missing(candidates)];
    if (problems.length > 0) throw new TaskHandlerProblemsError(problems);
  }

  /** The definition that this process handles under the name. */
  definition(task: string): AnyTaskDefinition | undefined {
    return this.#handlers.get(task)?.definition;
  }

  definitions(): AnyTaskDefinition[] {
    return [...this.#handlers.values()].map((it) => it.definition);
  }

  /** @throws {TaskHandlerMissingError} */
  handlerOf(definition: AnyTaskDefinition): RegisteredHandler {
    const handler = this.#handlers.get(definition.name);
    if (!handler) throw new TaskHandlerMissingError(definition.name);
    return handler;
  }

  #add(candidates: readonly HandlerCandidate[]): string[] {
    const problems: string[] = [];
    for (const [task, handlers] of Map.groupBy(candidates, (it) => it.definition.name)) {
      const names = handlers.map((it) => it.name).join(', ');
      if (handlers.length > 1) problems.push(`${task} has ${handlers.length} handlers: ${names}`);
      for (const handler of handlers) {
        const problem = this.#problemOf(handler);
        if (problem) problems.push(problem);
        else this.#handlers.set(task, toRegistered(handler, this.options.around));
      }
    }
    return problems;
  }

  #problemOf({ definition, name, instance }: HandlerCandidate): string | undefined {
    if (!instance)
      return `${name}, the handler of ${definition.name}, must not be request-scoped or transient`;
    const method = definition.batch ? 'executeBatch' : 'execute';
    if (typeof Reflect.get(instance, method) !== 'function') {
      return `${name}, the handler of ${definition.name}, has no method ${method}`;
    }
    const submitted = this.options.tasks.find((it) => it.name === definition.name);
    if (submitted && submitted !== definition) {
      return `${name} handles another definition named ${definition.name} than the one in \`tasks\``;
    }
    return undefined;
  }

  #missing(candidates: readonly HandlerCandidate[]): string[] {
    if (!this.options.worker) return [];
    const names = new Set(candidates.map((it) => it.definition.name));
    return this.options.tasks
      .filter((it) => !names.has(it.name))
      .map((it) => `${it.name} has no handler; add a provider with @TaskHandler`);
  }
}

function toRegistered(
  { definition, instance }: HandlerCandidate,
  around: AroundHandler | undefined,
): RegisteredHandler {
  if (definition.batch) {
    const executor = instance as BatchTaskExecutor<AnyTaskDefinition>;
    return {
      definition,
      batch: definition.batch,
      executor: around ? batchWithin(around, definition, executor) : executor,
    };
  }
  const executor = instance as TaskExecutor<AnyTaskDefinition>;
  return { definition, batch: undefined, executor: around ? within(around, definition, executor) : executor };
}

function within(
  around: AroundHandler,
  definition: AnyTaskDefinition,
  handler: TaskExecutor<AnyTaskDefinition>,
): TaskExecutor<AnyTaskDefinition> {
  return { execute: (payload, ctx) => around(definition, async () => handler.execute(payload, ctx)) };
}

function batchWithin(
  around: AroundHandler,
  definition: AnyTaskDefinition,
  handler: BatchTaskExecutor<AnyTaskDefinition>,
): BatchTaskExecutor<AnyTaskDefinition> {
  return { executeBatch: (items) => around(definition, async () => handler.executeBatch(items)) };
}
