import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  MemoryManager,
  MetricsProfileRefusedError,
  MetricsService,
  type ProfileKind,
  Profiler,
  STATUS_THRESHOLDS,
} from '@peregrine/metrics';

const INTERVAL_MS = 1_000;
/** Long enough to see what a minute is made of, short enough for its cost. */
const SECONDS = 15;

/** Takes a profile when something is wrong, while it is: memory that runs short, an event loop that is late. */
@Injectable()
export class BreachProfiles implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('Profiler');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly profiler: Profiler,
    private readonly manager: MemoryManager,
    private readonly metrics: MetricsService,
  ) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => this.look(), INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** The timer calls it. */
  look(): void {
    const kind = this.#wrong();
    if (kind === undefined) return;
    try {
      const { id } = this.profiler.start({ kind, seconds: SECONDS, trigger: 'breach' });
      this.#logger.warn(`Profile ${id} is taken of what goes wrong`);
    } catch (error) {
      // What goes wrong goes on longer than one profile; the next is due in a while.
      if (!(error instanceof MetricsProfileRefusedError)) throw error;
    }
  }

  #wrong(): ProfileKind | undefined {
    if (this.manager.state.level !== 'normal') return 'heap';
    const { lagP99Ms } = this.metrics.eventLoop();
    return lagP99Ms >= STATUS_THRESHOLDS.eventLoopLagMs.critical ? 'cpu' : undefined;
  }
}
