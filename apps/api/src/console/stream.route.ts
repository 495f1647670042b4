import { type MetricsService } from '@peregrine/metrics';
import { type FastifyInstance } from 'fastify';
import { type ConsoleAccess } from './session/console-access.js';
import { type SnapshotStream } from './snapshot-stream.js';

interface Parts {
  readonly access: ConsoleAccess;
  readonly stream: SnapshotStream;
  readonly metrics: MetricsService;
}

/** The stream of snapshots, for one `EventSource`. */
export function registerStreamRoute(routes: FastifyInstance, { access, stream, metrics }: Parts): void {
  routes.get('/stream', async (request, reply) => {
    const session = await access.requireViewer(request);
    stream.assertRoom();
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    // It lasts as long as somebody looks: among the durations of requests it would be noise, and a "slow request".
    request.timing.finished = true;
    metrics.http.inFlight--;
    stream.add(reply.raw, { expiresAt: session.expiresAt, mayGoOn: () => access.mayGoOn(session) });
  });
}
