import 'reflect-metadata';

import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { MetricsService, parseMetricsOptions } from '@peregrine/metrics';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What keeps the figures of requests. */
export const RECORDERS = {
  peregrine: 'peregrine',
  'prom-client': 'prom-client',
  opentelemetry: 'OpenTelemetry',
} as const;
export type RecorderId = keyof typeof RECORDERS;

/** A request as all of them count it: in flight, time and number by status, sizes in both directions. */
export interface CountedRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export interface Recorder {
  /**
   * What is found once for a route, as a server does when it meets it.
   *
   * @returns counts one request of the route
   */
  route(method: string, route: string): (request: CountedRequest) => void;
  /** A page for Prometheus; bytes. Absent where an exporter would make it. */
  page?(): Promise<number>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10];
const BYTES = [0, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216];
const CLASSES = ['', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** @param labelSets that it must be able to keep */
export function openRecorder(id: RecorderId, labelSets: number): Recorder {
  if (id === 'peregrine') return openPeregrine(labelSets);
  return id === 'prom-client' ? openPromClient() : openOpenTelemetry(labelSets);
}

function openPeregrine(maxLabelSets: number): Recorder {
  const metrics = new MetricsService(parseMetricsOptions({ processMetrics: false, maxLabelSets }));
  const { http } = metrics;
  return {
    route: (method, route) => {
      const slot = http.slotOf(method, route);
      return ({ status, seconds, requestBytes, responseBytes }) => {
        http.inFlight++;
        http.observe(slot, { statusCode: status, aborted: false, seconds, requestBytes, responseBytes });
        http.inFlight--;
      };
    },
    page: async () => (await metrics.page()).bytes,
  };
}

function openPromClient(): Recorder {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ['method', 'route', 'status'];
  const sized = { labelNames: ['method', 'route'], buckets: BYTES, help: 'h', registers };
  const duration = new Histogram({ name: 'duration', help: 'h', labelNames, buckets: SECONDS, registers });
  const requests = new Counter({ name: 'requests_total', help: 'h', labelNames, registers });
  const inFlight = new Gauge({ name: 'in_flight', help: 'h', registers });
  const requestSize = new Histogram({ ...sized, name: 'request_size' });
  const responseSize = new Histogram({ ...sized, name: 'response_size' });
  return {
    route: (method, route) => (request) => {
      inFlight.inc();
      const status = CLASSES[Math.floor(request.status / 100)] as string;
      duration.observe({ method, route, status }, request.seconds);
      requests.inc({ method, route, status });
      requestSize.observe({ method, route }, request.requestBytes);
      responseSize.observe({ method, route }, request.responseBytes);
      inFlight.dec();
    },
    page: async () => Buffer.byteLength(await registry.metrics()),
  };
}

/** Keeps what an exporter would read. */
class NeverReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

function openOpenTelemetry(labelSets: number): Recorder {
  const reader = new NeverReader({ cardinalitySelector: () => labelSets + 1 });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('bench');
  const seconds = { advice: { explicitBucketBoundaries: SECONDS } };
  const bytes = { advice: { explicitBucketBoundaries: BYTES } };
  const duration = meter.createHistogram('http.server.request.duration', seconds);
  const requests = meter.createCounter('http.server.requests');
  const inFlight = meter.createUpDownCounter('http.server.active_requests');
  const requestSize = meter.createHistogram('http.server.request.body.size', bytes);
  const responseSize = meter.createHistogram('http.server.response.body.size', bytes);
  return {
    route: (method, route) => (request) => {
      inFlight.add(1);
      const status = CLASSES[Math.floor(request.status / 100)] as string;
      duration.record(request.seconds, { method, route, status });
      requests.add(1, { method, route, status });
      requestSize.record(request.requestBytes, { method, route });
      responseSize.record(request.responseBytes, { method, route });
      inFlight.add(-1);
    },
  };
}
