import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker';

import type { Payload, Subject } from './contract.ts';

const NAME = 'bench';

/**
 * @param isTuned as its documentation tunes it for throughput: 500 jobs fetched ahead, ends written together. A worker
 *   that dies then leaves all of them to its timeout of four hours.
 */
export async function openGraphileWorker(url: string, isTuned: boolean): Promise<Subject> {
  const logger = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  const runners: Runner[] = [];
  return {
    submit: (it) => utils.addJob(NAME, it),
    submitMany: (all) => utils.addJobs(all.map((payload) => ({ identifier: NAME, payload }))),
    work: async ({ concurrency, handler }) => {
      const worker = {
        connectionString: url,
        concurrentJobs: concurrency,
        maxPoolSize: 12,
        logger,
        ...(isTuned && { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }),
      };
      const taskList = { [NAME]: (payload: unknown) => handler(payload as Payload) };
      runners.push(await run({ preset: { worker }, taskList, noHandleSignals: true }));
    },
    close: async () => {
      await Promise.all(runners.map((it) => it.stop()));
      await utils.release();
    },
  };
}
