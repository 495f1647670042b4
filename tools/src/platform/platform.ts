import { setTimeout as delay } from 'node:timers/promises';

import { build } from '../build.ts';
import type { Reporter } from '../reporter.ts';
import { InterruptedError } from '../tools.errors.ts';
import { Apps } from './apps.ts';
import { DataFolder } from './data-folder.ts';
import { migrate } from './database-migrations.ts';
import { type DevFile, readDevFile, removeDevFile, writeDevFile } from './dev-file.ts';
import { ensureDevelopmentKey } from './development-key.ts';
import { assertEnvironmentIsValid, describeEnvironment } from './environment.ts';
import { writePrivateJson } from './json-file.ts';
import { assertPortIsFree } from './ports.ts';
import { startTimeOf } from './process-identity.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { Services } from './services.ts';

/** Longer than the apps of a killed platform may take to drain. */
const PREVIOUS_RUN_MS = 40_000;
const POLL_MS = 100;

export interface PlatformOptions {
  /** Absolute. */
  readonly dataFolder: string;
  /** Of the api; 0 for any free port. */
  readonly port: number;
  /** Processes that run background tasks. @default 1 */
  readonly workers?: number;
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv;
  readonly reporter: Reporter;
  /** False: what was built before is used as it is. @default true */
  readonly build?: boolean;
  /** Aborted: give up the start. Has no effect afterwards. */
  readonly signal?: AbortSignal;
  /** Aborted: stop at once, without waiting for work in flight. */
  readonly force?: AbortSignal;
}

/** A whole platform on this machine, as children of this process. */
export interface Platform {
  /** As in `<data>/dev.json`, up to date over restarts. */
  readonly dev: DevFile;
  /** Resolves when a part cannot be kept running. Never rejects; stopping is left to the caller. */
  readonly failed: Promise<Error>;
  /** Ends the apps, then Redis, then PostgreSQL. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Builds, starts what is missing, migrates, starts the apps. When it fails, nothing is left running.
 *
 * @throws {PortError} {@link DataFolderError} {@link BuildError} {@link ProcessStartError}
 * @throws {InterruptedError} when `signal` was aborted
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const platform = new LocalPlatform(options);
  try {
    await platform.start();
    return platform;
  } catch (error) {
    await platform.stop();
    throw options.signal?.aborted ? new InterruptedError() : error;
  }
}

class LocalPlatform implements Platform {
  private readonly options: PlatformOptions;
  private readonly environment: NodeJS.ProcessEnv;
  private readonly signal: AbortSignal;
  private readonly force: AbortSignal;
  private folder: DataFolder | undefined;
  private services: Services | undefined;
  private apps: Apps | undefined;
  private description: DevFile | undefined;
  private writing: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | undefined;

  constructor(options: PlatformOptions) {
    this.options = options;
    this.environment = options.environment ?? process.env;
    this.signal = options.signal ?? new AbortController().signal;
    this.force = options.force ?? new AbortController().signal;
  }

  get dev(): DevFile {
    if (!this.description) throw new Error('The platform has not started');
    return this.description;
  }

  get failed(): Promise<Error> {
    const parts = [this.services?.failed, this.apps?.failed];
    return Promise.race(parts.filter((it) => it !== undefined));
  }

  async start(): Promise<void> {
    const { environment, signal } = this;
    const { reporter, port, dataFolder } = this.options;
    const folder = (this.folder = await DataFolder.open(dataFolder));
    await this.awaitPreviousRun(folder);
    await assertPortIsFree(port);
    if (this.options.build !== false) await reporter.step('Build', () => build({ signal }));
    await assertEnvironmentIsValid(environment);
    const secrets = await loadSecrets(folder.secretsFile);
    const services = (this.services = await this.provideServices(folder));
    this.throwIfInterrupted();
    await this.runMigrations(services.databaseUrl);
    this.throwIfInterrupted();
    this.apps = this.prepareApps(folder, services, secrets);
    await this.apps.start(signal);
    await this.describe(folder, services, this.apps.url, secrets);
  }

  stop(): Promise<void> {
    return (this.stopping ??= this.stopAll());
  }

  private async stopAll(): Promise<void> {
    await this.apps?.stop();
    await this.services?.stop();
    if (!this.folder) return;
    await this.writing;
    await removeDevFile(this.folder.devFile);
    await this.folder.close();
  }

  /** A killed platform leaves processes that end by themselves, but not at once: they still hold the port. */
  private async awaitPreviousRun(folder: DataFolder): Promise<void> {
    const previous = await readDevFile(folder.devFile);
    await removeDevFile(folder.devFile);
    const pids = previous?.processes.map(({ pid }) => pid) ?? [];
    const isRunning = async () => (await Promise.all(pids.map(startTimeOf))).some((it) => it !== undefined);
    if (!(await isRunning())) return;
    await this.options.reporter.step('Waiting for the end of a run that was killed', async () => {
      const deadline = performance.now() + PREVIOUS_RUN_MS;
      while (performance.now() < deadline && (await isRunning())) {
        this.throwIfInterrupted();
        await delay(POLL_MS);
      }
    });
  }

  private provideServices(folder: DataFolder): Promise<Services> {
    return Services.provide({
      environment: this.environment,
      postgresFolder: folder.postgres,
      redisFolder: folder.redis,
      logFolder: folder.logs,
      reporter: this.options.reporter,
      onChange: () => this.refresh(),
    });
  }

  private async runMigrations(databaseUrl: string): Promise<void> {
    const { reporter } = this.options;
    const onRetry = (message: string) => {
      this.throwIfInterrupted();
      reporter.warn(message);
    };
    await reporter.step('Migrations', async (rename) => {
      const names = await migrate({ databaseUrl, onRetry });
      rename(names.length === 0 ? 'Migrations: up to date' : `Migrations: ${names.length} new`);
    });
  }

  private prepareApps(folder: DataFolder, services: Services, secrets: Secrets): Apps {
    const { port, workers = 1, reporter } = this.options;
    return new Apps({
      port,
      workers,
      environment: describeEnvironment({ environment: this.environment, services, folder, secrets }),
      logFolder: folder.logs,
      reporter,
      force: this.force,
      onChange: () => this.refresh(),
    });
  }

  private async describe(
    folder: DataFolder,
    services: Services,
    url: string,
    secrets: Secrets,
  ): Promise<void> {
    const adminKey = this.environment['BOOTSTRAP_ADMIN_KEY'] || secrets.adminKey;
    const apiKey = await ensureDevelopmentKey({
      url,
      adminKey,
      storedKey: secrets.apiKey,
      signal: this.signal,
    });
    if (apiKey !== secrets.apiKey) await writePrivateJson(folder.secretsFile, { ...secrets, apiKey });
    const { databaseUrl, redisUrl } = services;
    this.description = { url, apiKey, adminKey, databaseUrl, redisUrl, processes: this.processes() };
    await writeDevFile(folder.devFile, this.description);
  }

  private processes(): DevFile['processes'] {
    const own = { name: 'start', pid: process.pid };
    return [own, ...(this.apps?.processes ?? []), ...(this.services?.processes ?? [])];
  }

  /** One write after the other: the newest state is the last. */
  private refresh(): void {
    if (!this.description || !this.folder || this.stopping) return;
    const path = this.folder.devFile;
    const dev = (this.description = { ...this.description, processes: this.processes() });
    this.writing = this.writing
      .then(() => writeDevFile(path, dev))
      .catch((error: Error) => this.options.reporter.warn(`${path} could not be written: ${error.message}`));
  }

  private throwIfInterrupted(): void {
    if (this.signal.aborted) throw new InterruptedError();
  }
}
