/** Servers that are measured. */
export const SERVERS = {
  'node-http': 'node:http from memory',
  peregrine: 'peregrine on node:http',
  'peregrine-fastify': 'peregrine on Fastify',
  nginx: 'nginx, one worker',
  sirv: 'sirv',
  'fastify-static': '@fastify/static',
  'express-static': 'express.static',
} as const;
export type ServerId = keyof typeof SERVERS;

/** A server that listens on this machine. */
export interface RunningServer {
  readonly port: number;
  /** CPU that it has used since its start, microseconds. */
  cpuMicroseconds(): Promise<number>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}
