import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../probe-app.js';
import { WorkerProcess } from '../../worker-process.js';
import { type ProofStore } from './proof-stores.js';

export interface CallInput {
  readonly verb: 'redrive' | 'purge' | 'cancel';
  readonly ids?: readonly string[];
}

/** Makes a call in a process of its own, and kills that some time after so many steps. @returns whether it was in time */
export async function killInTheMiddle(
  { backend, prefix }: ProofStore,
  call: CallInput,
  after: { readonly steps: number; readonly ms: number },
): Promise<boolean> {
  const heard: string[] = [];
  const caller = new WorkerProcess({
    fixture: '../proof/harness/proof-caller.mjs',
    settings: { backend, prefix, ...call },
    onLine: (line) => heard.push(line),
  });
  await until(() => heard.length > after.steps || heard.includes('ended'));
  await sleep(after.ms);
  await caller.end('SIGKILL');
  return !heard.includes('ended');
}
