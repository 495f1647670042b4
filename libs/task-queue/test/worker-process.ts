import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The fixtures are programs of their own, which use the built package. */
export async function buildLibrary(): Promise<void> {
  const tsc = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
  const project = fileURLToPath(new URL('../tsconfig.lib.json', import.meta.url));
  await promisify(execFile)(process.execPath, [tsc, '-b', project]);
}

export interface WorkerProcessInput {
  /** A program in `fixtures/`. */
  readonly fixture: string;
  /** Its only argument, as JSON. */
  readonly settings: object;
  readonly onLine: (line: string) => void;
}

/** A worker in a process of its own. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  /** Resolves when it has ended, whoever ended it, and every line has been read. */
  readonly ended: Promise<unknown>;

  constructor({ fixture, settings, onLine }: WorkerProcessInput) {
    const path = fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url));
    this.#child = spawn(process.execPath, [path, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    createInterface({ input: this.#child.stdout! }).on('line', onLine);
    this.ended = once(this.#child, 'close');
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.ended;
  }
}

/** Replaces its worker whenever that ends, like an orchestrator. */
export class KeptWorker {
  #worker: WorkerProcess;
  readonly #over: Promise<void>;
  #isStopping = false;

  constructor(private readonly input: WorkerProcessInput) {
    this.#worker = new WorkerProcess(input);
    this.#over = this.#keep();
  }

  /** In good order. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#worker.end('SIGTERM');
    await this.#over;
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#worker.ended;
      if (this.#isStopping) return;
      this.#worker = new WorkerProcess(this.input);
    }
  }
}
