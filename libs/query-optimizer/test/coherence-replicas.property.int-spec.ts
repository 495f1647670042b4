import { afterAll } from '@jest/globals';
import { PostgresServer } from './server/postgres-server.js';
import { programsOfTestServer } from './server/server-programs.js';

/* The proof of coherence once more, with reads from two replicas, one of which is always late. */
const primary = await PostgresServer.create(await programsOfTestServer());
const standbys = [
  await primary.createStandby(),
  await primary.createStandby({ recovery_min_apply_delay: '150ms' }),
];
for (const it of [primary, ...standbys]) await it.start();
process.env['DATABASE_URL'] = primary.url;
process.env['TEST_REPLICA_URLS'] = standbys.map((it) => it.url).join(' ');
await import('./coherence.property.int-spec.js');
// After what it leaves to the end.
afterAll(async () => {
  for (const it of [...standbys, primary]) await it.remove();
});
