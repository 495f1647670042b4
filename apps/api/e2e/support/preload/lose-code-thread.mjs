// Loaded with --import into a built app: while the file LOSE_FILE is there, a thread that is to compare codes ends instead.
import { existsSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

const { Worker } = workerThreads;

workerThreads.Worker = class extends Worker {
  #isCodeThread;

  constructor(program, options) {
    super(program, options);
    this.#isCodeThread = String(program).endsWith('/code-worker.js');
  }

  postMessage(...message) {
    if (this.#isCodeThread && existsSync(process.env.LOSE_FILE ?? '')) void this.terminate();
    super.postMessage(...message);
  }
};
syncBuiltinESMExports();
