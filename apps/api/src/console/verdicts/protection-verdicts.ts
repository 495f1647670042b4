import { type Verdict } from '@peregrine/console';
import { count, type Judged, well } from './judged.js';

const page = 'overview';

/** Whether requests were refused because too many were there at once. */
export function sheddingVerdict({ protection: { shed, limit } }: Judged): Verdict {
  if (shed === undefined || limit === undefined) {
    return well(page, 'Requests at once are not limited', 'CONCURRENCY_LIMIT_ENABLED is off.');
  }
  if (shed === 0) {
    return well(page, 'No request is refused for want of room', `Up to ${count(limit)} at once are let in.`);
  }
  return {
    ...{ level: 'warning', page, runbook: 'requests-shed' },
    title:
      shed === 1
        ? '1 request was refused for want of room'
        : `${count(shed)} requests were refused for want of room`,
    why: `More came in the last five minutes than could be answered at once; now up to ${count(limit)} are let in.`,
    todo: 'Look for what became slow: queries, connections, the event loop; when nothing did, start one more api.',
  };
}

/** Whether the limits of rate hold over all processes. */
export function rateStoreVerdict({ protection: { isStoreUp } }: Judged): Verdict {
  if (isStoreUp === undefined) {
    return well(page, 'Rates are not limited', 'RATE_LIMITS_ENABLED is off.');
  }
  if (isStoreUp) return well(page, 'Rate limits hold', 'All processes count together.');
  return {
    ...{ level: 'warning', page, runbook: 'rate-limit-store-down' },
    title: 'Each process limits rates alone',
    why: 'The store of the rate limits did not answer in time: a caller gets its whole rate of every process.',
    todo: 'Bring Redis back, or PostgreSQL where there is no Redis; the processes go back to it by themselves.',
  };
}
