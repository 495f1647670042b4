import { setImmediate as turn } from 'node:timers/promises';
import DataLoader from 'dataloader';
import { type Client } from 'pg';
import { type DataSource, EntitySchema, In } from 'typeorm';
import { type NPlusOneDetector } from '../../src/n-plus-one/n-plus-one-detector.js';
import { type PriorityPool } from '../../src/pool/priority-pool.js';

/** What a small program has at hand. Twelve authors, three posts each, two comments a post, a chain of folders. */
export interface Tools {
  readonly pool: PriorityPool;
  readonly source: DataSource;
  readonly detector: NPlusOneDetector;
}
export type Program = (tools: Tools) => Promise<unknown>;

export interface Author {
  id: number;
  name: string;
  posts?: Post[];
}
export interface Post {
  id: number;
  title: string;
  authorId: number;
  author?: Author;
}

export const authorSchema = new EntitySchema<Author>({
  name: 'author',
  columns: { id: { type: 'int', primary: true }, name: { type: 'text' } },
  relations: { posts: { type: 'one-to-many', target: 'post', inverseSide: 'author' } },
});
export const postSchema = new EntitySchema<Post>({
  name: 'post',
  columns: {
    id: { type: 'int', primary: true },
    title: { type: 'text' },
    authorId: { type: 'int', name: 'author_id' },
  },
  relations: {
    author: {
      type: 'many-to-one',
      target: 'author',
      inverseSide: 'posts',
      joinColumn: { name: 'author_id' },
    },
  },
});

export const SCHEMA = `
  CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL, slug text UNIQUE);
  CREATE TABLE post (id int PRIMARY KEY, title text NOT NULL, author_id int NOT NULL REFERENCES author, at date);
  CREATE TABLE comment (id int PRIMARY KEY, post_id int NOT NULL REFERENCES post, body text NOT NULL);
  CREATE TABLE folder (id int PRIMARY KEY, parent int, name text NOT NULL);
  CREATE TABLE job (id int PRIMARY KEY, state text NOT NULL);
  CREATE TABLE setting (name text PRIMARY KEY, value text);
  INSERT INTO author SELECT n, 'author ' || n, 'author-' || n FROM generate_series(1, 12) n;
  INSERT INTO post SELECT n, 'post ' || n, 1 + n % 12, date '2026-01-01' + n FROM generate_series(1, 36) n;
  INSERT INTO comment SELECT n, 1 + n % 36, 'comment ' || n FROM generate_series(1, 72) n;
  INSERT INTO folder SELECT n, CASE WHEN n > 1 THEN n / 2 END, 'folder ' || n FROM generate_series(1, 15) n;
  INSERT INTO job SELECT n, 'new' FROM generate_series(1, 10) n;
  INSERT INTO setting VALUES ('theme', 'dark');
  CREATE SEQUENCE ticket;`;

interface Row {
  id: number;
  name: string;
  parent: number;
  author_id: number;
}

const authors = async ({ pool }: Tools) =>
  (await pool.query<Row>('SELECT id, name FROM author ORDER BY id')).rows;
const postsOf = async ({ pool }: Tools, id: number) =>
  (await pool.query<Row>('SELECT * FROM post WHERE author_id = $1', [id])).rows;

/** Each asks for one after the other what it could have asked for at once. */
export const guilty: Readonly<Record<string, Program>> = {
  'a loop over rows': async (tools) => {
    for (const { id } of await authors(tools)) await postsOf(tools, id);
  },
  'all at the same time': async (tools) => {
    await Promise.all((await authors(tools)).map(({ id }) => postsOf(tools, id)));
  },
  'a chain of promises': async (tools) => {
    let chain: Promise<unknown> = Promise.resolve();
    for (const { id } of await authors(tools)) chain = chain.then(() => postsOf(tools, id));
    await chain;
  },
  'a reduce': async (tools) => {
    await (
      await authors(tools)
    ).reduce<Promise<unknown>>(async (before, { id }) => {
      await before;
      return postsOf(tools, id);
    }, Promise.resolve());
  },
  'an async generator': async (tools) => {
    async function* each() {
      for (const { id } of await authors(tools)) yield postsOf(tools, id);
    }
    for await (const posts of each()) void posts;
  },
  'a while with an index': async (tools) => {
    const rows = await authors(tools);
    let index = 0;
    while (index < rows.length) await postsOf(tools, rows[index++]!.id);
  },
  'a loop with turns of the event loop in between': async (tools) => {
    for (const { id } of await authors(tools)) {
      await turn();
      await postsOf(tools, id);
    }
  },
  'the repository in a loop': async (tools) => {
    for (const { id } of await authors(tools))
      await tools.source.getRepository(authorSchema).findOneBy({ id });
  },
  'a find of the other side in a loop': async (tools) => {
    for (const author of await tools.source.getRepository(authorSchema).find()) {
      author.posts = await tools.source.getRepository(postSchema).find({ where: { authorId: author.id } });
    }
  },
  'a relation in the condition': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.source.getRepository(postSchema).find({ where: { author: { id } } });
    }
  },
  'the query builder in a loop': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.source.createQueryBuilder(postSchema, 'p').where('p.author_id = :id', { id }).getMany();
    }
  },
  'a loader of relations in a loop': async (tools) => {
    for (const author of await tools.source.getRepository(authorSchema).find()) {
      await tools.source.createQueryBuilder().relation(authorSchema, 'posts').of(author).loadMany();
    }
  },
  'a count for each': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query('SELECT count(*) FROM post WHERE author_id = $1', [id]);
    }
  },
  'an existence test for each': async (tools) => {
    for (const id of [1, 2, 3, 4, 5, 6, 7]) await tools.pool.query('SELECT 1 FROM post WHERE id = $1', [id]);
  },
  'the newest two of each': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query('SELECT * FROM post WHERE author_id = $1 ORDER BY at DESC LIMIT 2', [id]);
    }
  },
  'values in the text': async (tools) => {
    for (const { id } of await authors(tools))
      await tools.pool.query(`SELECT * FROM post WHERE author_id = ${id}`);
  },
  'a list of one': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query('SELECT * FROM post WHERE author_id IN ($1)', [id]);
    }
  },
  'an array of one': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query('SELECT * FROM post WHERE author_id = ANY($1)', [[id]]);
    }
  },
  'inside one transaction': async (tools) => {
    await tools.pool.use(async (client: Client) => {
      await client.query('BEGIN');
      const { rows } = await client.query<Row>('SELECT id FROM author');
      for (const { id } of rows) await client.query('SELECT * FROM post WHERE author_id = $1', [id]);
      await client.query('COMMIT');
    });
  },
  'ids of the request': async (tools) => {
    for (const id of [3, 1, 4, 15, 9, 26])
      await tools.pool.query('SELECT * FROM comment WHERE id = $1', [id]);
  },
  'a key of text': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query('SELECT * FROM author WHERE slug = $1', [`author-${id}`]);
    }
  },
  'a join for each': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query(
        'SELECT c.body FROM comment c JOIN post p ON p.id = c.post_id WHERE p.author_id = $1',
        [id],
      );
    }
  },
  'a second condition that stays': async (tools) => {
    for (const { id } of await authors(tools)) {
      await tools.pool.query('SELECT * FROM post WHERE title <> $1 AND author_id = $2', ['x', id]);
    }
  },
  'loops in loops': async (tools) => {
    for (const { id } of (await authors(tools)).slice(0, 3)) {
      for (const post of await postsOf(tools, id)) {
        await tools.pool.query('SELECT * FROM comment WHERE post_id = $1', [post.id]);
      }
    }
  },
  'a tree, level by level': async (tools) => {
    const walk = async (id: number): Promise<void> => {
      const { rows } = await tools.pool.query<Row>('SELECT id FROM folder WHERE parent = $1', [id]);
      for (const it of rows) await walk(it.id);
    };
    await walk(1);
  },
  'a look before every insert': async (tools) => {
    for (const id of [101, 102, 103, 104, 105, 106]) {
      const { rowCount } = await tools.pool.query('SELECT 1 FROM job WHERE id = $1', [id % 2 ? id : 1]);
      if (rowCount === 0) await tools.pool.query(`INSERT INTO job VALUES ($1, 'new')`, [id]);
    }
  },
};

/** Each repeats a statement for a good reason, or repeats none. */
export const innocent: Readonly<Record<string, Program>> = {
  'pages by offset': async ({ pool }) => {
    for (let page = 0; page < 8; page++) {
      await pool.query('SELECT * FROM post ORDER BY id LIMIT 5 OFFSET $1', [page * 5]);
    }
  },
  'pages by key': async ({ pool }) => {
    let last = 0;
    for (;;) {
      const { rows } = await pool.query<Row>('SELECT * FROM post WHERE id > $1 ORDER BY id LIMIT 5', [last]);
      if (rows.length === 0) return;
      last = rows.at(-1)!.id;
    }
  },
  'pages by key within one author': async ({ pool }) => {
    for (let last = 0; last < 36; last += 5) {
      await pool.query('SELECT * FROM post WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT 1', [1, last]);
    }
  },
  'pages of the repository': async ({ source }) => {
    for (let skip = 0; skip < 36; skip += 6) {
      await source.getRepository(postSchema).find({ order: { id: 'ASC' }, skip, take: 6 });
    }
  },
  'waiting for a state': async ({ pool }) => {
    for (let i = 0; i < 9; i++) await pool.query('SELECT state FROM job WHERE id = $1', [1]);
  },
  'a setting that is read again and again': async ({ pool }) => {
    for (let i = 0; i < 9; i++) await pool.query('SELECT value FROM setting WHERE name = $1', ['theme']);
  },
  'a probe for a free name': async ({ pool }) => {
    for (let n = 1; n <= 20; n++) {
      const { rowCount } = await pool.query('SELECT 1 FROM author WHERE slug = $1', [`author-${n}`]);
      if (rowCount === 0) return;
    }
  },
  'a probe for the first that is there': async ({ pool }) => {
    for (let n = 30; n > 0; n--) {
      const { rowCount } = await pool.query('SELECT 1 FROM author WHERE slug = $1', [`author-${n}`]);
      if (rowCount) return;
    }
  },
  'chunks of keys': async (tools) => {
    const ids = Array.from({ length: 36 }, (_, index) => index + 1);
    for (let start = 0; start < 36; start += 6) {
      await tools.pool.query('SELECT * FROM post WHERE id = ANY($1)', [ids.slice(start, start + 6)]);
    }
  },
  'chunks of the repository': async ({ source }) => {
    for (let start = 0; start < 12; start += 2) {
      await source.getRepository(authorSchema).find({ where: { id: In([start + 1, start + 2]) } });
    }
  },
  'a loader': async (tools) => {
    const loader = new DataLoader<number, Row[]>(async (ids) => {
      const { rows } = await tools.pool.query<Row>('SELECT * FROM post WHERE author_id = ANY($1)', [
        [...ids],
      ]);
      return ids.map((id) => rows.filter((it) => it.author_id === id));
    });
    await Promise.all((await authors(tools)).map(({ id }) => loader.load(id)));
  },
  'a join': async ({ pool }) => {
    await pool.query('SELECT * FROM author a JOIN post p ON p.author_id = a.id');
  },
  'relations of the repository': async ({ source }) => {
    await source.getRepository(authorSchema).find({ relations: { posts: true } });
  },
  'relations by separate queries': async ({ source }) => {
    await source
      .getRepository(authorSchema)
      .find({ relations: { posts: true }, relationLoadStrategy: 'query' });
  },
  inserts: async ({ pool }) => {
    for (let id = 200; id < 210; id++) await pool.query(`INSERT INTO job VALUES ($1, 'new')`, [id]);
  },
  updates: async ({ pool }) => {
    for (let id = 1; id < 10; id++) await pool.query(`UPDATE job SET state = 'seen' WHERE id = $1`, [id]);
  },
  'a save of many': async ({ source }) => {
    const rows = Array.from({ length: 10 }, (_, index) => ({ id: 500 + index, name: 'new' }));
    await source.getRepository(authorSchema).save(rows);
    await source.getRepository(authorSchema).delete(rows.map((it) => it.id));
  },
  'a worker that claims': async ({ pool }) => {
    for (let i = 0; i < 9; i++) {
      await pool.query(`SELECT id FROM job WHERE state = 'new' LIMIT 1 FOR UPDATE SKIP LOCKED`);
    }
  },
  'locks in order': async ({ pool }) => {
    await pool.use(async (client) => {
      await client.query('BEGIN');
      for (const id of [1, 2, 3, 4, 5, 6])
        await client.query('SELECT 1 FROM job WHERE id = $1 FOR UPDATE', [id]);
      await client.query('COMMIT');
    });
  },
  'a transaction for each': async ({ source }) => {
    for (const id of [1, 2, 3, 4, 5, 6, 7]) {
      await source.transaction(async (manager) => {
        await manager.query('SELECT * FROM author WHERE id = $1', [id]);
        await manager.query(`UPDATE author SET name = name WHERE id = $1`, [id]);
      });
    }
  },
  'a few': async (tools) => {
    for (const id of [1, 2, 3, 4]) await postsOf(tools, id);
  },
  'one each from different places': async (tools) => {
    await postsOf(tools, 1);
    await postsOf(tools, 2);
    await postsOf(tools, 3);
    await postsOf(tools, 4);
    await postsOf(tools, 5);
    await postsOf(tools, 6);
  },
  'one each in requests of their own': async (tools) => {
    for (const id of [1, 2, 3, 4, 5, 6, 7])
      await tools.detector.watch(`request ${id}`, () => postsOf(tools, id));
  },
  'a loop that is allowed': async (tools) => {
    await tools.detector.allow('a report over few authors', async () => {
      for (const { id } of await authors(tools)) await postsOf(tools, id);
    });
  },
  'numbers of a sequence': async ({ pool }) => {
    for (let i = 0; i < 9; i++) await pool.query(`SELECT nextval('ticket')`);
  },
  'health checks': async ({ pool }) => {
    for (let i = 0; i < 9; i++) await pool.query('SELECT 1');
  },
  'advisory locks': async ({ pool }) => {
    for (let i = 0; i < 9; i++) await pool.query('SELECT pg_advisory_xact_lock($1)', [i]);
  },
  'a window of time after the other': async ({ pool }) => {
    for (let day = 0; day < 30; day += 5) {
      await pool.query(
        `SELECT count(*) FROM post WHERE at >= date '2026-01-01' + $1::int AND at < date '2026-01-06' + $1::int`,
        [day],
      );
    }
  },
  'different tables': async ({ pool }) => {
    for (const table of ['author', 'post', 'comment', 'folder', 'job', 'setting']) {
      await pool.query(`SELECT count(*) FROM ${table}`);
    }
  },
  'a cursor': async ({ pool }) => {
    await pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query('DECLARE c CURSOR FOR SELECT * FROM post');
      for (let i = 0; i < 8; i++) await client.query('FETCH 5 FROM c');
      await client.query('COMMIT');
    });
  },
};
