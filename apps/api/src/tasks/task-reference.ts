import { type AnyTaskDefinition } from '@peregrine/task-queue';
import { z } from 'zod';

/** Between the name of a task and its id; neither can have it. */
const SEPARATOR = '~';
const MAX_LENGTH = 400;

/** What the API calls a task by: `{name}~{id}`. */
export const taskReference = z
  .string()
  .max(MAX_LENGTH)
  .regex(/^[^~]+~[^~]+$/, 'expected the id of a task as it was answered: {task}~{id}');

export function referenceTo({ name }: Pick<AnyTaskDefinition, 'name'>, id: string): string {
  return `${name}${SEPARATOR}${id}`;
}

/** @param reference as `taskReference` lets it through */
export function splitReference(reference: string): { task: string; id: string } {
  const [task = '', id = ''] = reference.split(SEPARATOR);
  return { task, id };
}

/** A task that has been taken, and where it is to be looked at. */
export interface Submitted {
  id: string;
  task: string;
  url: string;
}

export function describeSubmitted(definition: Pick<AnyTaskDefinition, 'name'>, id: string): Submitted {
  const reference = referenceTo(definition, id);
  const url = `/api/v1/tasks/${encodeURIComponent(reference)}`;
  return { id: reference, task: definition.name, url };
}
