import { runTaskQueueContract } from './contract/task-queue-contract.js';
import { redisStore } from './stores.js';

runTaskQueueContract('the inline mode', 'inline', redisStore);
