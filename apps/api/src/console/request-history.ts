import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type RequestHistoryFigures, type RouteFigures } from '@peregrine/console';
import { LATENCY_BUCKETS_SECONDS, MetricsService, quantileMs } from '@peregrine/metrics';
import { CONSOLE_PATH } from './console.tokens.js';

const STEP_SECONDS = 5;
/** Five minutes. */
const STEPS = 60;
/** Most routes that are kept; the first that are seen, which are those of the application. */
const MAX_ROUTES = 200;
const TOP_ROUTES = 10;

/** Counts of one route since the start. */
interface Counts {
  readonly method: string;
  readonly route: string;
  readonly buckets: number[];
  requests: number;
  errors: number;
}

/** What came in one step. */
interface Step {
  readonly requests: number;
  readonly errors: number;
  readonly buckets: readonly number[];
}

/**
 * The requests of the last minutes by route, in steps, so that the console has a past to show when it is opened. Reads
 * the counters of the metrics once a step: requests pay nothing for it.
 */
@Injectable()
export class RequestHistory implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #metrics: Pick<MetricsService, 'http'>;
  readonly #routes = new Map<string, Step[]>();
  #before = new Map<string, Counts>();
  #steps = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(metrics: MetricsService) {
    this.#metrics = metrics;
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.advance(), STEP_SECONDS * 1_000).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Ends a step; the timer calls it. */
  advance(): void {
    const now = this.#read();
    this.#steps = Math.min(this.#steps + 1, STEPS - 1);
    for (const [key, counts] of now) {
      let steps = this.#routes.get(key);
      if (!steps) {
        if (this.#routes.size >= MAX_ROUTES) continue;
        // Seen for the first time: before, there was nothing.
        steps = Array.from({ length: this.#steps - 1 }, () => NOTHING);
        this.#routes.set(key, steps);
      }
      steps.push(since(counts, this.#before.get(key)));
      if (steps.length > STEPS - 1) steps.shift();
    }
    this.#before = now;
  }

  /** All requests together, but for those of the console. */
  history(): RequestHistoryFigures {
    const all = this.#withCurrent().map(({ steps }) => steps);
    const sum = (index: number, of: (step: Step) => number) =>
      all.reduce((total, steps) => total + of(steps[index] ?? NOTHING), 0);
    const indexes = Array.from({ length: this.#steps + 1 }, (_, index) => index);
    return {
      stepSeconds: STEP_SECONDS,
      perSecond: indexes.map((it) => sum(it, ({ requests }) => requests) / STEP_SECONDS),
      errors: indexes.map((it) => sum(it, ({ errors }) => errors)),
    };
  }

  /** The routes with the most requests, the busiest first. */
  routes(): RouteFigures[] {
    return this.#withCurrent()
      .map(({ counts, steps }) => routeFigures(counts, steps))
      .filter(({ requests }) => requests > 0)
      .toSorted((a, b) => b.requests - a.requests || a.route.localeCompare(b.route))
      .slice(0, TOP_ROUTES);
  }

  /** The steps that ended and, last, the one that runs. */
  #withCurrent(): { counts: Counts; steps: Step[] }[] {
    return [...this.#read()].map(([key, counts]) => {
      const ended = this.#routes.get(key) ?? Array.from({ length: this.#steps }, () => NOTHING);
      return { counts, steps: [...ended, since(counts, this.#before.get(key))] };
    });
  }

  #read(): Map<string, Counts> {
    const found = new Map<string, Counts>();
    for (const { method, route, status, buckets } of this.#metrics.http.rows()) {
      // Looking must not make the picture.
      if (route.startsWith(CONSOLE_PATH)) continue;
      const key = `${method} ${route}`;
      const counts = found.get(key) ?? { method, route, ...zero() };
      found.set(key, counts);
      const requests = buckets.reduce((sum, it) => sum + it, 0);
      counts.requests += requests;
      if (status === '5xx') counts.errors += requests;
      buckets.forEach((it, index) => (counts.buckets[index] = (counts.buckets[index] ?? 0) + it));
    }
    return found;
  }
}

const zero = () => ({
  requests: 0,
  errors: 0,
  buckets: new Array<number>(LATENCY_BUCKETS_SECONDS.length + 1).fill(0),
});
const NOTHING: Step = zero();

function since(now: Counts, before: Counts | undefined): Step {
  if (!before) return now;
  return {
    requests: now.requests - before.requests,
    errors: now.errors - before.errors,
    buckets: now.buckets.map((it, index) => it - (before.buckets[index] ?? 0)),
  };
}

function routeFigures({ method, route }: Counts, steps: readonly Step[]): RouteFigures {
  const requests = steps.reduce((sum, it) => sum + it.requests, 0);
  const errors = steps.reduce((sum, it) => sum + it.errors, 0);
  const buckets = NOTHING.buckets.map((_, index) =>
    steps.reduce((sum, it) => sum + (it.buckets[index] ?? 0), 0),
  );
  return {
    method,
    route,
    requests,
    perSecond: requests / (steps.length * STEP_SECONDS),
    errorRate: requests === 0 ? 0 : errors / requests,
    p95Ms: quantileMs(buckets, 0.95),
    steps: steps.map((it) => it.requests),
  };
}
