import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drainOnSignals, HealthDrainAfterListenError, HealthService } from '../src/index.js';
import { createProbeApp, portOf } from './probe-app.js';

jest.setTimeout(60_000);

let app: NestFastifyApplication;
let dependency: Server;
let url: string;

async function listen(port: number): Promise<void> {
  dependency = createServer((_request, response) => response.end());
  dependency.listen(port, '127.0.0.1');
  await once(dependency, 'listening');
}

async function probe(path: string): Promise<{ status: number; body: unknown; cacheControl: string | null }> {
  const response = await fetch(url + path);
  return {
    status: response.status,
    body: await response.json(),
    cacheControl: response.headers.get('cache-control'),
  };
}

beforeAll(async () => {
  await listen(0);
  const { port } = dependency.address() as AddressInfo;
  const check = async (signal: AbortSignal): Promise<void> => {
    await fetch(`http://127.0.0.1:${port}`, { signal, headers: { connection: 'close' } });
  };
  app = await createProbeApp([{ name: 'dependency', criticality: 'critical', intervalMs: 1, check }]);
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${portOf(app)}`;
});

afterAll(async () => {
  await app.close();
  dependency.close();
});

describe('the probes', () => {
  it('answer outside of the global prefix, and nowhere else', async () => {
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/api/v1/health/live`)).status).toBe(404);
  });

  it('say starting until the application has started', async () => {
    expect(await probe('/health/startup')).toMatchObject({ status: 503, body: { status: 'starting' } });
    expect(await probe('/health/ready')).toMatchObject({ status: 503, body: { status: 'starting' } });
    app.get(HealthService).markStarted();
    expect(await probe('/health/startup')).toEqual({
      status: 200,
      body: { status: 'up', checks: {} },
      cacheControl: 'no-store',
    });
  });

  it('show every check at a glance', async () => {
    const age = expect.any(Number);
    expect(await probe('/health')).toEqual({
      status: 200,
      body: {
        status: 'up',
        checks: {
          'event-loop': { status: 'up', checkedMsAgo: age },
          heap: { status: 'up', checkedMsAgo: age },
          process: { status: 'up', checkedMsAgo: age },
          dependency: { status: 'up', checkedMsAgo: age },
        },
      },
      cacheControl: 'no-store',
    });
  });

  it('follow a dependency that goes and comes back, while liveness stays', async () => {
    const { port } = dependency.address() as AddressInfo;
    dependency.close();
    await once(dependency, 'close');
    while ((await probe('/health/ready')).status === 200);
    expect(await probe('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'down', checks: { dependency: { status: 'down' } } },
    });
    expect(await probe('/health/live')).toMatchObject({ status: 200, body: { status: 'up' } });
    await listen(port);
    while ((await probe('/health/ready')).status === 503);
    expect(await probe('/health/ready')).toMatchObject({ status: 200, body: { status: 'up' } });
  });

  it('refuse to drain an application that listens already', () => {
    const log = { log: () => undefined, error: () => undefined };
    expect(() => drainOnSignals(app, { health: app.get(HealthService), log })).toThrow(
      HealthDrainAfterListenError,
    );
  });
});
