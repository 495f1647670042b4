import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineTask } from './definition/define-task.js';
import { InvalidTaskQueueOptionsError } from './task-queue.errors.js';
import { parseTaskQueueOptions, type TaskQueueOptionsInput } from './task-queue.options.js';

const task = defineTask({ name: 'a.b', payload: z.strictObject({}) });
const minimal: TaskQueueOptionsInput = {
  backend: { type: 'redis', url: 'redis://localhost' },
  tasks: [task],
};

describe('the options', () => {
  it('have defaults and are frozen', () => {
    const options = parseTaskQueueOptions(minimal);
    expect(options).toMatchObject({
      prefix: 'peregrine',
      worker: null,
      closeTimeoutMs: 10_000,
      operationTimeoutMs: 5_000,
      retention: {
        completed: { ageMs: 3_600_000, count: 10_000 },
        failed: { ageMs: 604_800_000, count: 10_000 },
      },
    });
    expect(options.asynchronous('a.b', '1')).toBe(true);
    expect(Object.isFrozen(options)).toBe(true);
  });

  it('turn true into a worker with the defaults', () => {
    const worker = {
      concurrency: 10,
      lockDurationMs: 30_000,
      stalledIntervalMs: 5_000,
      maxStalledCount: 2_147_483_647,
    };
    expect(parseTaskQueueOptions({ ...minimal, worker: true }).worker).toEqual(worker);
    expect(parseTaskQueueOptions({ ...minimal, worker: { concurrency: 3 } }).worker).toEqual({
      ...worker,
      concurrency: 3,
    });
  });

  it('keep schema and pool of PostgreSQL', () => {
    const backend = { type: 'postgres', url: 'postgres://localhost/app' } as const;
    expect(parseTaskQueueOptions({ ...minimal, backend }).backend).toEqual({
      ...backend,
      schema: 'bullmq',
      poolMax: 5,
    });
  });

  it('report every problem, and no secret', () => {
    const input = {
      backend: { type: 'redis', url: 'http://user:hunter2@host' },
      prefix: 'a:b',
      tasks: [{}],
      closeTimeout: 1,
    } as unknown as TaskQueueOptionsInput;
    const parse = () => parseTaskQueueOptions(input);
    expect(parse).toThrow(InvalidTaskQueueOptionsError);
    expect(parse).toThrow(/backend\.url|prefix|tasks\[0\]|closeTimeout/);
    expect(parse).not.toThrow(/hunter2/);
  });

  it('refuse an unknown backend', () => {
    const backend = { type: 'memory' } as unknown as TaskQueueOptionsInput['backend'];
    expect(() => parseTaskQueueOptions({ ...minimal, backend })).toThrow(/backend/);
  });

  it('refuse two definitions of one name', () => {
    expect(() => parseTaskQueueOptions({ ...minimal, tasks: [task, task] })).toThrow(
      'defined more than once: a.b',
    );
  });
});
