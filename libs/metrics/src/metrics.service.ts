import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type MetricsPage, Exposition } from './exposition/exposition.js';
import { EXPOSITION_CONTENT_TYPES, type ExpositionFormat } from './exposition/exposition-format.js';
import { SourceCollector } from './exposition/source-collector.js';
import { HttpInstruments } from './http/http-instruments.js';
import { type MetricSource } from './metric-source.js';
import { type MetricsOptions } from './metrics.options.js';
import { METRICS_OPTIONS } from './metrics.tokens.js';
import { ProcessInstruments } from './process/process-instruments.js';
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
  readonly contentType: string = EXPOSITION_CONTENT_TYPES.prometheus;
  /** Where the HTTP hooks count; other code has no need of it. */
  readonly http: HttpInstruments;

  readonly #collector: SourceCollector;
  readonly #process: ProcessInstruments | undefined;
  readonly #exposition: Exposition;
  readonly #eventLoop = new EventLoopMonitor();
  readonly #window: RequestWindow;
  readonly #scrapes = new Map<ExpositionFormat, Promise<MetricsPage>>();

  constructor(@Inject(METRICS_OPTIONS) readonly options: MetricsOptions) {
    this.http = new HttpInstruments(options.maxLabelSets);
    this.#window = new RequestWindow(
      () => this.http.totals(),
      () => performance.now(),
    );
    this.#collector = new SourceCollector({
      timeoutMs: options.sourceTimeoutMs,
      maxLabelSets: options.maxLabelSets,
      isReserved: (family) => this.#exposition.isReserved(family),
      logger: new Logger(MetricsService.name),
    });
    this.#process = options.processMetrics ? new ProcessInstruments(() => this.#eventLoop.read()) : undefined;
    this.#exposition = new Exposition({
      defaultLabels: options.defaultLabels,
      http: this.http,
      process: this.#process,
      collector: this.#collector,
    });
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
   * The whole exposition. A source that fails or is late is left out, logged and counted; this never rejects because of
   * one. Scrapes of one format at the same time share one collection. The event loop gets a turn every few hundred lines.
   *
   * @param format `prometheus` is the text format 0.0.4; only `openmetrics` (1.0.0) has exemplars
   */
  page(format: ExpositionFormat = 'prometheus'): Promise<MetricsPage> {
    const known = this.#scrapes.get(format);
    if (known) return known;
    const scrape = this.#exposition.page(format).finally(() => this.#scrapes.delete(format));
    this.#scrapes.set(format, scrape);
    return scrape;
  }

  /** The {@link page} in the text format 0.0.4 as one text: easy, but for pages of many megabytes dear. */
  async text(): Promise<string> {
    const { chunks } = await this.page();
    return chunks.map(String).join('');
  }

  /** How busy and how late the event loop is now. */
  eventLoop(): EventLoopFigures {
    return this.#eventLoop.read();
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
    this.#process?.stop();
  }
}
