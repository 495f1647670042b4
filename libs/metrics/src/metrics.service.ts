import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { EXPOSITION_CONTENT_TYPE, registerRendered, renderFamilies } from './exposition/registry.js';
import { SourceCollector } from './exposition/source-collector.js';
import { HttpInstruments, type RenderedMetric } from './http/http-instruments.js';
import { type MetricSource } from './metric-source.js';
import { type MetricsOptions } from './metrics.options.js';
import { METRIC_NAMES, METRICS_OPTIONS } from './metrics.tokens.js';
import { EventLoopMonitor, type EventLoopFigures } from './supervision/event-loop-monitor.js';
import { readMemory, type MemoryFigures } from './supervision/memory.js';
import { RequestWindow, type RecentRequests } from './supervision/request-window.js';
import { judge, recommend, type StatusReport } from './supervision/verdicts.js';

/** Plain numbers for a JSON answer; no labels, no text format. */
export interface MetricsSnapshot {
  readonly uptimeSeconds: number;
  readonly requests: {
    /** Finished requests since start. */
    readonly total: number;
    readonly inFlight: number;
    /** Requests above `slowRequestMs` since start. */
    readonly slow: number;
    /** The last five minutes. */
    readonly recent: RecentRequests;
  };
  readonly eventLoop: EventLoopFigures;
  readonly memory: MemoryFigures;
  readonly status: StatusReport;
  /** One sentence: what to do first. */
  readonly recommendation: string;
}

/** The registry of one application: text for Prometheus, numbers for people. */
@Injectable()
export class MetricsService implements OnApplicationShutdown {
  /** Content type of {@link text}. */
  readonly contentType: string = EXPOSITION_CONTENT_TYPE;
  /** Where the HTTP hooks count; other code has no need of it. */
  readonly http: HttpInstruments;

  readonly #registry = new Registry();
  readonly #collector: SourceCollector;
  readonly #eventLoop = new EventLoopMonitor();
  readonly #window: RequestWindow;
  #scrape: Promise<string> | undefined;

  constructor(@Inject(METRICS_OPTIONS) readonly options: MetricsOptions) {
    this.http = new HttpInstruments(options.maxLabelSets);
    this.#window = new RequestWindow(
      () => this.http.totals(),
      () => performance.now(),
    );
    this.#collector = new SourceCollector({
      timeoutMs: options.sourceTimeoutMs,
      maxLabelSets: options.maxLabelSets,
      isReserved: (family) => this.#isReserved(family),
      logger: new Logger(MetricsService.name),
    });
    this.#registry.setDefaultLabels(options.defaultLabels);
    if (options.processMetrics) collectDefaultMetrics({ register: this.#registry });
    this.#registerOwn();
    for (const source of options.sources) this.#collector.register(source);
  }

  /**
   * Adds a source of figures; adding the same object twice changes nothing.
   *
   * @returns a function that removes it again
   * @throws {MetricsSourceNameError} when another source has the name
   */
  register(source: MetricSource): () => void {
    return this.#collector.register(source);
  }

  /**
   * The whole exposition, Prometheus text format 0.0.4. A source that fails or is late is left out, logged and counted;
   * this never rejects because of one. Scrapes at the same time share one collection.
   */
  text(): Promise<string> {
    this.#scrape ??= this.#render().finally(() => (this.#scrape = undefined));
    return this.#scrape;
  }

  /** Figures and verdicts as they are now. Does not ask the sources. */
  snapshot(): MetricsSnapshot {
    const figures = {
      recent: this.#window.read(),
      eventLoop: this.#eventLoop.read(),
      memory: readMemory(),
      slowRequestMs: this.options.slowRequestMs,
    };
    const status = judge(figures);
    return {
      uptimeSeconds: process.uptime(),
      requests: {
        total: this.http.totals().count,
        inFlight: this.http.inFlight,
        slow: this.http.slow,
        recent: figures.recent,
      },
      eventLoop: figures.eventLoop,
      memory: figures.memory,
      status,
      recommendation: recommend(status, figures),
    };
  }

  /** Stops the timers; the last figures stay readable. */
  onApplicationShutdown(): void {
    this.#eventLoop.stop();
    this.#window.stop();
  }

  async #render(): Promise<string> {
    // Sources first: their failures are figures of this same scrape.
    const families = await this.#collector.collect();
    const own = await this.#registry.metrics();
    const foreign = await renderFamilies(families, this.options.defaultLabels);
    return foreign === '' ? own : `${own}\n${foreign}`;
  }

  #isReserved(family: string): boolean {
    const histogram = METRIC_NAMES.requestDuration;
    return this.#registry.getSingleMetric(family) !== undefined || family.startsWith(`${histogram}_`);
  }

  #registerOwn(): void {
    const { http } = this;
    const add = (name: string, render: () => RenderedMetric): void =>
      registerRendered(this.#registry, name, render);
    const single = (name: string, type: 'counter' | 'gauge', help: string, read: () => number): void =>
      add(name, () => ({ name, type, help, values: [{ labels: {}, value: read() }] }));
    add(METRIC_NAMES.requestDuration, () => http.renderDuration());
    add(METRIC_NAMES.requests, () => http.renderRequests());
    single(
      METRIC_NAMES.inFlight,
      'gauge',
      'Requests that have started and not finished',
      () => http.inFlight,
    );
    single(METRIC_NAMES.slowRequests, 'counter', 'Requests above the slow-request bound', () => http.slow);
    add(METRIC_NAMES.overflow, () => ({
      name: METRIC_NAMES.overflow,
      type: 'counter',
      help: 'Observations folded into __overflow__, or samples of a source left out, because of maxLabelSets',
      values: [[METRIC_NAMES.requests, http.overflowed] as const, ...this.#collector.overflows].map(
        ([metric, value]) => ({ labels: { metric }, value }),
      ),
    }));
    add(METRIC_NAMES.sourceErrors, () => ({
      name: METRIC_NAMES.sourceErrors,
      type: 'counter',
      help: 'Scrapes in which a metric source failed, was late, or gave an invalid family',
      values: [...this.#collector.errors].map(([source, value]) => ({ labels: { source }, value })),
    }));
  }
}
