// A thread whose models take each plan for another one; they are judged as all are.
import './source-hooks.mjs';
import { parentPort } from 'node:worker_threads';

const { ModelFit } = await import('../src/plan-choice/model-fit.ts');
const { trainRound } = await import('../src/plan-choice/training-round.ts');

parentPort?.on('message', (job) => {
  const fit = new ModelFit(job.samples, job.planCount, job.prior, job);
  const mixedUp = (model) => model.map((_, plan) => model[(plan + 1) % model.length]);
  parentPort?.postMessage(
    trainRound(job, {
      whole: () => mixedUp(fit.whole()),
      without: (isHeldOut) => mixedUp(fit.without(isHeldOut)),
    }),
  );
});
