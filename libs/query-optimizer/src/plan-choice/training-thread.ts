import { Worker } from 'node:worker_threads';
import { QueryPlannerThreadLostError } from '../query-optimizer.errors.js';
import { buffersOf } from './sample-log.js';
import { type TrainingJob, type TrainingResult } from './training-round.js';

/** Trains in a thread, one job at a time. It is made when it is first needed, and again when it was lost. */
export class TrainingThread {
  readonly #program: URL;
  #worker: Worker | undefined;
  #waiting: PromiseWithResolvers<TrainingResult> | undefined;

  constructor(program?: URL) {
    this.#program = program ?? new URL('./training-worker.js', import.meta.url);
  }

  /** Takes the samples with it. @throws {QueryPlannerThreadLostError} when the thread ended meanwhile */
  train(job: TrainingJob): Promise<TrainingResult> {
    this.#waiting = Promise.withResolvers();
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    worker.postMessage(job, buffersOf(job.samples));
    return this.#waiting.promise;
  }

  /** Ends the thread; what it was doing is rejected. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#program, { env: {}, execArgv: [] });
    let cause: unknown;
    worker.on('message', (result: TrainingResult) => {
      // An idle thread holds no process up.
      worker.unref();
      this.#waiting?.resolve(result);
    });
    worker.once('error', (error) => {
      cause = error;
    });
    worker.once('exit', () => {
      this.#worker = undefined;
      this.#waiting?.reject(new QueryPlannerThreadLostError({ cause }));
    });
    return worker;
  }
}
