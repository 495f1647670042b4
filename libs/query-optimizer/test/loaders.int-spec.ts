import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, EntitySchema } from 'typeorm';
import { installChangeTriggers } from '../src/changes/change-triggers.js';
import { withLoaders } from '../src/loaders/loader-scope.js';
import { type LoaderOptionsInput } from '../src/loaders/loader.options.js';
import { type QueryOptimizer } from '../src/query-optimizer.js';
import {
  entitiesLoaderFor,
  entityLoaderFor,
  poolDriver,
  queryResultCache,
  selectColumns,
} from '../src/typeorm/index.js';
import { OpenOptimizers } from './open-optimizers.js';
import { TestDatabase } from './test-database.js';
import { until } from './until.js';

interface Bird {
  id: number;
  nestId: number;
  name: string;
  weightG: bigint;
  secret?: string;
  nest?: Nest;
}

interface Nest {
  id: number;
  place: string;
}

const nestSchema = new EntitySchema<Nest>({
  name: 'nest',
  columns: { id: { type: 'int', primary: true }, place: { type: 'text' } },
});

const birdSchema = new EntitySchema<Bird>({
  name: 'bird',
  columns: {
    id: { type: 'int', primary: true },
    nestId: { type: 'int', name: 'nest_id' },
    name: { type: 'text' },
    weightG: { type: 'int8', name: 'weight_g', transformer: { from: BigInt, to: String } },
    secret: { type: 'text', select: false },
  },
  relations: {
    nest: { type: 'many-to-one', target: 'nest', joinColumn: { name: 'nest_id' }, eager: true },
  },
});

describe('Loaders', () => {
  let database: TestDatabase;
  let optimizer: QueryOptimizer;
  let source: DataSource;
  const opened = new OpenOptimizers();
  /** Statements that reached PostgreSQL meanwhile. */
  const sent = async (work: () => Promise<unknown>) => {
    const before = optimizer.report().queries.count;
    await work();
    return optimizer.report().queries.count - before;
  };

  beforeAll(async () => {
    database = await TestDatabase.create();
    await database.run('CREATE TABLE nest (id int PRIMARY KEY, place text NOT NULL)');
    await database.run(`CREATE TABLE bird (id int PRIMARY KEY, nest_id int NOT NULL REFERENCES nest,
      name text NOT NULL, weight_g bigint NOT NULL, secret text)`);
    await database.run(`CREATE TABLE ring ("the ""key" uuid, no bigint, ok boolean NOT NULL DEFAULT true,
      at date, PRIMARY KEY ("the ""key", no))`);
    await database.run(`INSERT INTO nest VALUES (1, 'oak'), (2, 'cliff'), (3, 'tower')`);
    await database.run(
      `INSERT INTO bird SELECT n, 1 + n % 2, 'bird ' || n, n * 100, 'secret' FROM generate_series(1, 6) n`,
    );
    for (const it of installChangeTriggers([{ schema: null, name: 'nest' }])) await database.run(it);
    optimizer = await opened.open(database);
    source = new DataSource({
      type: 'postgres',
      url: database.url,
      entities: [birdSchema, nestSchema],
      driver: poolDriver(optimizer.pool),
      cache: { provider: () => queryResultCache(optimizer) },
    });
    await source.initialize();
  });
  afterAll(async () => {
    await source.destroy();
    await opened.close();
    await database.drop();
  });

  it('ask once for what is asked for together, and give it in order, null where there is none', async () => {
    const nests = optimizer.loaderFor<Nest>({ table: 'nest', key: 'id' });
    const keys = [3, 1, '2', 99, 1n, 3];
    let found: unknown;
    expect(await sent(() => withLoaders(async () => (found = await nests.loadMany(keys))))).toBe(1);
    expect((found as (Nest | null)[]).map((it) => it?.place ?? null)).toEqual([
      'tower',
      'oak',
      'cliff',
      null,
      'oak',
      'tower',
    ]);
  });

  it('give all rows of a key in their order, with the columns that were named', async () => {
    const birds = optimizer.rowsLoaderFor({
      table: { schema: 'public', name: 'bird' },
      key: 'nest_id',
      columns: ['id'],
      orderBy: { name: 'DESC' },
    });
    const found = await withLoaders(() => birds.loadMany([2, 7, 1]));
    expect(found).toEqual([
      [5, 3, 1].map((id) => ({ nest_id: 2, id })),
      [],
      [6, 4, 2].map((id) => ({ nest_id: 1, id })),
    ]);
  });

  it('remember for the time of a request, until the table is written, by whomever', async () => {
    const nests = optimizer.loaderFor<Nest>({ table: 'nest', key: 'id' });
    await withLoaders(async () => {
      const place = async () => (await nests.load(1))?.place;
      expect(await sent(place)).toBe(1);
      expect(await sent(place)).toBe(0);
      await withLoaders(async () => expect(await sent(place)).toBe(1));
      await optimizer.execute(`UPDATE nest SET place = 'beech' WHERE id = 1`);
      expect(await place()).toBe('beech');
      await database.run(`UPDATE nest SET place = 'oak' WHERE id = 1`);
      await optimizer.catchUp();
      expect(await place()).toBe('oak');
      await optimizer.execute(`UPDATE bird SET name = name`);
      expect(await sent(place)).toBe(0);
    });
  });

  it('keep the rows of each key in the result cache, until those are written', async () => {
    const birds = optimizer.rowsLoaderFor({ table: 'bird', key: 'nest_id', cache: true });
    const load = (...keys: number[]) => sent(() => withLoaders(() => birds.loadMany(keys)));
    expect(await load(1)).toBe(1);
    expect(await load(1)).toBe(0);
    // One statement, and for the others alone.
    expect(await load(1, 2, 3)).toBe(1);
    expect(await load(3, 2, 1)).toBe(0);
    await optimizer.execute('UPDATE bird SET name = $1 WHERE nest_id = $2', ['new', 2]);
    expect(await load(1, 3)).toBe(0);
    const [found] = await withLoaders(() => birds.loadMany([2]));
    expect(found?.map((it) => it['name'])).toEqual(['new', 'new', 'new']);
  });

  it('take keys of several columns, and names with quotes', async () => {
    const key = ['the "key', 'no'];
    const id = '0b9e5a4c-1111-4222-8333-444455556666';
    await database.run('INSERT INTO ring ("the ""key", no) VALUES ($1, 1), ($1, 2)', [id]);
    for (const cache of [false, true]) {
      const rings = optimizer.loaderFor({ table: 'ring', key, columns: ['ok'], cache });
      const found = await withLoaders(() =>
        rings.loadMany([
          [id.toUpperCase(), '2'],
          [id, 3],
          [id, 1n],
        ]),
      );
      expect(found).toEqual([
        { 'the "key': id, no: '2', ok: true },
        null,
        { 'the "key': id, no: '1', ok: true },
      ]);
    }
    const all = optimizer.rowsLoaderFor({ table: 'ring', key: 'ok' });
    expect(await withLoaders(async () => (await all.loadMany([true, false])).map((it) => it.length))).toEqual(
      [2, 0],
    );
  });

  it('ask in parts of a limited size', async () => {
    const nests = optimizer.loaderFor({ table: 'nest', key: 'id', maxBatchSize: 10 });
    const keys = Array.from({ length: 25 }, (_, index) => index);
    expect(await sent(() => withLoaders(() => nests.loadMany(keys)))).toBe(3);
  });

  it('follow changes of the schema', async () => {
    const nests = optimizer.loaderFor({ table: 'nest', key: 'id' });
    await withLoaders(async () => {
      await nests.load(1);
      await optimizer.execute('ALTER TABLE nest ADD COLUMN height int DEFAULT 3');
      expect(await nests.load(1)).toEqual({ id: 1, place: 'oak', height: 3 });
      await optimizer.execute('ALTER TABLE nest DROP COLUMN height');
    });
  });

  it.each<[string, LoaderOptionsInput, unknown, string]>([
    ['an unknown table', { table: 'nowhere', key: 'id' }, 1, 'QUERY_UNKNOWN_TABLE'],
    ['an unknown column', { table: 'nest', key: 'id', columns: ['hight'] }, 1, 'QUERY_LOADER_OPTIONS'],
    ['a column that is no key', { table: 'ring', key: 'at' }, '2026-01-01', 'QUERY_LOADER_OPTIONS'],
    ['several rows where one is asked for', { table: 'bird', key: 'nest_id' }, 1, 'QUERY_LOADER_OPTIONS'],
    ['a key of another type', { table: 'nest', key: 'id' }, 'x', 'QUERY_LOADER_KEY'],
    ['no key', { table: 'nest', key: 'id' }, null, 'QUERY_LOADER_KEY'],
    ['a key of another length', { table: 'nest', key: 'id' }, [1, 2], 'QUERY_LOADER_KEY'],
  ])('refuse %s, and nobody else', async (_what, options, key, code) => {
    const loader = optimizer.loaderFor(options);
    await withLoaders(async () => {
      await expect(loader.load(key as number)).rejects.toMatchObject({ code });
    });
    await until(() => optimizer.pool.statistics().inUse === 0);
  });

  it('refuse to work outside of a scope, and with options that are none', async () => {
    const nests = optimizer.loaderFor({ table: 'nest', key: 'id' });
    await expect(nests.load(1)).rejects.toMatchObject({ code: 'QUERY_LOADER_SCOPE' });
    expect(() => optimizer.loaderFor({ table: '', key: [], maxBatchSize: 0 })).toThrow(
      expect.objectContaining({
        code: 'QUERY_LOADER_OPTIONS',
        problems: expect.any(Array),
      }),
    );
  });

  it('ask again after a failure', async () => {
    const nests = optimizer.loaderFor({ table: 'nest', key: 'id', cache: true });
    await withLoaders(async () => {
      await database.run('ALTER TABLE nest RENAME TO hidden');
      await expect(nests.load(3)).rejects.toThrow('does not exist');
      await database.run('ALTER TABLE hidden RENAME TO nest');
      expect(await nests.load(3)).toMatchObject({ place: 'tower' });
    });
  });

  it('give entities, each to its caller', async () => {
    const birds = entityLoaderFor(optimizer, source.getRepository(birdSchema), { key: 'id', cache: true });
    await withLoaders(async () => {
      const [one, same, none] = await birds.loadMany([2, 2, 77]);
      expect(one).toEqual({ id: 2, nestId: 1, name: 'bird 2', weightG: 200n });
      expect(same).toEqual(one);
      expect(same).not.toBe(one);
      expect(none).toBeNull();
    });
    const ofNests = entitiesLoaderFor(optimizer, source.getRepository(birdSchema), {
      key: 'nestId',
      columns: ['weightG'],
      orderBy: { weightG: 'DESC' },
    });
    await withLoaders(async () => {
      expect(await ofNests.load(1)).toEqual([6, 4, 2].map((n) => ({ nestId: 1, weightG: BigInt(n * 100) })));
    });
    expect(() =>
      entityLoaderFor(optimizer, source.getRepository(birdSchema), { key: 'id', columns: ['nest'] }),
    ).toThrow(expect.objectContaining({ code: 'QUERY_UNKNOWN_COLUMN', properties: ['nest'] }));
  });

  it('are no loop for the detector, which advises them', async () => {
    const nests = optimizer.loaderFor({ table: 'nest', key: 'id' });
    const { findings } = await optimizer.detector.watch('a request', () =>
      withLoaders(() => Promise.all(Array.from({ length: 20 }, (_, id) => nests.load(id)))),
    );
    expect(findings).toEqual([]);
  });

  describe('selectColumns', () => {
    it('loads the columns that are named, and nothing else', async () => {
      const query = source
        .getRepository(birdSchema)
        .createQueryBuilder('b')
        .where('b.id <= 2')
        .orderBy('b.id');
      const texts: string[] = [];
      const birds = await selectColumns(query, ['name', 'weightG']);
      expect(birds).toEqual(
        [
          { name: 'bird 1', weightG: 100n },
          { name: 'bird 2', weightG: 200n },
        ].map((it, n) => ({ ...it, ...(n === 0 && { name: 'new' }) })),
      );
      texts.push(...optimizer.report().topQueries.map((it) => it.sql));
      expect(texts.some((it) => it.includes('"b"."weight_g" AS "weightG"') && !it.includes('secret'))).toBe(
        true,
      );
      // The builder is as it was.
      expect(await query.getCount()).toBe(2);
      expect(await selectColumns(query.limit(1), ['secret'])).toEqual([{ secret: 'secret' }]);
    });

    it('goes with joins and the cache', async () => {
      const query = source
        .getRepository(birdSchema)
        .createQueryBuilder('b')
        .innerJoinAndSelect('b.nest', 'n')
        .where('n.place = :place', { place: 'cliff' })
        .orderBy('b.id', 'DESC')
        .cache(true);
      const expected = [5, 3, 1].map((id) => ({ id }));
      expect(await selectColumns(query, ['id'])).toEqual(expected);
      const before = optimizer.report().cache.hits;
      expect(await selectColumns(query, ['id'])).toEqual(expected);
      expect(optimizer.report().cache.hits).toBe(before + 1);
    });

    it.each([[[]], [['nest']], [['id', 'nmae']]])('refuses %j, and sends nothing', async (columns) => {
      const query = source.getRepository(birdSchema).createQueryBuilder('b');
      const refused = expect(selectColumns(query, columns as 'id'[])).rejects.toMatchObject({
        code: 'QUERY_UNKNOWN_COLUMN',
      });
      expect(await sent(() => refused)).toBe(0);
    });
  });
});
