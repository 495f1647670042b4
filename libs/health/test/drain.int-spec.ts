import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventEmitter, once } from 'node:events';
import { Agent, type Server } from 'node:http';
import { connect } from 'node:net';
import { type Drain, type DrainProcess, drainOnSignals, HealthService } from '../src/index.js';
import { get, requestUntilRefused } from './client.js';
import { createProbeApp, Gate, portOf } from './probe-app.js';

/** `process` as far as draining sees it: signals are emitted, and `exit` is remembered. */
class FakeProcess extends EventEmitter implements DrainProcess {
  readonly exitCodes: number[] = [];

  constructor(readonly connected?: boolean) {
    super();
  }

  exit(code: number): void {
    this.exitCodes.push(code);
    this.emit('exited');
  }
}

interface Fixture {
  readonly app: NestFastifyApplication;
  readonly process: FakeProcess;
  readonly drain: Drain;
  readonly messages: string[];
}

// A drain takes seconds by design, and more on a busy machine.
jest.setTimeout(60_000);

const agents: Agent[] = [];
const apps: NestFastifyApplication[] = [];

function keepAliveAgent(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

async function start(drainMs: number, host = '127.0.0.1', timeoutMs = 60_000): Promise<Fixture> {
  const app = await createProbeApp([]);
  apps.push(app);
  const process = new FakeProcess();
  const messages: string[] = [];
  const log = { log: (line: string) => messages.push(line), error: (line: string) => messages.push(line) };
  const health = app.get(HealthService);
  const drain = drainOnSignals(app, { health, drainMs, timeoutMs, log, process });
  await app.listen(0, host);
  health.markStarted();
  return { app, process, drain, messages };
}

async function endOf({ process }: Fixture): Promise<number | undefined> {
  if (process.exitCodes.length === 0) await once(process, 'exited');
  return process.exitCodes[0];
}

afterEach(async () => {
  Gate.open();
  for (const agent of agents.splice(0)) agent.destroy();
  for (const app of apps.splice(0)) await app.close();
});

describe('drainOnSignals', () => {
  it('fails no request under continuous load', async () => {
    const fixture = await start(300);
    const port = portOf(fixture.app);
    const clients = Array.from({ length: 32 }, () => requestUntilRefused(port, '/api/v1/work'));
    await get(port, '/api/v1/work', keepAliveAgent());
    fixture.process.emit('SIGTERM');
    const runs = await Promise.all(clients);
    expect(await endOf(fixture)).toBe(0);
    const answers = runs.flatMap((run) => run.answers);
    expect(runs.flatMap((run) => run.failures)).toEqual([]);
    expect(answers.length).toBeGreaterThan(clients.length);
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    expect(runs.map((run) => run.answers.at(-1)?.connection)).toEqual(runs.map(() => 'close'));
  });

  it('answers a request in flight before it closes the pools, and asks its client to leave', async () => {
    const fixture = await start(0);
    const port = portOf(fixture.app);
    const arrival = Gate.arrival();
    const slow = get(port, '/api/v1/work/slow', keepAliveAgent());
    await arrival;
    const server: Server = fixture.app.getHttpServer();
    fixture.process.emit('SIGTERM');
    while (server.listening) await new Promise((resolve) => setImmediate(resolve));
    expect(Gate.poolClosed).toBe(false);
    Gate.open();
    expect(await slow).toEqual({ status: 200, connection: 'close', body: '{"done":true}' });
    expect(await endOf(fixture)).toBe(0);
    expect(Gate.poolClosed).toBe(true);
  });

  it('still serves a connection that was idle when the listener closed', async () => {
    const fixture = await start(0);
    const port = portOf(fixture.app);
    const idle = keepAliveAgent();
    await get(port, '/api/v1/work', idle);
    const arrival = Gate.arrival();
    const slow = get(port, '/api/v1/work/slow', keepAliveAgent());
    await arrival;
    const server: Server = fixture.app.getHttpServer();
    fixture.process.emit('SIGTERM');
    while (server.listening) await new Promise((resolve) => setImmediate(resolve));
    expect(await get(port, '/api/v1/work', idle)).toMatchObject({ status: 200, connection: 'close' });
    Gate.open();
    await slow;
    expect(await endOf(fixture)).toBe(0);
  });

  it('answers readiness with 503 while the listener is still open', async () => {
    const fixture = await start(200);
    const port = portOf(fixture.app);
    expect(await get(port, '/health/ready', keepAliveAgent())).toMatchObject({ status: 200 });
    fixture.process.emit('SIGTERM');
    const answer = await get(port, '/health/ready', keepAliveAgent());
    expect(answer).toMatchObject({ status: 503, body: '{"status":"draining","checks":{}}' });
    expect(await get(port, '/health/live', keepAliveAgent())).toMatchObject({ status: 200 });
    expect(await endOf(fixture)).toBe(0);
  });

  it('does not wait for a connection that never sends a request', async () => {
    const fixture = await start(0);
    const socket = connect(portOf(fixture.app), '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => socket.destroy());
    fixture.process.emit('SIGTERM');
    expect(await endOf(fixture)).toBe(0);
    socket.destroy();
  });

  it('ends with exit code 1 and a message when a request outlives the time limit', async () => {
    const fixture = await start(0, '127.0.0.1', 50);
    const arrival = Gate.arrival();
    const slow = get(portOf(fixture.app), '/api/v1/work/slow', keepAliveAgent());
    await arrival;
    fixture.process.emit('SIGTERM');
    expect(await endOf(fixture)).toBe(1);
    expect(fixture.messages.at(-1)).toBe(
      'Shutdown did not finish within 50 ms: 1 requests are still in flight',
    );
    Gate.open();
    await slow;
    await fixture.drain.start('again');
    expect(fixture.process.exitCodes).toEqual([1]);
  });

  it('drains when the parent process is gone', async () => {
    const fixture = await start(0);
    fixture.process.emit('disconnect');
    expect(await endOf(fixture)).toBe(0);
    expect(fixture.messages[0]).toBe('Shutting down (the parent process is gone): draining for 0 ms');
  });
});
