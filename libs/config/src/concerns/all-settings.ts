import { aiSettings } from './ai.settings.js';
import { cacheSettings } from './cache.settings.js';
import { cdnSettings } from './cdn.settings.js';
import { consoleSettings } from './console.settings.js';
import { contentSettings } from './content.settings.js';
import { databaseSettings } from './database.settings.js';
import { featureSettings } from './feature.settings.js';
import { httpSettings } from './http.settings.js';
import { indexAdvisorSettings } from './index-advisor.settings.js';
import { logSettings } from './log.settings.js';
import { memorySettings } from './memory.settings.js';
import { memoriesSettings } from './memories.settings.js';
import { metricsSettings } from './metrics.settings.js';
import { protectionSettings } from './protection.settings.js';
import { purgeSettings } from './purge.settings.js';
import { queueSettings } from './queue.settings.js';
import { redisSettings } from './redis.settings.js';
import { retrievalSettings } from './retrieval.settings.js';
import { securitySettings } from './security.settings.js';
import { storageSettings } from './storage.settings.js';
import { tracingSettings } from './tracing.settings.js';

/** Every concern by name, in the order of `.env.example`. */
export const allSettings = Object.freeze({
  http: httpSettings,
  protection: protectionSettings,
  log: logSettings,
  metrics: metricsSettings,
  tracing: tracingSettings,
  memory: memorySettings,
  database: databaseSettings,
  indexAdvisor: indexAdvisorSettings,
  redis: redisSettings,
  cache: cacheSettings,
  queue: queueSettings,
  storage: storageSettings,
  content: contentSettings,
  memories: memoriesSettings,
  retrieval: retrievalSettings,
  cdn: cdnSettings,
  purge: purgeSettings,
  ai: aiSettings,
  security: securitySettings,
  console: consoleSettings,
  features: featureSettings,
});
