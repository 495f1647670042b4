import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Column, DataSource, Entity, PrimaryColumn, Repository } from 'typeorm';

import { EmbeddedPostgres } from '../src/embedded/index.js';
import {
  connectDataSource,
  createDataSource,
  DatabaseModule,
  DatabaseUnavailableError,
  isUnavailable,
  pingDatabase,
  Transactions,
} from '../src/index.js';
import { createTestDatabase, TestDatabaseUrlError } from '../src/testing/index.js';

import { fails, makeFolder, removeFolder, until } from './embedded-fixture.js';

jest.setTimeout(60_000);

@Entity('note')
class Note {
  @PrimaryColumn('int') id!: number;
  @Column('text') text!: string;
}

@Injectable()
class Notes {
  constructor(
    @InjectRepository(Note) readonly repository: Repository<Note>,
    readonly transactions: Transactions,
  ) {}
}

@Module({ imports: [TypeOrmModule.forFeature([Note])], providers: [Notes] })
class NotesModule {}

describe('DatabaseModule', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  const cleanUps: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await makeFolder();
    server = await EmbeddedPostgres.start({ dataDir: join(folder, 'postgres') });
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  afterAll(async () => {
    await server?.stop();
    await removeFolder(folder);
  });

  const boot = async (imports: NonNullable<Parameters<typeof Test.createTestingModule>[0]['imports']>) => {
    const app = (await Test.createTestingModule({ imports }).compile()).enableShutdownHooks();
    await app.init();
    cleanUps.push(() => app.close());
    return app;
  };

  it('gives repositories and transactions on one pool, and closes it', async () => {
    const options = { url: server.url, entities: [Note], applicationName: 'spec', statementTimeoutMs: 7_000 };
    const app = await boot([DatabaseModule.forRoot({ ...options, isGlobal: true }), NotesModule]);
    const { repository, transactions } = app.get(Notes, { strict: false });
    const dataSource = app.get(DataSource, { strict: false });
    await dataSource.query('CREATE TABLE IF NOT EXISTS note (id int PRIMARY KEY, text text NOT NULL)');
    await transactions.run(async (manager) => {
      await manager.getRepository(Note).insert({ id: 1, text: 'hello' });
    });
    expect(await repository.findOneBy({ id: 1 })).toEqual({ id: 1, text: 'hello' });
    expect(
      await dataSource.query(
        `SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout`,
      ),
    ).toEqual([{ name: 'spec', timeout: '7s' }]);
    await app.close();
    expect(dataSource.isInitialized).toBe(false);
  });

  it('takes its options from another provider, once', async () => {
    const useFactory = jest.fn(() => ({ url: server.url, entities: [Note] }));
    const app = await boot([DatabaseModule.forRootAsync({ isGlobal: true, useFactory }), NotesModule]);
    expect(app.get(Notes, { strict: false }).transactions).toBe(app.get(Transactions));
    expect(useFactory).toHaveBeenCalledTimes(1);
  });

  it('ends start-up with host, port, database and advice when nothing listens, without the password', async () => {
    const url = 'postgres://ann:s3cret@127.0.0.1:1/shop';
    const error = await fails(boot([DatabaseModule.forRoot({ url, startTimeoutMs: 600 })]));
    expect(error).toBeInstanceOf(DatabaseUnavailableError);
    expect(error).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      attempts: 2,
      target: { host: '127.0.0.1', port: 1, database: 'shop' },
    });
    expect(error.message).toMatch(/127\.0\.0\.1:1.*"shop".*ECONNREFUSED.*Check that PostgreSQL runs/);
    expect(error.message).not.toContain('s3cret');
  });

  it('does not wait when the login is refused, and names a missing database', async () => {
    const wrong = new URL(server.url);
    wrong.password = 's3cret';
    const refused = await fails(
      connectDataSource(createDataSource({ url: wrong.href }), { startTimeoutMs: 30_000 }),
    );
    expect(refused).toMatchObject({ attempts: 1 });
    expect(refused.message).toContain('Check user and password');
    expect(refused.message).not.toContain('s3cret');

    const missing = new URL(server.url);
    missing.pathname = 'nowhere';
    const absent = await fails(
      connectDataSource(createDataSource({ url: missing.href }), { startTimeoutMs: 1 }),
    );
    expect(absent.message).toContain('Create the database "nowhere"');
  });

  it('connects when the database comes up late, with a line for each attempt', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const password = new URL(server.url).password;
    const lines: string[] = [];
    const dataSource = createDataSource({
      url: `postgres://postgres:${password}@127.0.0.1:${port}/peregrine`,
    });
    await server.stop();
    const connected = connectDataSource(dataSource, {
      startTimeoutMs: 30_000,
      onRetry: (line) => lines.push(line),
    });
    await until(() => Promise.resolve(lines.length > 0));
    server = await EmbeddedPostgres.start({ dataDir: server.dataDir, port });
    await connected;
    await pingDatabase(dataSource);
    await dataSource.destroy();
    expect(lines[0]).toMatch(/attempt 1.*ECONNREFUSED/);
    expect(lines.join()).not.toContain(password);
  });

  it('stays up while the database is away, and recovers by itself', async () => {
    const { port, dataDir } = server;
    const app = await boot([DatabaseModule.forRoot({ url: server.url, connectTimeoutMs: 2_000 })]);
    const dataSource = app.get(DataSource, { strict: false });
    // Several connections: idle ones, and one in the middle of a statement.
    await Promise.all([1, 2, 3].map(() => dataSource.query('SELECT pg_sleep(0.05)')));
    const running = fails(dataSource.query('SELECT pg_sleep(60)'));
    await until(async () => {
      const rows: unknown[] = await dataSource.query(
        `SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`,
      );
      return rows.length > 0;
    });
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    expect(isUnavailable(await running)).toBe(true);
    expect(isUnavailable(await fails(dataSource.query('SELECT 1')))).toBe(true);
    expect(isUnavailable(await fails(app.get(Transactions).run((it) => it.query('SELECT 1'))))).toBe(true);

    server = await EmbeddedPostgres.start({ dataDir, port });
    await pingDatabase(dataSource);
    expect(await app.get(Transactions).run((it) => it.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('answers a health check by the signal when the pool is exhausted', async () => {
    const dataSource = createDataSource({ url: server.url, poolMax: 1 });
    await connectDataSource(dataSource, { startTimeoutMs: 10_000 });
    const runner = dataSource.createQueryRunner();
    await runner.connect();
    const reason = new Error('too slow');
    const controller = new AbortController();
    const ping = fails(pingDatabase(dataSource, controller.signal));
    controller.abort(reason);
    expect(await ping).toBe(reason);
    await runner.release();
    await pingDatabase(dataSource, new AbortController().signal);
    await dataSource.destroy();
  });
});

describe('createTestDatabase', () => {
  it('says what to do when there is no server', async () => {
    const error = await fails(createTestDatabase(undefined));
    expect(error).toBeInstanceOf(TestDatabaseUrlError);
    expect(error.message).toContain('npm test');
  });

  it('makes an empty database and removes it, connections or not', async () => {
    const database = await createTestDatabase(process.env['DATABASE_URL']);
    const dataSource = createDataSource({ url: database.url });
    await connectDataSource(dataSource, { startTimeoutMs: 10_000 });
    await database.drop();
    await database.drop();
    expect((await fails(dataSource.query('SELECT 1'))).message).toContain('does not exist');
    await dataSource.destroy();
  });
});
