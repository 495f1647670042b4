import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The trace that this code works for; undefined outside of one. */
export function currentTraceId(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? span.traceId : undefined;
}
