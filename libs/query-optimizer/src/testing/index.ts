export { expectNoNPlusOne } from './expect-no-n-plus-one.js';
export { PostgresServer, type ServerSettings } from './postgres-server.js';
export { programsOfServer } from './server-programs.js';
