import { fork } from 'node:child_process';
import { once } from 'node:events';

import { endWithProcess } from '../../harness/end-with-process.ts';
import type { RunningServer, ServerId } from './contract.ts';
import { COUNT_REQUESTS, type NodeServerFigures } from './node-server-figures.ts';

/** A server that knows how often it was asked. */
export interface RunningNodeServer extends RunningServer {
  requests(): Promise<number>;
}

/** Starts a server of Node in a process of its own. */
export async function startNodeServer(
  server: ServerId,
  root: string,
  { isCounting = false } = {},
): Promise<RunningNodeServer> {
  const args = [server, root, ...(isCounting ? [COUNT_REQUESTS] : [])];
  const child = fork(new URL('node-server-process.ts', import.meta.url), args, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // As in production: Express keeps views and etags anew in development.
    env: { ...process.env, NODE_ENV: 'production' },
    // Express writes to stderr what it answers with 4xx.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  endWithProcess(child);
  const ended = once(child, 'exit');
  const [port] = (await once(child, 'message')) as [number];
  const figures = async (): Promise<NodeServerFigures> => {
    const answer = once(child, 'message') as Promise<[NodeServerFigures]>;
    child.send('figures');
    return (await answer)[0];
  };
  return {
    port,
    cpuMicroseconds: async () => (await figures()).cpuMicroseconds,
    requests: async () => (await figures()).requests,
    ended,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
