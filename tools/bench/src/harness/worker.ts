import { once } from 'node:events';

import type { WorkerMessage } from './worker-process.ts';

const send = (message: WorkerMessage) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, {}, () => resolve()) ?? resolve());

/** The worker's side of `runWorker`: takes the input, sends the result. The parent ends the process. */
export async function serveWorker<Input, Result>(work: (input: Input) => Promise<Result>): Promise<void> {
  // A peer may reject where nobody listens; that is a finding of the probes and no end of the measurement.
  process.on('unhandledRejection', (error) => console.error('unhandled:', error));
  const [{ input }] = (await once(process, 'message')) as [{ input: Input }];
  try {
    await send({ kind: 'result', value: await work(input) });
  } catch (error) {
    await send({
      kind: 'error',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

/** Tells the parent that everything is set up, and waits for its word. */
export async function whenTold(): Promise<void> {
  const told = once(process, 'message');
  await send({ kind: 'ready' });
  await told;
}
