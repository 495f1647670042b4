import type { Alert } from './alert.ts';
import { CACHE_ALERTS } from './fields/cache.ts';
import { CDN_ALERTS } from './fields/cdn.ts';
import { HTTP_ALERTS } from './fields/http.ts';
import { PROCESS_ALERTS } from './fields/process.ts';
import { QUERY_ALERTS } from './fields/queries.ts';
import { RETRIEVAL_ALERTS } from './fields/retrieval.ts';
import { SCRAPING_ALERTS } from './fields/scraping.ts';
import { TASK_ALERTS } from './fields/tasks.ts';

/** Everything that somebody is told, in the order of the rules file. */
export const ALERTS: readonly Alert[] = [
  ...HTTP_ALERTS,
  ...QUERY_ALERTS,
  ...CACHE_ALERTS,
  ...RETRIEVAL_ALERTS,
  ...TASK_ALERTS,
  ...CDN_ALERTS,
  ...PROCESS_ALERTS,
  ...SCRAPING_ALERTS,
];
