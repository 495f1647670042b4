import { type Verdict } from '@peregrine/console';
import { count, type Judged, ms, percent, well } from './judged.js';

/** One caller in 20 is nobody where fewer have called. */
const FEWEST_CALLS = 20;
/** Share of compared answers: fewer are chance, for which z was raised. */
const MOST_FAILED = 0.005;
const LONG_PURGE_MS = 60_000;
/** For so long a purge that was given up is worth a warning. */
const RECENT_PURGE_MS = 3_600_000;

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

export function cacheVerdict({ cache }: Judged): Verdict {
  const reads = cache.namespaces.reduce((sum, it) => sum + it.reads, 0);
  const isDown = cache.tiers.some(({ state }) => state === 'down');
  const level = CACHE_LEVELS[cache.status];
  return {
    level,
    page: 'cache',
    title: CACHE_TITLES[cache.status],
    why: `${percent(cache.hitRate)} of ${count(reads)} reads hit since the start.`,
    todo: cache.status === 'healthy' ? '' : cache.recommendation,
    runbook:
      level === 'warning' || level === 'critical'
        ? isDown
          ? 'cache-redis-down'
          : 'cache-hit-rate-low'
        : null,
  };
}

export function queriesVerdict({ queries }: Judged): Verdict {
  const page = 'queries';
  const slow = queries.slow.filter(
    ({ calls, p95Ms }) => calls >= FEWEST_CALLS && p95Ms !== null && p95Ms >= queries.slowMs,
  );
  const [slowest] = slow.toSorted((a, b) => (b.p95Ms ?? 0) - (a.p95Ms ?? 0));
  const [loop] = queries.loops;
  if (loop) {
    const why = `${loop.scope} ran one query ${loop.count} times: ${loop.where}.`;
    const todo = 'Load the rows together; the page of the queries has the lines.';
    return { level: 'warning', page, title: 'A query runs in a loop', why, todo, runbook: 'queries' };
  }
  if (slowest) {
    return {
      level: 'warning',
      page,
      title: slow.length === 1 ? '1 kind of query is slow' : `${slow.length} kinds of queries are slow`,
      why: `The slowest takes ${ms(slowest.p95Ms)} for one caller in 20; slow is from ${ms(queries.slowMs)} on.`,
      todo: 'Look at their plans, and at the indexes that are recommended.',
      runbook: 'query-latency-high',
    };
  }
  const counts = `${count(queries.count)} queries, 95 % below ${ms(queries.p95Ms)}, ${queries.errors} failed.`;
  return well(page, 'Queries are fast', counts);
}

export function retrievalVerdict({ retrieval }: Judged): Verdict {
  const page = 'retrieval';
  const failed = retrieval.calibration.filter(({ failures, samples }) => failures > samples * MOST_FAILED);
  const [worst] = failed.toSorted((a, b) => b.failures / b.samples - a.failures / a.samples);
  if (worst) {
    const { failures, samples, embedder, z } = worst;
    return {
      level: 'warning',
      page,
      title: 'Answers missed more than they promised',
      why: `${count(failures)} of ${count(samples)} answers of ${embedder} that were compared with an exact search; z was raised to ${z.toFixed(2)}.`,
      todo: 'Nothing, when there are no more of them; else set a higher certainty.',
      runbook: 'retrieval-under-floor',
    };
  }
  const drifted = retrieval.plans.filter(({ hasDrifted }) => hasDrifted);
  if (drifted.length > 0) {
    return {
      level: 'unknown',
      page,
      title: 'Retrieval learns anew',
      why: `${drifted.map(({ name }) => name).join(', ')}: the times are no longer as learned. The safe plan answers meanwhile.`,
      todo: '',
      runbook: null,
    };
  }
  const compared = retrieval.calibration.reduce((sum, { samples }) => sum + samples, 0);
  const none = 'No answer was compared with an exact search yet.';
  return well(
    page,
    'Retrieval finds what it promises',
    compared === 0 ? none : `${count(compared)} compared answers kept their floor.`,
  );
}

export function cdnVerdict({ cdn }: Judged): Verdict {
  const page = 'cdn';
  const level = 'warning';
  const failures = cdn.origins.reduce((sum, it) => sum + it.failures, 0);
  const isOlder = (at: string, ageMs: number) => Date.now() - Date.parse(at) > ageMs;
  const late = cdn.pending.find((it) => isOlder(it.requestedAt, LONG_PURGE_MS));
  if (late) {
    const why = `The oldest waits since ${late.requestedAt}${late.error === null ? '' : `: ${late.error}`}.`;
    const todo = `Look at the credentials and limits of ${late.provider}; until then it may show old content.`;
    return { level, page, title: 'Purges do not get through', why, todo, runbook: 'purge-overdue' };
  }
  const given = cdn.ended.filter(
    (it) =>
      it.state === 'failed' && !isOlder(it.requestedAt, RECENT_PURGE_MS) && !hasSucceeded(it, cdn.ended),
  );
  const [last] = given;
  if (last) {
    const title = given.length === 1 ? 'A purge was given up' : `${given.length} purges were given up`;
    const why = `${last.provider}: ${last.kind} ${last.value} ${last.error ?? ''}`.trim();
    const todo = 'Remove the cause, then send them again from the page of the CDN.';
    return { level, page, title, why, todo, runbook: 'purge-given-up' };
  }
  if (failures > 0) {
    const why = `${failures} answers of the origin failed since the start.`;
    const todo = 'Look at the disk and at the permissions of CDN_ROOT.';
    return { level, page, title: 'Files could not be read', why, todo, runbook: null };
  }
  const none = 'No CDN is configured; the api serves its files itself.';
  return well(page, 'Files are served', cdn.providers.length === 0 ? none : 'No purge is late.');
}

type Purges = Judged['cdn']['ended'];

/** The same was purged later. */
function hasSucceeded({ provider, kind, value, requestedAt }: Purges[number], ended: Purges): boolean {
  return ended.some(
    (it) =>
      it.state === 'done' &&
      it.provider === provider &&
      ((it.kind === kind && it.value === value) || it.kind === 'everything') &&
      Date.parse(it.requestedAt) > Date.parse(requestedAt),
  );
}
