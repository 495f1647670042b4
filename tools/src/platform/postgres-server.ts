import type { EmbeddedPostgres } from '@peregrine/database/embedded';

import type { LogFile } from './log-file.ts';
import type { Running } from './supervisor.ts';

export interface PostgresOptions {
  readonly folder: string;
  /** Undefined: any free port. */
  readonly port: number | undefined;
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: LogFile;
}

/** The embedded PostgreSQL as something that a supervisor keeps running. */
export class PostgresServer implements Running {
  readonly pid: number;
  readonly ended: Promise<string>;
  readonly url: string;
  readonly port: number;
  private readonly server: EmbeddedPostgres;

  private constructor(server: EmbeddedPostgres) {
    this.server = server;
    this.pid = server.pid;
    this.url = server.url;
    this.port = server.port;
    this.ended = server.exited.then(({ code, signal }) =>
      signal ? `killed by ${signal}` : `exit code ${code}`,
    );
  }

  /** @throws {EmbeddedPostgresError} */
  static async start({ folder, port, settings, log }: PostgresOptions): Promise<PostgresServer> {
    // Loaded late: it is built by the command that needs it.
    const { EmbeddedPostgres } = await import('@peregrine/database/embedded');
    return new PostgresServer(
      await EmbeddedPostgres.start({
        dataDir: folder,
        onLog: (line) => log.write(line),
        ...(port === undefined ? {} : { port }),
        ...(settings === undefined ? {} : { settings }),
      }),
    );
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
