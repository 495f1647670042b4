export { PostgresServer, type ServerSettings } from '../../src/testing/postgres-server.js';
