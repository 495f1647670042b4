import { join } from 'node:path';

import { ROOT } from '../paths.ts';
import type { Reporter } from '../reporter.ts';
import { AppProcess } from './app-process.ts';
import type { DevProcess } from './dev-file.ts';
import { LogFile } from './log-file.ts';
import { Supervisor } from './supervisor.ts';

/** The apps end by themselves within SHUTDOWN_TIMEOUT_MS, or this when it is unset; then they get some more. */
const DEFAULT_SHUTDOWN_MS = 30_000;
const SHUTDOWN_GRACE_MS = 5_000;

export interface AppsOptions {
  /** Of the api. */
  readonly port: number;
  readonly workers: number;
  /** Without PORT. */
  readonly environment: NodeJS.ProcessEnv;
  readonly logFolder: string;
  readonly reporter: Reporter;
  /** Aborted: stopping must not wait. */
  readonly force: AbortSignal;
  /** A process was lost, or is back. */
  readonly onChange: () => void;
}

/** The api and its workers, kept running. */
export class Apps {
  private readonly options: AppsOptions;
  private readonly supervisors: Supervisor<AppProcess>[] = [];
  private readonly logs: LogFile[] = [];
  private apiUrl = '';

  constructor(options: AppsOptions) {
    this.options = options;
  }

  /** Where the api answers; the same over its restarts. */
  get url(): string {
    return this.apiUrl;
  }

  get processes(): DevProcess[] {
    return this.supervisors.flatMap(({ name, current }) =>
      current ? [{ name, pid: current.pid, url: current.url }] : [],
    );
  }

  /** Resolves when one of them cannot be kept running. Never rejects. */
  get failed(): Promise<Error> {
    return Promise.race(this.supervisors.map((it) => it.failed));
  }

  /** The api first: a wrong setting is reported once. When it fails, `stop` ends what was started. */
  async start(signal: AbortSignal): Promise<void> {
    const { port, workers, reporter } = this.options;
    await reporter.step('API', async (rename) => {
      const state = { port };
      const api = await this.startOne('api', 'apps/api/dist/main.js', state, signal);
      this.apiUrl = api.url;
      // A restart must be found where the first one was.
      state.port = Number(new URL(api.url).port);
      rename(`API on ${api.url}`);
    });
    if (workers === 0) return;
    await reporter.step(workers === 1 ? 'Worker' : `${workers} workers`, () =>
      Promise.all(
        Array.from({ length: workers }, (_, index) =>
          this.startOne(`worker-${index + 1}`, 'apps/worker/dist/main.js', { port: 0 }, signal),
        ),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.supervisors.map((it) => it.stop()));
    await Promise.all(this.logs.map((it) => it.close()));
  }

  private startOne(
    name: string,
    script: string,
    state: { readonly port: number },
    interrupt: AbortSignal,
  ): Promise<AppProcess> {
    const { environment, logFolder, reporter, force, onChange } = this.options;
    const log = new LogFile(join(logFolder, `${name}.log`));
    this.logs.push(log);
    const supervisor = new Supervisor<AppProcess>({
      name,
      onChange,
      tail: () => log.tail,
      warn: (message) => reporter.warn(message),
      start: (unwanted) =>
        AppProcess.start({
          name,
          script: join(ROOT, script),
          environment: { ...environment, ...portsOf(environment, state.port) },
          log,
          show: (text) => reporter.print(`${name}: ${text}`),
          stopTimeoutMs: this.stopTimeoutMs,
          signal: AbortSignal.any([unwanted, interrupt]),
          force,
        }),
    });
    this.supervisors.push(supervisor);
    return supervisor.start();
  }

  private get stopTimeoutMs(): number {
    const given = Number(this.options.environment['SHUTDOWN_TIMEOUT_MS'] ?? DEFAULT_SHUTDOWN_MS);
    return given + SHUTDOWN_GRACE_MS;
  }
}

/** A worker takes any port, for its figures too: a port that is named is the api's. */
function portsOf({ METRICS_PORT }: NodeJS.ProcessEnv, port: number): NodeJS.ProcessEnv {
  return { PORT: String(port), ...(METRICS_PORT && port === 0 ? { METRICS_PORT: '0' } : {}) };
}
