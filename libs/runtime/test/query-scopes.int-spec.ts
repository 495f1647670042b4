import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Loader, type QueryOptimizer } from '@peregrine/query-optimizer';
import { defineTask } from '@peregrine/task-queue';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { aroundTaskHandlers, registerRequestQueries } from '../src/queries/query-scopes.js';
import { QueryFixture } from './query-fixture.js';

jest.setTimeout(60_000);

interface Item {
  readonly id: number;
  readonly n: number;
}

const task = defineTask({ name: 'of-the-tests', payload: z.object({}), priority: 'LOW' });

describe('loaders in requests and tasks', () => {
  let fixture: QueryFixture;
  let optimizer: QueryOptimizer;
  let items: Loader<Item | null>;
  let fastify: FastifyInstance;

  beforeAll(async () => {
    fixture = await QueryFixture.start();
    ({ optimizer } = await fixture.member(null));
    await optimizer.execute('INSERT INTO item SELECT i, i, i * 10 FROM generate_series(1, 20) i');
    items = optimizer.loaderFor<Item>({ table: 'item', key: 'id', columns: ['n'] });
    fastify = Fastify();
    registerRequestQueries(fastify, optimizer);
    fastify.get('/sum', sumOfAll);
    fastify.post('/sum', sumOfAll);
    fixture.onStop(() => fastify.close());
  });
  afterAll(() => fixture?.stop());

  /** Each item by itself, all at the same time; then once more. */
  async function sumOfAll(): Promise<{ sum: number }> {
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.all(ids.map((id) => items.load(id)));
    const found = await Promise.all(ids.map((id) => items.load(id)));
    return { sum: found.reduce((sum, it) => sum + (it?.n ?? 0), 0) };
  }

  /** How many statements the work has sent to the table. */
  async function statementsOf<T>(work: () => Promise<T>): Promise<{ result: T; statements: number }> {
    const count = () =>
      optimizer
        .queries()
        .filter(({ sql }) => /FROM public\.item|FROM "public"\."item"/.test(sql))
        .reduce((sum, it) => sum + it.calls, 0);
    const before = count();
    const result = await work();
    return { result, statements: count() - before };
  }

  it.each([
    { method: 'GET' as const, url: '/sum' },
    { method: 'POST' as const, url: '/sum', payload: { a: 'body' } },
  ])('are one statement for a request, and remember it for no other: $method', async (request) => {
    for (let round = 0; round < 2; round++) {
      const { result, statements } = await statementsOf(() => fastify.inject(request));
      expect(result.json()).toEqual({ sum: 2_100 });
      expect(statements).toBe(1);
    }
  });

  it('are one statement for a task, and remember it for no other', async () => {
    const around = aroundTaskHandlers(optimizer);
    for (let round = 0; round < 2; round++) {
      const { result, statements } = await statementsOf(() => around(task, sumOfAll));
      expect(result).toEqual({ sum: 2_100 });
      expect(statements).toBe(1);
    }
  });

  it('of requests at the same time are not mixed', async () => {
    const work = () => Promise.all(Array.from({ length: 5 }, () => fastify.inject('/sum')));
    const { result, statements } = await statementsOf(work);
    expect(result.map((it) => it.json<{ sum: number }>().sum)).toEqual(Array(5).fill(2_100));
    expect(statements).toBe(5);
  });
});
