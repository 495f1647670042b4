import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, EntitySchema } from 'typeorm';
import { createQueryOptimizer } from '../src/create-query-optimizer.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import { poolDriver, queryResultCache } from '../src/typeorm/index.js';
import { TestDatabase } from './test-database.js';

interface Sighting {
  id: number;
  at: Date;
  photo: Buffer;
}

const sightingSchema = new EntitySchema<Sighting>({
  name: 'sighting',
  columns: {
    id: { type: 'int', primary: true },
    at: { type: 'timestamptz' },
    photo: { type: 'bytea' },
  },
});

describe("TypeORM's own cache option on the optimizer", () => {
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  let source: DataSource;
  const sighting = { id: 1, at: new Date('2026-05-05T05:05:05.123Z'), photo: Buffer.from([0, 255]) };
  const hits = () => optimizer.report().cache.hits;

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run(
      'CREATE TABLE sighting (id int PRIMARY KEY, at timestamptz NOT NULL, photo bytea NOT NULL)',
    );
    await database.run('CREATE TABLE setting (name text PRIMARY KEY, value text)');
    optimizer = await createQueryOptimizer({
      connectionString: database.url,
      pool: { min: 1, max: 4, reserve: 1, acquireTimeoutMs: 30_000 },
      cache: {
        policy: ({ reads }) => (reads.some((it) => it.name === 'setting') ? { ttlMs: 60_000 } : undefined),
      },
    });
    source = new DataSource({
      type: 'postgres',
      url: database.url,
      entities: [sightingSchema],
      driver: poolDriver(optimizer.pool),
      cache: { provider: () => queryResultCache(optimizer) },
    });
    await source.initialize();
    await source.getRepository(sightingSchema).save(sighting);
  });
  afterAll(async () => {
    await source.destroy();
    await optimizer.close();
    await database.drop();
  });

  it('answers a find from the cache, with dates and bytes as they were, until the row is written', async () => {
    const find = () => source.getRepository(sightingSchema).findOne({ where: { id: 1 }, cache: true });
    expect(await find()).toEqual(sighting);
    const before = hits();
    expect(await find()).toEqual(sighting);
    expect(hits()).toBe(before + 1);
    await source.getRepository(sightingSchema).update(1, { photo: Buffer.from([1]) });
    expect((await find())?.photo).toEqual(Buffer.from([1]));
    expect(hits()).toBe(before + 1);
  });

  it('takes parameters as they are', async () => {
    const find = (at: Date) =>
      source.createQueryBuilder(sightingSchema, 's').where('s.at = :at', { at }).cache(60_000).getOne();
    expect(await find(sighting.at)).not.toBeNull();
    expect(await find(new Date(0))).toBeNull();
    const before = hits();
    expect(await find(new Date(sighting.at))).not.toBeNull();
    expect(hits()).toBe(before + 1);
  });

  it('drops by id', async () => {
    const find = () => source.createQueryBuilder(sightingSchema, 's').cache('mine', 60_000).getMany();
    await find();
    const before = hits();
    await source.queryResultCache?.remove(['mine']);
    await find();
    expect(hits()).toBe(before);
    await find();
    expect(hits()).toBe(before + 1);
  });

  it('asks the database inside a transaction', async () => {
    const find = { where: { id: 1 }, cache: true };
    await source.getRepository(sightingSchema).findOne(find);
    const before = hits();
    await source.transaction(async (manager) => {
      await manager.update(sightingSchema, 1, { photo: Buffer.from([7]) });
      expect((await manager.findOne(sightingSchema, find))?.photo).toEqual(Buffer.from([7]));
    });
    expect(hits()).toBe(before);
  });

  it('caches what the policy names with no word at the call site', async () => {
    await source.query(`INSERT INTO setting VALUES ('theme', 'dark')`);
    const read = () =>
      source.query<{ value: string }[]>(`SELECT value FROM setting WHERE name = $1`, ['theme']);
    await read();
    const before = hits();
    expect(await read()).toEqual([{ value: 'dark' }]);
    expect((await optimizer.execute(`SELECT value FROM setting WHERE name = $1`, ['theme'])).source).toBe(
      'cache',
    );
    expect(hits()).toBe(before + 2);
    await source.query(`UPDATE setting SET value = 'light'`);
    expect(await read()).toEqual([{ value: 'light' }]);
  });

  it('makes a session what it was when somebody has changed it', async () => {
    await database.run('CREATE SCHEMA other');
    await database.run('CREATE TABLE other.setting (name text PRIMARY KEY, value text)');
    const runner = source.createQueryRunner();
    await runner.query('SET search_path = other');
    expect(await runner.query('SELECT value FROM setting')).toEqual([]);
    expect(optimizer.report().cache.bypassed).toMatchObject({ SESSION_CHANGED: 1 });
    await runner.release();
    for (let i = 0; i < 5; i++) {
      expect(await source.query(`SELECT value, current_setting('search_path') AS path FROM setting`)).toEqual(
        [{ value: 'light', path: '"$user", public' }],
      );
    }
  });
});
