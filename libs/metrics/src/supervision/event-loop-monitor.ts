import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How late timers run, and how busy the loop is, over the last 10 to 20 seconds. */
export interface EventLoopFigures {
  /** Milliseconds that a timer was late, mean. */
  readonly lagMeanMs: number;
  /** Milliseconds that a timer was late, 99th percentile. */
  readonly lagP99Ms: number;
  /** Milliseconds that the latest timer was late. */
  readonly lagMaxMs: number;
  /** Share of time in which the loop was not idle, 0 to 1. */
  readonly utilization: number;
}

const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;

/**
 * Event-loop lag in windows of its own: prom-client's histogram starts anew at every scrape, so a second reader would
 * take figures away from the first.
 */
export class EventLoopMonitor {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>;
  readonly #timer: NodeJS.Timeout;
  #since = performance.eventLoopUtilization();
  #previous: EventLoopFigures | undefined;

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#rotate(), WINDOW_MS).unref();
  }

  /** The worse of the running window and the one before it, so that a stall shows at once and does not vanish at once. */
  read(): EventLoopFigures {
    const now = this.#window();
    if (!this.#previous) return now;
    return {
      lagMeanMs: Math.max(now.lagMeanMs, this.#previous.lagMeanMs),
      lagP99Ms: Math.max(now.lagP99Ms, this.#previous.lagP99Ms),
      lagMaxMs: Math.max(now.lagMaxMs, this.#previous.lagMaxMs),
      utilization: Math.max(now.utilization, this.#previous.utilization),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #rotate(): void {
    this.#previous = this.#window();
    this.#histogram.reset();
    this.#since = performance.eventLoopUtilization();
  }

  #window(): EventLoopFigures {
    return {
      lagMeanMs: lateness(this.#histogram.mean),
      lagP99Ms: lateness(this.#histogram.percentile(99)),
      // An empty histogram gives 0.
      lagMaxMs: lateness(this.#histogram.max),
      utilization: performance.eventLoopUtilization(this.#since).utilization,
    };
  }
}

/** Node records the whole interval between two ticks, nanoseconds; what exceeds the resolution is lag. NaN when empty. */
function lateness(intervalNs: number): number {
  return Number.isNaN(intervalNs) ? 0 : Math.max(0, intervalNs / 1e6 - RESOLUTION_MS);
}
