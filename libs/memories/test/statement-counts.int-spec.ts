import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BootstrapService, FeedbackService, MEMORY_TIERS } from '../src/index.js';
import { type CountingServer, startCountingServer } from './counting-server.js';
import { MemoriesFixture } from './memories-fixture.js';

interface CountedStatement {
  readonly query: string;
  readonly calls: number;
}

/** Of one answer. */
const HITS = 20;
const BOOTSTRAP = 50;

let server: CountingServer | undefined;
let fixture: MemoriesFixture;
let workspace: string;
let ids: string[];
beforeAll(async () => {
  server = await startCountingServer(process.env['DATABASE_URL']);
  // Without a worker nothing is sent but what a test asks for.
  fixture = await MemoriesFixture.start({ serverUrl: server.url, worker: false });
  await fixture.query('CREATE EXTENSION pg_stat_statements');
  workspace = await fixture.workspace();
  const contents = Array.from({ length: 60 }, (_, n) => `Note ${n}: folder ${n * 13} of the archive.`);
  ids = (await fixture.add(workspace, ...contents)).map((it) => it.id);
  await fixture.get(FeedbackService).flush();
}, 120_000);
afterAll(async () => {
  await fixture?.stop();
  await server?.stop();
}, 60_000);

/** What PostgreSQL itself has counted in our database while `work` ran. */
async function counted(work: () => Promise<unknown>): Promise<CountedStatement[]> {
  const own = 'd.datname = current_database()';
  await fixture.query(`SELECT pg_stat_statements_reset(0, d.oid, 0) FROM pg_database d WHERE ${own}`);
  await work();
  return fixture.query<CountedStatement>(
    `SELECT s.query, s.calls::int AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
      WHERE ${own} AND s.query NOT LIKE '%pg_stat_statements%'`,
  );
}

const callsOf = (statements: readonly CountedStatement[], part: RegExp) =>
  statements.filter((it) => part.test(it.query)).reduce((sum, it) => sum + it.calls, 0);
const ASSOCIATIONS = /INSERT INTO memory_associations/;
const STATES = /UPDATE memory_states/;
const BOOTSTRAPS = /FROM memory_states s/;
const WRITES = /\b(INSERT|UPDATE|DELETE)\b/;

describe('as pg_stat_statements counts them', () => {
  it('an answer of 20 memories is learned by one statement for 190 pairs and one for 20 states', async () => {
    const feedback = fixture.get(FeedbackService);
    const statements = await counted(async () => {
      feedback.record({ workspaceId: workspace, memoryIds: ids.slice(0, HITS) });
      await feedback.flush();
    });
    expect(callsOf(statements, ASSOCIATIONS)).toBe(1);
    expect(callsOf(statements, STATES)).toBe(1);
    expect(callsOf(statements, WRITES)).toBe(2);
    expect(await fixture.count('memory_associations')).toBe(190);
    expect(await fixture.count('memory_states WHERE accesses = 1')).toBe(HITS);
  }, 60_000);

  it('one by one it would be 190 statements and 40', async () => {
    const statements = await counted(() => learnOneByOne(ids.slice(0, HITS)));
    expect(callsOf(statements, ASSOCIATIONS)).toBe(190);
    expect(callsOf(statements, STATES)).toBe(40);
  }, 60_000);

  it('a bootstrap is one statement, writes nothing then or later, and none from the cache', async () => {
    const bootstraps = fixture.get(BootstrapService);
    const first = await counted(async () => {
      expect(await bootstraps.bootstrap(workspace, BOOTSTRAP)).toHaveLength(BOOTSTRAP);
      await fixture.get(FeedbackService).flush();
    });
    expect(callsOf(first, BOOTSTRAPS)).toBe(1);
    expect(callsOf(first, WRITES)).toBe(0);
    const second = await counted(() => bootstraps.bootstrap(workspace, BOOTSTRAP));
    expect(callsOf(second, BOOTSTRAPS)).toBe(0);
  }, 60_000);

  it('tier by tier, with its hits marked, it would be three statements and one for each memory', async () => {
    const statements = await counted(bootstrapByTier);
    expect(callsOf(statements, BOOTSTRAPS)).toBe(3);
    expect(callsOf(statements, STATES)).toBe(BOOTSTRAP);
  }, 60_000);
});

/** Each pair, each resonance and each tier by itself. */
async function learnOneByOne(memoryIds: readonly string[]): Promise<void> {
  for (const [at, one] of memoryIds.entries()) {
    await fixture.query('UPDATE memory_states SET accesses = accesses + 1 WHERE memory_id = $1', [one]);
    await fixture.query('UPDATE memory_states SET tier = tier WHERE memory_id = $1', [one]);
    for (const other of memoryIds.slice(at + 1)) {
      await fixture.query(
        `INSERT INTO memory_associations AS a (first_id, second_id, workspace_id, times, last_at)
         VALUES (least($1::uuid, $2::uuid), greatest($1::uuid, $2::uuid), $3, 1, now())
         ON CONFLICT (first_id, second_id) DO UPDATE SET times = a.times + 1`,
        [one, other, workspace],
      );
    }
  }
}

async function bootstrapByTier(): Promise<void> {
  let wanted = BOOTSTRAP;
  for (const tier of MEMORY_TIERS) {
    const found = await fixture.query<{ id: string }>(
      `SELECT s.memory_id AS id FROM memory_states s
        WHERE s.workspace_id = $1 AND s.tier = $2 ORDER BY s.last_used_at DESC LIMIT $3`,
      [workspace, tier, wanted],
    );
    wanted -= found.length;
    for (const { id } of found) {
      await fixture.query('UPDATE memory_states SET accessed_at = now() WHERE memory_id = $1', [id]);
    }
  }
}
