import { Agent, request as ask } from 'node:http';

import type { EdgeRequest } from './edge-fixture.ts';

const CONNECTIONS = 32;

/**
 * Sends every request once, on 32 connections, each the next as soon as one is answered.
 *
 * @returns bytes of all bodies
 * @throws {Error} on an answer that is not 200
 */
export async function runEdgeLoad(port: number, requests: readonly EdgeRequest[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  let bytes = 0;
  const walk = async () => {
    for (let one = requests[next++]; one !== undefined; one = requests[next++]) {
      const sizeBytes = await sizeOf(agent, port, one);
      bytes += sizeBytes;
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, walk));
  } finally {
    agent.destroy();
  }
  return bytes;
}

function sizeOf(agent: Agent, port: number, { path, acceptEncoding }: EdgeRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'edge.test', 'Accept-Encoding': acceptEncoding };
    const request = ask({ agent, host: '127.0.0.1', port, path, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path}: status ${response.statusCode}`));
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.once('end', () => resolve(bytes)).once('error', reject);
    });
    request.once('error', reject).end();
  });
}
