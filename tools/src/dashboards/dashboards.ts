import type { Dashboard } from './dashboard.ts';
import { CACHE, QUERIES } from './fields/data.ts';
import { HTTP, OVERVIEW } from './fields/overview.ts';
import { RETRIEVAL } from './fields/retrieval.ts';
import { PROCESSES, TASKS } from './fields/work.ts';

/** Every dashboard, the overview first. */
export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, HTTP, QUERIES, CACHE, RETRIEVAL, TASKS, PROCESSES];
