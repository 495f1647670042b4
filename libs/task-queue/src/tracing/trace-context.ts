import { type Context, context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';

/** A place in a trace as it is kept with a task: the headers of https://www.w3.org/TR/trace-context/. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Where the calling code is; undefined outside of a trace, and without an SDK. Nothing else is carried, no baggage. */
export function currentTrace(): TraceContext | undefined {
  const active = context.active();
  if (!trace.getSpanContext(active)) return undefined;
  const { traceparent, tracestate }: Record<string, string> = headersOf(active);
  return traceparent === undefined ? undefined : { traceparent, ...(tracestate && { tracestate }) };
}

/** Where the code that submitted a task was; what is no trace context is none. */
export function contextOf(submitted: TraceContext | undefined): Context {
  return submitted ? propagation.extract(ROOT_CONTEXT, submitted) : ROOT_CONTEXT;
}

/** On one line, for a column. */
export function traceText({ traceparent, tracestate }: TraceContext): string {
  return tracestate === undefined ? traceparent : `${traceparent} ${tracestate}`;
}

/** Of any text: what is no trace context leads nowhere. */
export function traceOf(text: string): TraceContext {
  const [traceparent = '', ...rest] = text.split(' ');
  return rest.length === 0 ? { traceparent } : { traceparent, tracestate: rest.join(' ') };
}

function headersOf(active: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(active, headers);
  return headers;
}
