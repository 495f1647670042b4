import { runTaskQueueContract } from './contract/task-queue-contract.js';
import { postgresStore } from './stores.js';

runTaskQueueContract('PostgreSQL', 'worker', postgresStore);
