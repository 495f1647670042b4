import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** How a process ended, and what it said. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

/** What was built of an app, from the root of the repository. */
export function programOf(app: 'api' | 'worker'): string {
  return `apps/${app}/dist/main.js`;
}

/** A built app or a tool, run as an image runs it: a process of its own with an environment of its own. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #output = '';

  /** @param program from the root of the repository */
  constructor(program: string, env: Record<string, string>, args: readonly string[] = []) {
    this.#child = spawn(process.execPath, [program, ...args], {
      cwd: ROOT,
      // Nothing of the test's own environment but what a program needs to run at all.
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#ended = once(this.#child, 'close').then(([code, signal]: unknown[]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      output: this.#output,
    }));
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The address, once it listens. Rejects with the output when the process ends before. */
  listening(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (message: { type: string; url: string }) => {
        if (message.type === 'listening') resolve(message.url);
      });
      void this.#ended.then(({ output }) =>
        reject(new Error(`The process ended before it listened:\n${output}`)),
      );
    });
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }
}

/** Runs the migrations that an image runs. */
export async function migrate(databaseUrl: string): Promise<void> {
  const child = spawn(process.execPath, ['migrations/dist/cli.js'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`The migrations failed: ${errors}`);
}
