import { Logger } from '@nestjs/common';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { setTimeout as delay } from 'node:timers/promises';
import { type Settings } from '../settings.js';
import { type Tracing } from './start-tracing.js';
import { WatchedExporter } from './watched-exporter.js';

/** A collector that does not answer holds the end of the process no longer than this. */
const STOP_MS = 5_000;

export interface SpanExportOptions {
  /** For the log; the exporter reads its own from the environment. */
  readonly endpoint: string;
  readonly service: string;
  readonly sampler: Settings['tracing']['sampler'];
  readonly sampledShare: number;
}

/**
 * Makes spans real: ended ones are sent in batches, from a bounded queue that drops what does not fit, so that a
 * collector that is slow or away never holds up a request. Only the W3C's `traceparent` and `tracestate` cross the
 * borders of the process, no baggage.
 */
export function exportSpans({ endpoint, service, sampler, sampledShare }: SpanExportOptions): Tracing {
  const logger = new Logger('Tracing');
  const exporter = new WatchedExporter(new OTLPTraceExporter(), { logger, endpoint });
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': `peregrine-${service}` }))
      .merge(detectResources({ detectors: [envDetector] })),
    // Any other sampler the SDK makes by itself, of the same variables.
    ...(sampler === 'parentbased_traceidratio' && {
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampledShare) }),
    }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register({ propagator: new W3CTraceContextPropagator() });
  return {
    stop: async () => {
      const given = new AbortController();
      const isLate = delay(STOP_MS, true, { signal: given.signal, ref: false }).catch(() => false);
      const isSent = provider.shutdown().then(
        () => false,
        () => false,
      );
      if (await Promise.race([isSent, isLate])) logger.warn('The last spans could not be sent in time');
      given.abort();
    },
  };
}
