import { join } from 'node:path';

import type { Reporter } from '../reporter.ts';
import { LogFile } from './log-file.ts';
import { PostgresServer } from './postgres-server.ts';
import { chooseRedisAddress, findRedisProgram, RedisServer, redisUrl } from './redis-server.ts';
import { Supervisor, type Running } from './supervisor.ts';

export interface ServicesOptions {
  /** `DATABASE_URL` and `REDIS_URL`, where set, are used as they are. */
  readonly environment: NodeJS.ProcessEnv;
  readonly postgresFolder: string;
  /** Undefined: no Redis is wanted. */
  readonly redisFolder?: string;
  readonly logFolder: string;
  readonly reporter: Reporter;
  /** Further settings of the embedded PostgreSQL. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** A server of ours was lost, or is back. */
  readonly onChange?: () => void;
}

/** PostgreSQL and, where there is one, Redis; their own processes only where nobody gave an address. */
export class Services {
  private readonly options: ServicesOptions;
  private readonly supervisors: Supervisor<Running>[] = [];
  private readonly logs: LogFile[] = [];
  private database = '';
  private redis: string | null = null;

  private constructor(options: ServicesOptions) {
    this.options = options;
  }

  get databaseUrl(): string {
    return this.database;
  }

  /** Null: the cache has no shared tier and tasks run on PostgreSQL. */
  get redisUrl(): string | null {
    return this.redis;
  }

  /** Our own servers that run now. */
  get processes(): { name: string; pid: number }[] {
    return this.supervisors.flatMap(({ name, current }) => (current ? [{ name, pid: current.pid }] : []));
  }

  /** Resolves when one of our servers cannot be kept running. Never rejects. */
  get failed(): Promise<Error> {
    return Promise.race([new Promise<never>(() => undefined), ...this.supervisors.map((it) => it.failed)]);
  }

  /** When it fails, nothing is left running. */
  static async provide(options: ServicesOptions): Promise<Services> {
    const services = new Services(options);
    try {
      await services.provideDatabase();
      await services.provideRedis();
      return services;
    } catch (error) {
      await services.stop();
      throw error;
    }
  }

  /** Redis first, PostgreSQL last. */
  async stop(): Promise<void> {
    for (const supervisor of this.supervisors.toReversed()) await supervisor.stop();
    await Promise.all(this.logs.map((it) => it.close()));
  }

  private async provideDatabase(): Promise<void> {
    const { environment, postgresFolder, postgresSettings, reporter } = this.options;
    const given = environment['DATABASE_URL'];
    if (given) {
      this.database = given;
      reporter.print('• PostgreSQL: the server of DATABASE_URL');
      return;
    }
    await reporter.step('PostgreSQL', async (rename) => {
      let port: number | undefined;
      const log = this.openLog('postgres');
      const server = await this.supervise('postgres', log, () =>
        PostgresServer.start({
          folder: postgresFolder,
          port,
          log,
          ...(postgresSettings === undefined ? {} : { settings: postgresSettings }),
        }),
      );
      ({ port, url: this.database } = server);
      rename(`PostgreSQL on port ${port}`);
    });
  }

  private async provideRedis(): Promise<void> {
    const { environment, redisFolder, reporter } = this.options;
    if (redisFolder === undefined) return;
    const given = environment['REDIS_URL'];
    if (given) {
      this.redis = given;
      reporter.print('• Redis: the server of REDIS_URL');
      return;
    }
    const program = await findRedisProgram(environment);
    if (program === undefined) {
      reporter.print('• Redis: no redis-server found: cache in memory, queue on PostgreSQL');
      return;
    }
    await reporter.step('Redis', async (rename) => {
      const address = await chooseRedisAddress();
      const log = this.openLog('redis');
      await this.supervise('redis', log, () =>
        RedisServer.start({ program, folder: redisFolder, address, log }),
      );
      this.redis = redisUrl(address);
      rename(`Redis on port ${address.port}`);
    });
  }

  private openLog(name: string): LogFile {
    const log = new LogFile(join(this.options.logFolder, `${name}.log`));
    this.logs.push(log);
    return log;
  }

  private supervise<T extends Running>(name: string, log: LogFile, start: () => Promise<T>): Promise<T> {
    const { reporter, onChange = () => undefined } = this.options;
    const supervisor = new Supervisor<T>({
      name,
      start,
      onChange,
      warn: (message) => reporter.warn(message),
      tail: () => log.tail,
    });
    this.supervisors.push(supervisor);
    return supervisor.start();
  }
}
