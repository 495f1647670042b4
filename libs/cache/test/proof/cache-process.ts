import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CacheOptionsInput } from '../../src/index.js';
import { until } from '../until.js';

/** From the parent to the child. */
export interface ChildCommand {
  readonly id: number;
  readonly verb: string;
  readonly args: readonly unknown[];
}
/** From the child to the parent. */
export type ChildReport =
  | { readonly ready: true }
  | { readonly loading: string; readonly fence?: number | undefined }
  | { readonly id: number; readonly value?: unknown; readonly error?: string };

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A cache in a process of its own, which can be killed and stopped. Needs Redis to be there. */
export class CacheProcess {
  /** Loads that were started in it. */
  readonly loads: { readonly key: string; readonly fence: number | undefined }[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #ids = 0;
  #ready = false;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (report: ChildReport) => this.#hear(report));
    child.on('exit', () => {
      for (const it of this.#waiting.values()) it.reject(new Error('the process has ended'));
    });
  }

  static async start(options: CacheOptionsInput, preload: readonly string[] = []): Promise<CacheProcess> {
    const imports = ['typescript-preload.mjs', ...preload].flatMap((name) => ['--import', path(name)]);
    const child = fork(path('cache-child.ts'), [JSON.stringify(options)], {
      execArgv: ['--conditions=@peregrine/source', '--expose-gc', ...imports],
      env: { ...process.env, NODE_OPTIONS: '' },
      serialization: 'advanced',
    });
    const started = new CacheProcess(child);
    await until(() => {
      if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode}`);
      return started.#ready;
    });
    if (options.redis !== undefined) await started.connected();
    return started;
  }

  /** Uses Redis and hears the others. */
  async connected(): Promise<void> {
    await until(async () => {
      const { available, subscribed } = (await this.call('redis')) as Record<string, boolean>;
      return available === true && subscribed === true;
    });
  }

  call(verb: string, ...args: readonly unknown[]): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(++this.#ids, waiting);
    this.child.send({ id: this.#ids, verb, args } satisfies ChildCommand);
    return waiting.promise;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  #hear(report: ChildReport): void {
    if ('ready' in report) this.#ready = true;
    else if ('loading' in report) this.loads.push({ key: report.loading, fence: report.fence });
    else {
      const waiting = this.#waiting.get(report.id);
      this.#waiting.delete(report.id);
      if (report.error === undefined) waiting?.resolve(report.value);
      else waiting?.reject(new Error(report.error));
    }
  }
}
