import { SpanStatusCode, trace } from '@opentelemetry/api';
import { type QueryPriority } from '../pool/query-priority.js';

const tracer = trace.getTracer('@peregrine/query-optimizer');

/** A span for a caller that has to wait for a connection, within a trace. Who gets one at once has none. */
export async function poolWaitSpan<T>(priority: QueryPriority, wait: () => Promise<T>): Promise<T> {
  if (!trace.getActiveSpan()?.isRecording()) return wait();
  const span = tracer.startSpan('wait for a connection', {
    attributes: { 'peregrine.pool.priority': priority },
  });
  try {
    return await wait();
  } catch (error) {
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
