import type { RunningServer, ServerId } from './contract.ts';
import { startNginx } from './nginx.ts';
import { startNodeServer } from './node-server.ts';

/** Starts a server on a folder, in a process of its own. */
export function startServer(server: ServerId, root: string): Promise<RunningServer> {
  return server === 'nginx' ? startNginx(root) : startNodeServer(server, root);
}
