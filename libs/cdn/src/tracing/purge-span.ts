import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { type PurgeRequest } from '../providers/purge-provider.js';

const tracer = trace.getTracer('@peregrine/cdn');

/** Sends a purge within a span. How much is purged is told, and not what: paths and tags may name people. */
export async function purgeSpan(
  provider: string,
  { kind, values }: PurgeRequest,
  send: () => Promise<void>,
): Promise<void> {
  const span = tracer.startSpan(`purge ${provider}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'peregrine.purge.provider': provider,
      'peregrine.purge.kind': kind,
      'peregrine.purge.values': values.length,
    },
  });
  try {
    await context.with(trace.setSpan(context.active(), span), send);
  } catch (error) {
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** `traceparent` of the calling code, where it is traced: https://www.w3.org/TR/trace-context/ */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}
