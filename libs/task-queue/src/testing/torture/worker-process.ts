import { type ChildProcess, spawn } from 'node:child_process';
import { type JournalEntry, JournalReader } from './journal.js';
import { type TortureCommand, type TortureNotice, type TortureWorkerSettings } from './torture-worker.js';

/**
 * The worker runs the copy of this library that the user's module has, which is the one that its definitions and
 * errors come from.
 */
const BOOTSTRAP = `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const settings = JSON.parse(process.argv[1]);
const library = createRequire(settings.module).resolve('@peregrine/task-queue/testing');
const { runTortureWorker } = await import(pathToFileURL(library).href);
await runTortureWorker(settings);
`;

/** Of what a worker prints, the end is kept for messages; characters. */
const OUTPUT_KEPT = 4_000;

/** A worker's process, seen from outside. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #journal: JournalReader;
  readonly #closed: Promise<void>;
  #output = '';
  #reached: 'spawned' | TortureNotice = 'spawned';
  #isGone = false;
  #isWanted = false;
  #hasBegun = false;

  constructor(settings: TortureWorkerSettings, nodeArguments: readonly string[]) {
    this.#journal = new JournalReader(settings.journal);
    const program = ['--input-type=module', '--eval', BOOTSTRAP, JSON.stringify(settings)];
    this.#child = spawn(process.execPath, [...nodeArguments, ...program], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    this.#child.on('close', resolve);
    this.#child.on('exit', () => (this.#isGone = true));
    this.#child.on('error', (error) => (this.#output += String(error)));
    this.#child.on('message', (notice: TortureNotice) => {
      this.#reached = notice;
      if (notice === 'loaded' && this.#isWanted) this.#send({ kind: 'work' });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
      });
    }
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether it ever came to work. */
  get hasWorked(): boolean {
    return this.#reached === 'working';
  }

  /** Whether it has begun a task, as far as `entries` was asked. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output.trim();
  }

  /** What it did since the last time. */
  *entries(): Generator<JournalEntry> {
    for (const entry of this.#journal.entries()) {
      this.#hasBegun = true;
      yield entry;
    }
  }

  /** As soon as it has loaded; to say it again changes nothing. */
  work(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    if (this.#reached === 'loaded') this.#send({ kind: 'work' });
  }

  block(forMs: number): void {
    this.#send({ kind: 'block', forMs });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Lets it close its queue. */
  async stop(timeoutMs: number): Promise<void> {
    this.#send({ kind: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    await this.#closed;
    clearTimeout(timer);
  }

  /** When it is gone. */
  closeJournal(): void {
    this.#journal.close();
  }

  /** It may be gone by now. */
  #send(command: TortureCommand): void {
    if (this.#child.connected) this.#child.send(command, () => undefined);
  }
}
