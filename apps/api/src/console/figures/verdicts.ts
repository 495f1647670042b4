import { type ConsoleSnapshot, type Level, type Verdict } from '@peregrine/console';
import { type MetricsSnapshot } from '@peregrine/metrics';

/** What is judged. */
export interface Judged extends Pick<
  ConsoleSnapshot,
  'health' | 'cache' | 'queue' | 'queries' | 'cdn' | 'pool'
> {
  readonly metrics: MetricsSnapshot;
}

const SEVERITY: Readonly<Record<Level, number>> = { critical: 3, warning: 2, unknown: 1, good: 0 };
const GOOD_EFFICIENCY = 0.9;
const TOO_FEW = 20;
const LONG_PURGE_MS = 60_000;

/** A judgement for each area, the worst first. */
export function judge(figures: Judged): Verdict[] {
  const verdicts = [
    requestsVerdict(figures),
    memoryVerdict(figures),
    healthVerdict(figures),
    poolVerdict(figures),
    queueVerdict(figures),
    cacheVerdict(figures),
    queriesVerdict(figures),
    cdnVerdict(figures),
  ];
  return verdicts.toSorted((a, b) => SEVERITY[b.level] - SEVERITY[a.level]);
}

function requestsVerdict({ metrics: { status, requests, recommendation } }: Judged): Verdict {
  const { recent, slow } = requests;
  const level = worst(toLevel(status.errors), toLevel(status.latency), toLevel(status.eventLoop));
  const why =
    recent.count === 0
      ? 'No request in the last minutes.'
      : `${percent(recent.errorRate)} of ${count(recent.count)} requests failed, 95 % took less than ${ms(recent.p95Ms)}; ` +
        `${count(slow)} were slow since the start.`;
  if (level !== 'good') {
    const title =
      level === toLevel(status.errors)
        ? 'Requests fail'
        : level === toLevel(status.latency)
          ? 'Requests are slow'
          : 'The event loop is late';
    return { level, page: 'overview', title, why, todo: recommendation };
  }
  if (recent.count === 0) {
    return {
      level: 'unknown',
      page: 'overview',
      title: 'No requests yet',
      why,
      todo: 'Send one: npm run demo.',
    };
  }
  return { level, page: 'overview', title: 'Requests are answered well', why, todo: '' };
}

function memoryVerdict({ metrics: { status, memory, recommendation } }: Judged): Verdict {
  const level = toLevel(status.memory);
  const why = `The process uses ${percent(memory.usedRatio)} of its memory and ${percent(memory.heapRatio)} of its heap.`;
  return level === 'good'
    ? { level, page: 'pool', title: 'Memory has room', why, todo: '' }
    : { level, page: 'pool', title: 'Memory runs out', why, todo: recommendation };
}

function healthVerdict({ health }: Judged): Verdict {
  const down = Object.keys(health).filter((it) => health[it] === 'down');
  if (down.length === 0) {
    const names = Object.keys(health).join(', ');
    return {
      level: 'good',
      page: 'overview',
      title: 'Everything it depends on answers',
      why: names === '' ? 'Nothing is checked.' : `Checked: ${names}.`,
      todo: '',
    };
  }
  return {
    level: down.includes('database') ? 'critical' : 'warning',
    page: 'overview',
    title: `${down.join(', ')} ${down.length === 1 ? 'does' : 'do'} not answer`,
    why: 'The checks of readiness fail; the log of the api has the reason.',
    todo: 'Bring it back, or look at the address and the credentials in the settings.',
  };
}

function poolVerdict({ pool }: Judged): Verdict {
  const waiting = Object.values(pool.waiting).reduce((sum, it) => sum + it, 0);
  const acquired = Object.values(pool.acquired).reduce((sum, it) => sum + it, 0);
  const use = `${pool.inUse} of ${pool.capacity} connections are in use, ${waiting} callers wait.`;
  const why = `${use} ${percent(pool.efficiency)} had theirs within 10 ms.`;
  if (pool.inUse >= pool.capacity && waiting > 0) {
    return {
      level: 'critical',
      page: 'pool',
      title: 'Callers wait for the database',
      why,
      todo: 'Look for slow queries first; then raise DATABASE_POOL_MAX if the server has room.',
    };
  }
  if (acquired >= TOO_FEW && pool.efficiency < GOOD_EFFICIENCY) {
    return {
      level: 'warning',
      page: 'pool',
      title: 'The pool made callers wait',
      why,
      todo: 'Raise DATABASE_POOL_MIN when bursts are usual, or look for slow queries.',
    };
  }
  return { level: 'good', page: 'pool', title: 'The database pool keeps up', why, todo: '' };
}

function queueVerdict({ queue }: Judged): Verdict {
  if (queue.problem !== null || queue.pending === null) {
    return {
      level: 'warning',
      page: 'queue',
      title: 'The task queue does not answer',
      why: queue.problem ?? 'Its store has not answered yet.',
      todo: 'Bring Redis or PostgreSQL back; tasks that were taken are kept and go on then.',
    };
  }
  const why = `${count(queue.pending)} tasks wait, ${queue.running ?? 0} run, ${percent(queue.successRate)} succeed.`;
  const dead = queue.deadLettered ?? 0;
  if (dead > 0) {
    const title = dead === 1 ? '1 task failed for good' : `${dead} tasks failed for good`;
    const todo = 'Read the errors, remove their cause, then put them back to work.';
    return { level: 'warning', page: 'queue', title, why, todo };
  }
  return { level: 'good', page: 'queue', title: 'Tasks are worked on', why, todo: '' };
}

const CACHE_LEVELS = {
  healthy: 'good',
  warming: 'unknown',
  warning: 'warning',
  critical: 'critical',
} as const;
const CACHE_TITLES = {
  healthy: 'The cache does its work',
  warming: 'The cache warms up',
  warning: 'The cache could do better',
  critical: 'The cache hardly helps',
} as const;

function cacheVerdict({ cache }: Judged): Verdict {
  const reads = cache.namespaces.reduce((sum, it) => sum + it.reads, 0);
  return {
    level: CACHE_LEVELS[cache.status],
    page: 'cache',
    title: CACHE_TITLES[cache.status],
    why: `${percent(cache.hitRate)} of ${count(reads)} reads hit since the start.`,
    todo: cache.status === 'healthy' ? '' : cache.recommendation,
  };
}

function queriesVerdict({ queries }: Judged): Verdict {
  const [slowest] = queries.slow;
  const [loop] = queries.loops;
  const counts = `${count(queries.count)} queries, 95 % below ${ms(queries.p95Ms)}, ${queries.errors} failed.`;
  if (loop) {
    const why = `${loop.scope} ran one query ${loop.count} times: ${loop.where}.`;
    const todo = 'Load the rows together; the page of the queries has the lines.';
    return { level: 'warning', page: 'queries', title: 'A query runs in a loop', why, todo };
  }
  if (slowest) {
    const number = queries.slow.length;
    return {
      level: 'warning',
      page: 'queries',
      title: number === 1 ? '1 kind of query is slow' : `${number} kinds of queries are slow`,
      why: `The slowest takes ${ms(slowest.p95Ms)} for one caller in 20; slow is from ${ms(queries.slowMs)} on.`,
      todo: 'Look at them; npm run optimizer -- recommend finds missing indexes.',
    };
  }
  return { level: 'good', page: 'queries', title: 'Queries are fast', why: counts, todo: '' };
}

function cdnVerdict({ cdn }: Judged): Verdict {
  const failures = cdn.origins.reduce((sum, it) => sum + it.failures, 0);
  const late = cdn.pending.find((it) => Date.now() - Date.parse(it.requestedAt) > LONG_PURGE_MS);
  if (late) {
    return {
      level: 'warning',
      page: 'cdn',
      title: 'Purges do not get through',
      why: `The oldest waits since ${late.requestedAt}${late.error === null ? '' : `: ${late.error}`}.`,
      todo: `Look at the credentials and limits of ${late.provider}; until then it may show old content.`,
    };
  }
  if (failures > 0) {
    return {
      level: 'warning',
      page: 'cdn',
      title: 'Files could not be read',
      why: `${failures} answers of the origin failed since the start.`,
      todo: 'Look at the disk and at the permissions of CDN_ROOT.',
    };
  }
  const why =
    cdn.providers.length === 0
      ? 'No CDN is configured; the api serves its files itself.'
      : 'No purge is late.';
  return { level: 'good', page: 'cdn', title: 'Files are served', why, todo: '' };
}

function toLevel(word: 'healthy' | 'warning' | 'critical'): Level {
  return word === 'healthy' ? 'good' : word;
}

export function worst(...levels: readonly Level[]): Level {
  return levels.reduce((a, b) => (SEVERITY[b] > SEVERITY[a] ? b : a), 'good');
}

const count = (value: number) => value.toLocaleString('en');
const percent = (share: number) => `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;

function ms(value: number | null): string {
  if (value === null) return '–';
  return value < 1_000
    ? `${Number(value.toFixed(value < 10 ? 1 : 0))} ms`
    : `${(value / 1_000).toFixed(1)} s`;
}
