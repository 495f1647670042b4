import { type LoggerService } from '@nestjs/common';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-node';

export interface WatchedExporterOptions {
  readonly logger: Pick<LoggerService, 'warn' | 'log'>;
  /** Where the spans go, for the log. */
  readonly endpoint: string;
}

/** Says once that spans are lost, and once that they arrive again: a collector that is down is down for every batch. */
export class WatchedExporter implements SpanExporter {
  #isFailing = false;
  readonly #exporter: SpanExporter;
  readonly #options: WatchedExporterOptions;

  constructor(exporter: SpanExporter, options: WatchedExporterOptions) {
    this.#exporter = exporter;
    this.#options = options;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#note(result);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #note({ code, error }: ExportResult): void {
    const isFailing = code !== ExportResultCode.SUCCESS;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    const { logger, endpoint } = this.#options;
    // What the collector answered may be anything; its kind of failure is enough.
    if (isFailing)
      logger.warn(`Spans cannot be sent to ${hostOf(endpoint)} and are lost: ${reasonOf(error)}`);
    else logger.log(`Spans are sent to ${hostOf(endpoint)} again`);
  }
}

/** Without credentials and query. */
function hostOf(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint);
  return origin + pathname;
}

function reasonOf(error: Error | undefined): string {
  if (!error) return 'no reason given';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? `${error.name} ${code}` : error.name;
}
