/** What a person can put right: a command prints the message alone and ends with exit code 1. */
export abstract class ToolError extends Error {
  abstract readonly code: `TOOLS_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** An option or argument is unknown or wrong. */
export class UsageError extends ToolError {
  readonly code = 'TOOLS_USAGE';
}

/** The first port to answer on is taken, or not ours to take. */
export class PortError extends ToolError {
  readonly code = 'TOOLS_PORT';
}

/** The data folder cannot be used: another start runs on it, or this user may not write there. */
export class DataFolderError extends ToolError {
  readonly code = 'TOOLS_DATA_FOLDER';
}

/** The compiler found errors; the message is its output. */
export class BuildError extends ToolError {
  readonly code = 'TOOLS_BUILD';
}

/** A process ended, or stayed silent, before it was ready; the message is what it said. */
export class ProcessStartError extends ToolError {
  readonly code = 'TOOLS_PROCESS_START';
}

/** A process ended again and again; it is not started any more. */
export class ProcessLostError extends ToolError {
  readonly code = 'TOOLS_PROCESS_LOST';
}

/** The API gave another answer than its contract says. */
export class UnexpectedAnswerError extends ToolError {
  readonly code = 'TOOLS_UNEXPECTED_ANSWER';
}

/** The tests need a Redis and there is none. */
export class RedisMissingError extends ToolError {
  readonly code = 'TOOLS_REDIS_MISSING';
}

/** A package of the system could not be installed; the message is what the package manager said. */
export class PackageInstallError extends ToolError {
  readonly code = 'TOOLS_PACKAGE_INSTALL';
}

/** There is no running platform to work on. */
export class PlatformMissingError extends ToolError {
  readonly code = 'TOOLS_PLATFORM_MISSING';
}

/** The api or the Redis through which a cache was to be flushed cannot be used. */
export class CacheUnreachableError extends ToolError {
  readonly code = 'TOOLS_CACHE_UNREACHABLE';
}

/** There is no PostgreSQL at the address, or it does not let us in; the message never has the password. */
export class DatabaseUnreachableError extends ToolError {
  readonly code = 'TOOLS_DATABASE_UNREACHABLE';
}

/** PostgreSQL refused a statement, or went away in the middle: no right, read-only, shut down. */
export class DatabaseRefusedError extends ToolError {
  readonly code = 'TOOLS_DATABASE_REFUSED';
}

/** A committed file that is generated differs from what its source says now. */
export class OutdatedFileError extends ToolError {
  readonly code = 'TOOLS_OUTDATED_FILE';
}

/** Ctrl-C or SIGTERM came before the work was done. Not a failure. */
export class InterruptedError extends ToolError {
  readonly code = 'TOOLS_INTERRUPTED';

  constructor() {
    super('Interrupted');
  }
}
