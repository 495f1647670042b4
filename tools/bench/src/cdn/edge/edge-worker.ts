import { serveWorker } from '../../harness/worker.ts';
import { startNginxProxy } from '../servers/nginx.ts';
import { startNodeServer } from '../servers/node-server.ts';
import type { EdgeWorkload } from './edge-fixture.ts';
import { runEdgeLoad } from './edge-load.ts';

export interface EdgeInput extends EdgeWorkload {
  readonly isBehindNginx: boolean;
}

/** What the same requests cost behind the edge, or without one. */
export interface EdgeSample {
  readonly originRequests: number;
  /** Of the whole load, microseconds. */
  readonly originCpu: number;
  /** 0 without nginx. */
  readonly nginxCpu: number;
  readonly bytes: number;
}

await serveWorker<EdgeInput, EdgeSample>(async ({ root, requests, isBehindNginx }) => {
  const origin = await startNodeServer('peregrine', root, { isCounting: true });
  const nginx = isBehindNginx ? await startNginxProxy(origin.port) : undefined;
  try {
    // The origin has read and compressed everything once before the edge comes: only the answers are compared.
    await runEdgeLoad(origin.port, requests);
    const requestsBefore = await origin.requests();
    const cpuBefore = await origin.cpuMicroseconds();
    const nginxBefore = (await nginx?.cpuMicroseconds()) ?? 0;
    const bytes = await runEdgeLoad((nginx ?? origin).port, requests);
    return {
      originRequests: (await origin.requests()) - requestsBefore,
      originCpu: (await origin.cpuMicroseconds()) - cpuBefore,
      nginxCpu: ((await nginx?.cpuMicroseconds()) ?? 0) - nginxBefore,
      bytes,
    };
  } finally {
    await nginx?.stop();
    await origin.stop();
  }
});
