import { SetMetadata } from '@nestjs/common';
import { TASK_HANDLER_METADATA } from '../task-queue.tokens.js';
import { type AnyTaskDefinition } from './task-definition.js';

/**
 * Makes a provider the handler of a task. It implements `TaskExecutor`, or `BatchTaskExecutor` when the definition
 * has a `batch`. The provider must not be request-scoped.
 */
export function TaskHandler(definition: AnyTaskDefinition): ClassDecorator {
  return SetMetadata(TASK_HANDLER_METADATA, definition);
}
