import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { TaskStore } from '../src/queue/task-store.js';
import { RelayStaleError } from '../src/transactional/joinable-store.js';
import { type MoreTests, runTransactionsContract, type TransactionsSetup } from './contract/transactions.js';
import { describeCompletion, describeNoCompletion } from './contract/transactional-completion.js';
import { describeOutbox, newTask } from './contract/outbox.js';
import { single } from './probe-tasks.js';
import { ownDatabase, postgresStore, redisStore } from './stores.js';
import { type ContractStore } from './contract/task-queue-contract.js';

async function beside(createStore: () => Promise<ContractStore>): Promise<TransactionsSetup> {
  const store = await createStore();
  const database = await ownDatabase();
  const remove = async () => {
    await store.remove();
    await database.remove();
  };
  return { store, databaseUrl: database.url, remove };
}

async function within(): Promise<TransactionsSetup> {
  const store = await postgresStore();
  return { store, databaseUrl: store.backend.url, remove: store.remove };
}

runTransactionsContract('the tasks in the same PostgreSQL', within, describeCompletion);
runTransactionsContract(
  'the tasks in Redis',
  () => beside(redisStore),
  (...given) => {
    describeOutbox(...given);
    describeNoCompletion(...given);
    describeRace(...given);
  },
);
runTransactionsContract(
  'the tasks in another PostgreSQL',
  () => beside(postgresStore),
  (...given) => {
    describeOutbox(...given);
    describeNoCompletion(...given);
  },
);

/** PostgreSQL lets nobody mark the same row meanwhile. */
function describeRace(...[start, setup]: Parameters<MoreTests>): void {
  it('takes nothing that another relay takes between its look at the marks and its own', async () => {
    const { queue, app, options } = await start({ worker: false });
    const relay = app.get(TaskStore).openRelay()!;
    const mark = `{${options.prefix}}:tasks:relayed:raced`;
    const program = `import { Redis } from 'ioredis';
      const redis = new Redis(${JSON.stringify(setup().store.backend.url)});
      await redis.set(${JSON.stringify(mark)}, 1);
      await redis.quit();`;
    const another = () => {
      const cwd = fileURLToPath(new URL('.', import.meta.url));
      execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd });
      return true;
    };
    const taken = relay.take([{ marker: 'raced', task: newTask('raced') }], another);
    await expect(taken).rejects.toThrow(RelayStaleError);
    expect(await queue.status(single, 'raced')).toBeNull();
    await relay.close();
  });
}
