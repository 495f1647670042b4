import { runTaskQueueContract } from './contract/task-queue-contract.js';
import { redisStore } from './stores.js';

runTaskQueueContract('Redis', 'worker', redisStore);
