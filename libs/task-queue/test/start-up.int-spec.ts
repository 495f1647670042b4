import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Module, Scope, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import pg from 'pg';
import {
  TaskHandler,
  TaskHandlerMissingError,
  TaskHandlerProblemsError,
  TaskQueue,
  TaskQueueModule,
} from '../src/index.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { startProbeApp, WAIT } from './probe-app.js';
import { batched, hasty, probeTasks, single } from './probe-tasks.js';
import { postgresStore, redisStore } from './stores.js';

jest.setTimeout(60_000);

@TaskHandler(single)
@Injectable()
class SingleHandler {
  execute = () => Promise.resolve('ran');
}

@TaskHandler(single)
@Injectable()
class OtherSingleHandler {
  execute = () => Promise.resolve('ran');
}

@TaskHandler(batched)
@Injectable()
class BatchHandlerWithoutMethod {
  execute = () => Promise.resolve('ran');
}

@TaskHandler(single)
@Injectable({ scope: Scope.REQUEST })
class RequestScopedHandler {
  execute = () => Promise.resolve('ran');
}

describe('the start of an application', () => {
  let redis: ContractStore;
  let postgres: ContractStore;

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([redisStore(), postgresStore()]);
  });

  afterAll(() => Promise.all([redis.remove(), postgres.remove()]));

  const problemsOf = async (providers: readonly Type[], worker: boolean): Promise<readonly string[]> => {
    const { backend, prefix } = redis;
    const error: unknown = await startProbeApp({ backend, prefix, worker }, providers).then(
      ({ app }) => app.close(),
      (it: unknown) => it,
    );
    return error instanceof TaskHandlerProblemsError ? error.problems : [];
  };

  it('fails with every handler that a worker lacks or has twice', async () => {
    const problems = await problemsOf([SingleHandler, OtherSingleHandler, BatchHandlerWithoutMethod], true);
    expect(problems).toEqual([
      'probe.single has 2 handlers: SingleHandler, OtherSingleHandler',
      'BatchHandlerWithoutMethod, the handler of probe.batched, has no method executeBatch',
      'probe.hasty has no handler; add a provider with @TaskHandler',
      'probe.gathered has no handler; add a provider with @TaskHandler',
      'probe.slow-batch has no handler; add a provider with @TaskHandler',
      'probe.unique has no handler; add a provider with @TaskHandler',
      'probe.windowed has no handler; add a provider with @TaskHandler',
      'probe.patient has no handler; add a provider with @TaskHandler',
    ]);
  });

  it('fails on a handler that is no singleton', async () => {
    const [problem] = await problemsOf([RequestScopedHandler], false);
    expect(problem).toBe(
      'RequestScopedHandler, the handler of probe.single, must not be request-scoped or transient',
    );
  });

  it('asks a process that only submits for no handlers', async () => {
    expect(await problemsOf([], false)).toEqual([]);
  });

  it('needs the handler to run a task inline', async () => {
    const { backend, prefix } = redis;
    const { app, queue } = await startProbeApp({ backend, prefix, asynchronous: () => false }, [
      SingleHandler,
    ]);
    const { id } = await queue.submit(single, { key: 'x' });
    expect(await queue.waitFor(single, id, WAIT)).toBe('ran');
    await expect(queue.submit(hasty, { key: 'x' })).rejects.toThrow(TaskHandlerMissingError);
    await app.close();
  });

  it('takes its options from a factory, and serves every module', async () => {
    @Injectable()
    class Elsewhere {
      constructor(readonly queue: TaskQueue) {}
    }
    @Module({ providers: [Elsewhere] })
    class OtherModule {}

    const { backend, prefix } = redis;
    const options = { backend, prefix, tasks: probeTasks };
    const imports = [
      TaskQueueModule.forRootAsync({ isGlobal: true, useFactory: () => options }),
      OtherModule,
    ];
    const app = await Test.createTestingModule({ imports }).compile();
    expect(app.get(Elsewhere, { strict: false }).queue).toBe(app.get(TaskQueue));
    await app.close();
  });

  it('creates the tables once when several processes begin together', async () => {
    const { backend } = postgres;
    if (backend.type !== 'postgres') throw new Error('This store must be PostgreSQL');
    const schema = 'queue_Of_tests';
    const options = { backend: { ...backend, schema }, tasks: probeTasks };
    const apps = await Promise.all(Array.from({ length: 5 }, () => startProbeApp(options, [])));
    const submitted = await Promise.all(apps.map(({ queue }) => queue.submit(single, { key: 'x' })));
    const client = new pg.Client({ connectionString: backend.url });
    await client.connect();
    const { rows } = await client.query(`SELECT count(*)::int AS jobs FROM "queue_Of_tests".job`);
    await client.end();
    expect(rows).toEqual([{ jobs: submitted.length }]);
    await Promise.all(apps.map(({ app }) => app.close()));
  });
});
