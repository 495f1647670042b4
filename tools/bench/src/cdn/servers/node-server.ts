import { fork } from 'node:child_process';
import { once } from 'node:events';

import { endWithProcess } from '../../harness/end-with-process.ts';
import type { RunningServer, ServerId } from './contract.ts';

/** To the child: how much CPU so far? */
export const ASK_CPU = 'cpu';

/** Starts a server of Node in a process of its own. */
export async function startNodeServer(server: ServerId, root: string): Promise<RunningServer> {
  const child = fork(new URL('node-server-process.ts', import.meta.url), [server, root], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // As in production: Express keeps views and etags anew in development.
    env: { ...process.env, NODE_ENV: 'production' },
    // Express writes to stderr what it answers with 4xx.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  endWithProcess(child);
  const ended = once(child, 'exit');
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    cpuMicroseconds: async () => {
      const answer = once(child, 'message') as Promise<[number]>;
      child.send(ASK_CPU);
      return (await answer)[0];
    },
    ended,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
