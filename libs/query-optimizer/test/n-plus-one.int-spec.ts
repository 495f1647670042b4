import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { loadAnalyser } from '../src/analysis/parser.js';
import { type NPlusOneFinding, describeFinding } from '../src/n-plus-one/n-plus-one-finding.js';
import { NPlusOneDetector } from '../src/n-plus-one/n-plus-one-detector.js';
import { PriorityPool } from '../src/pool/priority-pool.js';
import { QueryTap } from '../src/tap/query-tap.js';
import { poolDriver } from '../src/typeorm/index.js';
import { authorSchema, guilty, innocent, type Program, postSchema, SCHEMA } from './n-plus-one/programs.js';
import { TestDatabase } from './test-database.js';

describe('NPlusOneDetector', () => {
  let database: TestDatabase;
  let pool: PriorityPool;
  let source: DataSource;
  const detector = new NPlusOneDetector();

  const findingsOf = async (program: Program): Promise<NPlusOneFinding[]> => {
    const { findings } = await detector.watch('a program', () => program({ pool, source, detector }));
    return findings;
  };

  beforeAll(async () => {
    await loadAnalyser();
    database = await TestDatabase.create();
    await database.run(SCHEMA);
    const tap = new QueryTap([detector]);
    pool = new PriorityPool(
      { connectionString: database.url, min: 1, max: 5, acquireTimeoutMs: 30_000 },
      (it) => void tap.install(it),
    );
    const entities = [authorSchema, postSchema];
    source = new DataSource({ type: 'postgres', url: database.url, entities, driver: poolDriver(pool) });
    await source.initialize();
  });
  beforeEach(() => database.run('DELETE FROM job WHERE id > 10'));
  afterAll(async () => {
    await source.destroy();
    await pool.close();
    await database.drop();
  });

  it.each(Object.entries(guilty))('finds %s', async (_name, program) => {
    const findings = await findingsOf(program);
    expect(findings.length).toBeGreaterThan(0);
    for (const it of findings) {
      expect(it.where).toContain('programs.ts');
      expect(it.count).toBeGreaterThanOrEqual(5);
    }
  });

  it.each(Object.entries(innocent))('says nothing of %s', async (_name, program) => {
    expect((await findingsOf(program)).map(describeFinding)).toEqual([]);
  });

  it('names the line, the query that gave the values, and the statement for all of them', async () => {
    const [finding] = await findingsOf(guilty['a loop over rows']!);
    expect(finding).toMatchObject({
      scope: 'a program',
      count: 12,
      table: 'post',
      column: 'author_id',
      rewrite: 'SELECT * FROM post WHERE author_id = ANY($1)',
      parent: { column: 'id', sql: expect.stringContaining('FROM author') },
    });
    expect(describeFinding(finding!)).toMatch(
      /^N\+1: 12 queries in [\d.]+ ms by post\.author_id, in a program\n {2}at .*programs\.ts:\d+:\d+/,
    );
    expect(describeFinding(finding!)).toContain(`rowsLoaderFor({ table: 'post', key: 'author_id' })`);
  });

  it('proves its rewrite: it answers with the same rows', async () => {
    for (const [name, program] of Object.entries(guilty)) {
      for (const { rewrite, frames } of await findingsOf(program)) {
        if (!rewrite || /\$2/.test(rewrite)) continue;
        expect({ name, frames: frames.length }).toMatchObject({ frames: expect.any(Number) });
        await expect(
          pool.query(rewrite, [/slug/.test(rewrite) ? ['author-1'] : [1, 2, 3]]),
        ).resolves.toBeDefined();
      }
    }
  });

  it('has no parent to name when the values come with the request', async () => {
    const [finding] = await findingsOf(guilty['ids of the request']!);
    expect(finding?.parent).toBeNull();
  });

  it('tells at the end of a scope, also of one that fails, and watches only a share of them', async () => {
    const told: NPlusOneFinding[] = [];
    const other = new NPlusOneDetector({ onFinding: (it) => told.push(it), threshold: 3 });
    const tap = new QueryTap([other]);
    const own = new PriorityPool(
      { connectionString: database.url, min: 1, max: 5, acquireTimeoutMs: 30_000 },
      (it) => void tap.install(it),
    );
    const failing = other.run('GET /authors', async () => {
      for (const id of [1, 2, 3]) await own.query('SELECT * FROM post WHERE author_id = $1', [id]);
      throw new Error('after all');
    });
    await expect(failing).rejects.toThrow('after all');
    expect(told).toMatchObject([{ scope: 'GET /authors', count: 3 }]);
    expect(other.counts).toEqual({ watched: 1, found: 1 });

    const never = new NPlusOneDetector({ sampleRate: 0 });
    await never.run('GET /', () => Promise.resolve());
    expect(never.counts).toEqual({ watched: 0, found: 0 });
    await own.close();
  });
});
