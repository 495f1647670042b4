import { type Settings } from '../settings.js';

/** Spans on their way out of the process. */
export interface Tracing {
  /** Sends what has ended, for a bounded time. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Before anything else of the service exists. The SDK is loaded only where spans have somewhere to go: without it the
 * libraries' spans are those of the API, which do nothing.
 *
 * @param service its name among others', unless OTEL_SERVICE_NAME says another
 */
export async function startTracing(
  { tracing }: Pick<Settings, 'tracing'>,
  service: string,
): Promise<Tracing | undefined> {
  const endpoint = tracing.tracesEndpoint ?? tracing.endpoint;
  if (endpoint === undefined) return undefined;
  const { exportSpans } = await import('./span-export.js');
  return exportSpans({ endpoint, service, sampler: tracing.sampler, sampledShare: tracing.sampledShare });
}
