export { DatabaseError, DatabaseOptionsError } from '../database.errors.js';
export {
  DataFolderAccessError,
  DataFolderForeignError,
  DataFolderInUseError,
  DataFolderVersionError,
  EmbeddedInstallError,
  EmbeddedPostgresError,
  EmbeddedStartError,
  EmbeddedUserError,
  PortInUseError,
} from './embedded.errors.js';
export type { EmbeddedPostgresOptions } from './embedded.options.js';
export { EmbeddedPostgres } from './embedded-postgres.js';
export type { ServerExit as EmbeddedPostgresExit } from './protocol.js';
