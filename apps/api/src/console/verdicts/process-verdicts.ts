import { type Verdict } from '@peregrine/console';
import { count, type Judged, ms, percent, toLevel, well, worst } from './judged.js';

const GOOD_EFFICIENCY = 0.9;
const TOO_FEW = 20;

export function requestsVerdict({ metrics: { status, requests, recommendation } }: Judged): Verdict {
  const { recent, slow } = requests;
  const page = 'overview';
  const level = worst(toLevel(status.errors), toLevel(status.latency), toLevel(status.eventLoop));
  const why =
    recent.count === 0
      ? 'No request in the last minutes.'
      : `${percent(recent.errorRate)} of ${count(recent.count)} requests failed, 95 % took less than ${ms(recent.p95Ms)}; ` +
        `${count(slow)} were slow since the start.`;
  const todo = recommendation;
  if (level !== 'good' && level === toLevel(status.errors))
    return { level, page, title: 'Requests fail', why, todo, runbook: 'error-rate-high' };
  if (level !== 'good' && level === toLevel(status.latency))
    return { level, page, title: 'Requests are slow', why, todo, runbook: 'request-latency-high' };
  if (level !== 'good')
    return { level, page, title: 'The event loop is late', why, todo, runbook: 'event-loop-delayed' };
  if (recent.count > 0) return well(page, 'Requests are answered well', why);
  const first = 'Send one: npm run demo.';
  return { level: 'unknown', page, title: 'No requests yet', why, todo: first, runbook: null };
}

/** The manager's levels: 1 halves caches, 2 refuses new work. */
const SHEDS = 2;

export function memoryVerdict({ metrics, protection: { memoryLevel = 0 } }: Judged): Verdict {
  const { status, memory, recommendation } = metrics;
  const level = toLevel(status.memory);
  const page = 'pool';
  const why = `The process uses ${percent(memory.usedRatio)} of its memory and ${percent(memory.heapRatio)} of its heap.`;
  const isHeap = memory.heapRatio > memory.usedRatio;
  const room = isHeap
    ? 'Raise --max-old-space-size in NODE_OPTIONS, or do fewer things at once.'
    : 'Give the process more memory, or start one more.';
  if (memoryLevel >= SHEDS) {
    const did = `${why} Its caches are empty and it refuses new work until memory is free again.`;
    const title = 'Requests are refused for want of memory';
    return { level: 'critical', page, title, why: did, todo: room, runbook: 'load-shed' };
  }
  if (memoryLevel > 0) {
    const did = `${why} Its caches have been halved.`;
    const runbook = isHeap ? 'heap-near-limit' : 'memory-near-limit';
    return {
      level: worst(level, 'warning'),
      page,
      title: 'Memory runs short',
      why: did,
      todo: room,
      runbook,
    };
  }
  if (level === 'good') return well(page, 'Memory has room', why);
  return {
    ...{ level, page, title: 'Memory runs out', why },
    ...{ todo: recommendation, runbook: 'heap-near-limit' },
  };
}

export function healthVerdict({ health }: Judged): Verdict {
  const page = 'overview';
  const down = Object.keys(health).filter((it) => health[it] === 'down');
  if (down.length === 0) {
    const names = Object.keys(health).join(', ');
    const why = names === '' ? 'Nothing is checked.' : `Checked: ${names}.`;
    return well(page, 'Everything it depends on answers', why);
  }
  const isDatabase = down.includes('database');
  return {
    level: isDatabase ? 'critical' : 'warning',
    page,
    title: `${down.join(', ')} ${down.length === 1 ? 'does' : 'do'} not answer`,
    why: 'The checks of readiness fail; the log of the api has the reason.',
    todo: 'Bring it back, or look at the address and the credentials in the settings.',
    runbook: isDatabase ? 'database-down' : 'dependency-degraded',
  };
}

export function poolVerdict({ pool }: Judged): Verdict {
  const page = 'pool';
  const runbook = 'pool-saturated';
  const waiting = Object.values(pool.waiting).reduce((sum, it) => sum + it, 0);
  const acquired = Object.values(pool.acquired).reduce((sum, it) => sum + it, 0);
  const use = `${pool.inUse} of ${pool.capacity} connections are in use, ${waiting} callers wait.`;
  const why = `${use} ${percent(pool.efficiency)} had theirs within 10 ms.`;
  if (pool.inUse >= pool.capacity && waiting > 0) {
    const todo = 'Look for slow queries first; then raise DATABASE_POOL_MAX if the server has room.';
    return { level: 'critical', page, title: 'Callers wait for the database', why, todo, runbook };
  }
  if (acquired >= TOO_FEW && pool.efficiency < GOOD_EFFICIENCY) {
    const todo = 'Raise DATABASE_POOL_MIN when bursts are usual, or look for slow queries.';
    return { level: 'warning', page, title: 'The pool made callers wait', why, todo, runbook };
  }
  return well(page, 'The database pool keeps up', why);
}
