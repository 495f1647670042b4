import { Inject, Injectable } from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { Cdn, CdnInvalidation } from '@peregrine/cdn';
import { FeatureFlags } from '@peregrine/config';
import { type ConsoleSnapshot, type ProcessFigures } from '@peregrine/console';
import { CursorCodec } from '@peregrine/database';
import { HealthService } from '@peregrine/health';
import { MetricsService, type MetricsSnapshot } from '@peregrine/metrics';
import { QueryOptimizer } from '@peregrine/query-optimizer';
import { PlanChooser, RetrievalCalibration } from '@peregrine/retrieval';
import { AuditTrail, FeatureOverrides, ProcessRegister } from '@peregrine/runtime';
import { TaskQueue } from '@peregrine/task-queue';
import { CONSOLE_ACTIONS_ENABLED } from './console.tokens.js';
import { cacheFigures } from './figures/cache-figures.js';
import { CdnReader } from './figures/cdn-figures.js';
import { flagFigures } from './figures/flag-figures.js';
import { IndexReader } from './figures/index-figures.js';
import { LastKnown } from './figures/last-known.js';
import { concurrencyLimit, limitsOf, refusedRequests } from './figures/limits.js';
import { ProcessReader } from './figures/process-figures.js';
import { ProtectionReader } from './figures/protection-figures.js';
import { queriesFigures } from './figures/query-figures.js';
import { QueueReader } from './figures/queue-figures.js';
import { ActionsReader } from './figures/recent-actions.js';
import { retrievalFigures } from './figures/retrieval-figures.js';
import { savingsFigures } from './figures/savings.js';
import { RequestHistory } from './request-history.js';
import { judge } from './verdicts/judge.js';

/** Collects what the console shows. Waits for no system longer than a second. */
@Injectable()
export class ConsoleSnapshots {
  readonly #queue: QueueReader;
  readonly #cdn: CdnReader;
  readonly #processes: ProcessReader;
  readonly #indexes: IndexReader;
  readonly #actions: ActionsReader;
  readonly #health: LastKnown<ConsoleSnapshot['health']>;

  constructor(
    private readonly metrics: MetricsService,
    private readonly history: RequestHistory,
    private readonly protection: ProtectionReader,
    private readonly cache: Cache,
    private readonly optimizer: QueryOptimizer,
    private readonly chooser: PlanChooser,
    private readonly calibration: RetrievalCalibration,
    private readonly flags: FeatureFlags,
    private readonly overrides: FeatureOverrides,
    @Inject(CONSOLE_ACTIONS_ENABLED) private readonly actionsEnabled: boolean,
    tasks: TaskQueue,
    cdn: Cdn,
    invalidation: CdnInvalidation,
    health: HealthService,
    processes: ProcessRegister,
    trail: AuditTrail,
    cursors: CursorCodec,
  ) {
    this.#queue = new QueueReader(tasks);
    this.#processes = new ProcessReader(processes);
    this.#indexes = new IndexReader(optimizer);
    this.#actions = new ActionsReader(trail, cursors, tasks);
    this.#cdn = new CdnReader(cdn, invalidation);
    this.#health = new LastKnown(() => readHealth(health), {}, { maxAgeMs: 1_000, waitMs: 1_000 });
  }

  async take(): Promise<ConsoleSnapshot> {
    const [{ classes, processes }, totals, cdn, indexes, actions, { value: health }] = await Promise.all([
      this.#processes.read(),
      this.#queue.read(),
      this.#cdn.read(),
      this.#indexes.read(),
      this.#actions.read(),
      this.#health.get(),
    ]);
    const queue = { ...totals, classes };
    const metrics = this.metrics.snapshot();
    const cache = cacheFigures(this.cache);
    const { queries, pool } = queriesFigures(this.optimizer);
    const retrieval = retrievalFigures(this.chooser, this.calibration.report());
    const [requestsAtOnce, refused, savings, protection] = await Promise.all([
      concurrencyLimit(this.metrics),
      refusedRequests(this.metrics),
      savingsFigures(cache, this.metrics),
      this.protection.read(),
    ]);
    return {
      at: new Date().toISOString(),
      actionsEnabled: this.actionsEnabled,
      verdicts: judge({
        metrics,
        health,
        cache,
        queue,
        queries,
        retrieval,
        cdn,
        pool,
        processes,
        protection,
      }),
      limits: [...limitsOf({ metrics, pool, cache, queue }), ...requestsAtOnce],
      history: this.history.history(),
      routes: this.history.routes(),
      process: { ...processFigures(metrics), refused },
      flags: flagFigures(this.flags, this.overrides),
      ...{ savings, health, cache, queue, queries, retrieval, cdn, pool, indexes, processes, actions },
    };
  }

  /** After an operator changed something: the next snapshot has it. */
  expire(): void {
    for (const it of [this.#queue, this.#cdn, this.#indexes, this.#actions]) it.expire();
  }
}

async function readHealth(health: HealthService): Promise<ConsoleSnapshot['health']> {
  const { checks } = await health.readiness();
  return Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, status]));
}

function processFigures({
  uptimeSeconds,
  requests,
  eventLoop,
  memory,
}: MetricsSnapshot): Omit<ProcessFigures, 'refused'> {
  const { rssBytes, limitBytes, heapUsedBytes, heapLimitBytes } = memory;
  return {
    pid: process.pid,
    node: process.version,
    uptimeSeconds,
    inFlight: requests.inFlight,
    slow: requests.slow,
    total: requests.total,
    recent: requests.recent,
    eventLoop,
    memory: { rssBytes, limitBytes, heapUsedBytes, heapLimitBytes },
  };
}
