import { Worker } from 'node:worker_threads';
import { CodeThreadLostError } from '../retrieval.errors.js';
import { type CodeScan, type ScannedCodes } from './scan-codes.js';

/** Scans codes in a thread, which is made when it is first needed and again when it was lost. */
export class CodeThread {
  readonly #program: URL;
  readonly #waiting = new Map<number, PromiseWithResolvers<ScannedCodes>>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(program?: URL) {
    this.#program = program ?? new URL('./code-worker.js', import.meta.url);
  }

  /** @throws {CodeThreadLostError} when the thread ended meanwhile */
  scan(scan: CodeScan): Promise<ScannedCodes> {
    const answer = Promise.withResolvers<ScannedCodes>();
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    this.#waiting.set(id, answer);
    worker.ref();
    worker.postMessage({ id, scan });
    return answer.promise;
  }

  /** Ends the thread; what waits is rejected. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#program, { env: {}, execArgv: [] });
    worker.on('message', ({ id, found }: { id: number; found: ScannedCodes }) => {
      this.#waiting.get(id)?.resolve(found);
      this.#waiting.delete(id);
      // An idle thread holds no process up.
      if (this.#waiting.size === 0) worker.unref();
    });
    let cause: unknown;
    worker.once('error', (error) => {
      cause = error;
    });
    worker.once('exit', () => {
      this.#worker = undefined;
      const lost = new CodeThreadLostError({ cause });
      for (const { reject } of this.#waiting.values()) reject(lost);
      this.#waiting.clear();
    });
    return worker;
  }
}
