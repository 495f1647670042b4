import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { MetricsService } from '@peregrine/metrics';
import { RecentIncrease } from './recent-increase.js';
import { registeredFigure } from './registered-figure.js';

const STEP_MS = 5_000;
/** For so long a refusal is worth a verdict. */
export const RECENT_REFUSALS_MS = 300_000;

/** How the process protects itself. What is switched off has undefined. */
export interface ProtectionFigures {
  /** Requests of the last five minutes that were refused because too many were there at once. */
  readonly shed: number | undefined;
  /** Requests at once that are let in. */
  readonly limit: number | undefined;
  /** Whether all processes count rates together. */
  readonly isStoreUp: boolean | undefined;
  /** 0 normal, 1 caches are halved, 2 new work is refused. */
  readonly memoryLevel: number | undefined;
}

/** Reads the counters once in a while, so that the console has a past to judge when it is opened. */
@Injectable()
export class ProtectionReader implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #metrics: Pick<MetricsService, 'source'>;
  readonly #shed = new RecentIncrease(RECENT_REFUSALS_MS);
  #timer: NodeJS.Timeout | undefined;

  constructor(metrics: MetricsService) {
    this.#metrics = metrics;
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.read(), STEP_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. */
  async read(): Promise<ProtectionFigures> {
    const [shed, limit, store, memoryLevel] = await Promise.all([
      registeredFigure(this.#metrics, 'concurrency', 'protection_concurrency_shed_total'),
      registeredFigure(this.#metrics, 'concurrency', 'protection_concurrency_limit'),
      registeredFigure(this.#metrics, 'rate-limits', 'protection_rate_store_up'),
      registeredFigure(this.#metrics, 'memory', 'memory_pressure_level'),
    ]);
    return {
      shed: shed === undefined ? undefined : this.#shed.look(shed),
      limit,
      isStoreUp: store === undefined ? undefined : store === 1,
      memoryLevel,
    };
  }
}
