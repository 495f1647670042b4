import { fork } from 'node:child_process';
import { once } from 'node:events';

import { endWithProcess } from '../harness/end-with-process.ts';
import { median } from '../harness/statistics.ts';
import { serveWorker } from '../harness/worker.ts';
import { askOnce, runHello } from './hello-load.ts';
import { API_KEY, ASK_CPU, type ServiceId } from './hello-servers.ts';

export interface HelloInput {
  readonly service: ServiceId;
  readonly windowMs: number;
}

/** Of one process: answers a second, CPU of one in microseconds, and how much of that the bare service needs beside it. */
export interface HelloSample {
  readonly rate: number;
  readonly cpu: number;
  readonly ratio: number;
}

/** In turn with those of the bare service. */
const WINDOWS = 6;

interface Service {
  measure(forMs: number): Promise<{ readonly rate: number; readonly cpu: number }>;
  stop(): Promise<void>;
}

await serveWorker<HelloInput, HelloSample>(async ({ service, windowMs }) => {
  // A busy machine changes by the second: only what is measured in the same one is comparable.
  const [bare, own] = [await start('bare'), await start(service)];
  try {
    await bare.measure(4 * windowMs);
    await own.measure(4 * windowMs);
    const windows = [];
    for (let i = 0; i < WINDOWS; i++) {
      windows.push({ own: await own.measure(windowMs), bare: await bare.measure(windowMs) });
    }
    return {
      rate: median(windows.map((it) => it.own.rate)),
      cpu: median(windows.map((it) => it.own.cpu)),
      ratio: median(windows.map((it) => it.bare.cpu / it.own.cpu)),
    };
  } finally {
    await bare.stop();
    await own.stop();
  }
});

async function start(service: ServiceId): Promise<Service> {
  const child = fork(new URL('hello-process.ts', import.meta.url), [service], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithProcess(child);
  const ended = once(child, 'exit');
  const [port] = (await once(child, 'message')) as [number];
  const request = `GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${API_KEY}\r\n\r\n`;
  await askOnce(port, request);
  const cpuSoFar = async () => {
    const told = once(child, 'message') as Promise<[number]>;
    child.send(ASK_CPU);
    return (await told)[0];
  };
  return {
    measure: async (forMs) => {
      const [cpuBefore, startedAt] = [await cpuSoFar(), performance.now()];
      const answers = await runHello(port, request, forMs);
      const seconds = (performance.now() - startedAt) / 1_000;
      return { cpu: ((await cpuSoFar()) - cpuBefore) / answers, rate: answers / seconds };
    },
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
