import { type Attributes, context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { TierName } from '../cache.options.js';
import type { CacheLoadReason } from '../events/events.js';

const tracer = trace.getTracer('@peregrine/cache');

// Only within a trace, and without keys, which may name people. A hit in memory has no span: it takes less time than one.

/** Looks below memory within a span; without {@link noteHit} it has found nothing. */
export function readSpan<T>(namespace: string, keys: number, read: () => Promise<T>): Promise<T> {
  return cacheSpan(
    'cache read',
    { 'peregrine.cache.namespace': namespace, 'peregrine.cache.keys': keys, 'peregrine.cache.hit': false },
    read,
  );
}

/** Tells the span of a look below memory where it was answered; of several keys, the last one. */
export function noteHit(tier: TierName): void {
  trace.getActiveSpan()?.setAttributes({ 'peregrine.cache.hit': true, 'peregrine.cache.tier': tier });
}

/** Runs a loader within a span: what the loader does is below it. */
export function loadSpan<T>(namespace: string, reason: CacheLoadReason, load: () => Promise<T>): Promise<T> {
  return cacheSpan(
    'cache load',
    { 'peregrine.cache.namespace': namespace, 'peregrine.cache.reason': reason },
    load,
  );
}

function cacheSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return trace.getActiveSpan()?.isRecording() ? within(name, attributes, work) : work();
}

async function within<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  const span = tracer.startSpan(name, { attributes });
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
