import { type QueryDetail } from '@peregrine/console';
import { type FastifyInstance } from 'fastify';
import { type SlowQueriesController } from '../optimizer/slow-queries.controller.js';
import { fingerprintParameter } from '../optimizer/slow-query.schemas.js';
import { ValidationError } from '../problem/problem.js';
import { type ConsoleAccess } from './session/console-access.js';

interface Parts {
  readonly access: ConsoleAccess;
  readonly slowQueries: SlowQueriesController;
}

/** One slow statement with its plans, which are too much for every snapshot. */
export function registerQueryRoute(routes: FastifyInstance, { access, slowQueries }: Parts): void {
  routes.get<{ Params: { fingerprint: string } }>(
    '/queries/:fingerprint',
    async (request): Promise<QueryDetail> => {
      await access.requireViewer(request);
      const { data, error } = fingerprintParameter.safeParse(request.params.fingerprint);
      if (data === undefined) {
        const message = error?.issues[0]?.message ?? 'expected a fingerprint';
        throw new ValidationError([{ field: 'params.fingerprint', message }]);
      }
      return describe(await slowQueries.find(data));
    },
  );
}

function describe(found: Awaited<ReturnType<SlowQueriesController['find']>>): QueryDetail {
  const { fingerprint, sql, source, calls, slowCalls, errors, rows, planProblem, ...rest } = found;
  const { totalMs, meanMs, p50Ms, p95Ms, p99Ms, maxMs, plans, regression, hours } = rest;
  return {
    ...{ fingerprint, sql, source, calls, slowCalls, errors, rows, planProblem },
    ...{ totalMs, meanMs, p50Ms, p95Ms, p99Ms, maxMs },
    plans: plans.map(({ firstSeenAt, lastSeenAt, ...plan }) => ({
      ...plan,
      firstSeenAt: firstSeenAt.toISOString(),
      lastSeenAt: lastSeenAt.toISOString(),
    })),
    regression: regression && {
      since: regression.since.toISOString(),
      factor: regression.factor,
      evidence: regression.evidence,
    },
    hours: hours.map((it) => ({
      hour: it.hour.toISOString(),
      calls: it.calls,
      slowCalls: it.slowCalls,
      meanMs: it.meanMs,
      maxMs: it.maxMs,
    })),
  };
}
