import { fork } from 'node:child_process';

import { BenchWorkerError } from '../bench.errors.ts';
import { endWithProcess } from './end-with-process.ts';

const TIMEOUT_MS = 180_000;
const STDERR_TAIL = 4_000;

/** From the worker: it stands ready, it is done, or it failed. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly message: string };

export interface WorkerOptions {
  /** Runs while the worker waits in `whenTold`: to kill its Redis, or to let several start at once. */
  readonly onReady?: () => Promise<void>;
}

/**
 * Measures in a process of its own, so that neither compiled code nor garbage of one library weighs on the next.
 *
 * @param file module that calls `serveWorker`
 * @param input what the module's function gets; cloned
 * @throws {BenchWorkerError} when it fails, ends early or takes longer than three minutes
 */
export function runWorker<Result>(file: URL, input: unknown, options: WorkerOptions = {}): Promise<Result> {
  const worker = fork(file, {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  endWithProcess(worker);
  let said = '';
  worker.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-STDERR_TAIL)));
  return new Promise<Result>((resolve, reject) => {
    const fail = (message: string) => reject(new BenchWorkerError(`${message}\n${said}`.trim()));
    const timer = setTimeout(() => fail(`${file.pathname}: no result in ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    worker.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`${file.pathname} ended early with ${signal ?? code}`);
    });
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'result') resolve(message.value as Result);
      else if (message.kind === 'error') fail(message.message);
      else void (options.onReady?.() ?? Promise.resolve()).then(() => worker.send('go'), reject);
    });
    worker.send({ input });
  }).finally(() => {
    // Clients whose Redis is gone hold the process open for ever.
    worker.kill('SIGKILL');
  });
}

/** Resolves for all when as many as `count` have come. */
export function meetingPoint(count: number): () => Promise<void> {
  const all = Promise.withResolvers<void>();
  let arrived = 0;
  return () => {
    if (++arrived === count) all.resolve();
    return all.promise;
  };
}
