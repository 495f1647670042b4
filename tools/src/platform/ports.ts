import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { PortError } from '../tools.errors.ts';

/** What a development platform listens on: this machine only. */
export const LOOPBACK = '127.0.0.1';

/** @returns a port that nobody listened on a moment ago */
export async function findFreePort(): Promise<number> {
  return listenOnce(0);
}

/**
 * @param port 0 is always free
 * @throws {PortError} when it is in use, or only root may listen there
 */
export async function assertPortIsFree(port: number): Promise<void> {
  try {
    await listenOnce(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const advice = 'Choose another port: npm start -- --port <number> (0 for any free port).';
    if (code === 'EADDRINUSE') throw new PortError(`Port ${port} is in use. ${advice}`, { cause: error });
    if (code === 'EACCES')
      throw new PortError(`This user may not listen on port ${port}. ${advice}`, { cause: error });
    throw error;
  }
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer().listen(port, LOOPBACK);
  await once(server, 'listening');
  const { port: actual } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return actual;
}
