import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { MetricsService } from '@peregrine/metrics';
import { QueryOptimizer, withQueryPriority } from '@peregrine/query-optimizer';
import { TaskQueue } from '@peregrine/task-queue';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { type Role } from '../role.js';
import { type PlatformProcess, type ProcessFigures, processFiguresSchema } from './process-figures.js';
import { RecentWaits } from './recent-waits.js';

/** What this process is. */
export const PROCESS_ROLE = Symbol('@peregrine/runtime:process-role');

/** How often a process writes its row, milliseconds. */
const BEAT_MS = 5_000;
/** Three beats that did not come. */
const GONE_AFTER_MS = 3 * BEAT_MS;
/** Beats of five minutes. */
const RECENT_BEATS = 60;
/** Nobody waits longer for a row to go. */
const LEAVE_MS = 1_000;
const MAX_LISTED = 200;
const MAX_HOST = 255;

interface Row extends Omit<PlatformProcess, 'isGone' | 'figures'> {
  readonly figures: unknown;
}

/**
 * Which processes there are, over all machines: each writes a row of `service_processes` every {@link BEAT_MS}, and takes it
 * away when it ends in order. A row that stays and grows old is a process that died. PostgreSQL, since it is there with
 * and without Redis.
 */
@Injectable()
export class ProcessRegister implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('ProcessRegister');
  readonly #id = randomUUID();
  readonly #startedAt = new Date(Date.now() - process.uptime() * 1_000);
  readonly #waits = new RecentWaits(RECENT_BEATS);
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #failed = false;
  #closed = false;

  constructor(
    @Inject(PROCESS_ROLE) private readonly role: Role,
    private readonly dataSource: DataSource,
    private readonly metrics: MetricsService,
    private readonly optimizer: QueryOptimizer,
    private readonly tasks: TaskQueue,
  ) {}

  /** Those that run and those that died within a day, workers first, the oldest first. @throws the driver's error */
  async list(): Promise<PlatformProcess[]> {
    // Of the primary: of a replica the rows might look older than they are.
    const { rows } = await withQueryPriority('high', () =>
      this.optimizer.execute<Row>(
        `SELECT id, role, host, pid, started_at AS "startedAt", seen_at AS "seenAt", figures,
                1000 * extract(epoch FROM clock_timestamp() - seen_at)::float8 AS "silentMs"
           FROM service_processes ORDER BY role DESC, started_at, id LIMIT $1`,
        [MAX_LISTED],
        { primary: true },
      ),
    );
    return rows.map(({ figures, ...row }) => ({
      ...row,
      isGone: row.silentMs > GONE_AFTER_MS,
      figures: processFiguresSchema.safeParse(figures).data ?? null,
    }));
  }

  /** Called by Nest. */
  onApplicationBootstrap(): void {
    this.#beating = this.#beatOften();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    // Without a database it stays, and looks like a process that died.
    await Promise.race([this.#leave(), delay(LEAVE_MS, undefined, { ref: false })]);
  }

  async #beatOften(): Promise<void> {
    try {
      await this.#beat();
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#log.warn(`This process could not be registered: ${String(error)}`);
      this.#failed = true;
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#beating = this.#beatOften();
    }, BEAT_MS).unref();
  }

  /** Also clears away those that died long ago. */
  async #beat(): Promise<void> {
    const host = hostname().slice(0, MAX_HOST);
    await withQueryPriority('high', () =>
      this.dataSource.query(
        `WITH forgotten AS (DELETE FROM service_processes WHERE seen_at < clock_timestamp() - interval '1 day')
         INSERT INTO service_processes AS p (id, role, host, pid, started_at, seen_at, figures)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6)
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, figures = excluded.figures`,
        [this.#id, this.role, host, process.pid, this.#startedAt, JSON.stringify(this.#figures())],
      ),
    );
  }

  async #leave(): Promise<void> {
    try {
      await this.#beating;
      await this.dataSource.query('DELETE FROM service_processes WHERE id = $1', [this.#id]);
    } catch (error) {
      this.#log.warn(`This process could not take its leave: ${String(error)}`);
    }
  }

  #figures(): ProcessFigures {
    const { memory, eventLoop } = this.metrics.snapshot();
    const { inUse, capacity } = this.optimizer.pool.statistics();
    return {
      node: process.version,
      rssBytes: memory.rssBytes,
      memoryLimitBytes: memory.limitBytes,
      heapUsedBytes: memory.heapUsedBytes,
      heapLimitBytes: memory.heapLimitBytes,
      loopLagP99Ms: eventLoop.lagP99Ms,
      loopUtilization: eventLoop.utilization,
      poolInUse: inUse,
      poolCapacity: capacity,
      waits: this.#waits.look(this.tasks.waits()),
    };
  }
}
