import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { LedgerEntry, Recommendation, WorkloadStatement } from '@peregrine/query-optimizer';
import pg from 'pg';

import { ROOT } from '../src/paths.ts';

// Lazily, as the tools do, which use what was built a moment before: the layer rule wants one way.
const { createTestDatabase } = await import('@peregrine/database/testing');

const { DATABASE_URL, NODE_OPTIONS: _options, ...inherited } = process.env;
const SCHEMA = `
  CREATE TABLE purchase (id int PRIMARY KEY, customer int NOT NULL, product int NOT NULL, note text NOT NULL);
  INSERT INTO purchase SELECT i, i % 4000, i % 3000, 'note ' || i FROM generate_series(1, 40000) i;
  ANALYZE purchase;`;
const PASSWORD = 'reader';
export const BY_CUSTOMER = 'SELECT note FROM purchase WHERE customer = 7';
export const BY_PRODUCT = 'SELECT note FROM purchase WHERE product = $1';

export type GivenRecommendation = Recommendation & { readonly workload: readonly WorkloadStatement[] };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run optimizer` without npm, as a program calls it: neither of its streams is a terminal. */
export function beginOptimizer(args: readonly string[]): {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
} {
  const child = spawn(process.execPath, [join(ROOT, 'tools/src/optimizer.ts'), ...args], {
    env: inherited,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, ended: collect(child) };
}

async function collect(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk: Buffer) => (texts[name] += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** A database with a table that lacks two indexes, statements that want them, and a role that may do nothing. */
export class OptimizerSubject {
  readonly pool: pg.Pool;
  readonly url: string;
  readonly role: string;
  /** With `by-customer.sql` and `by-product.sql`. */
  statements = '';
  readonly folder: string;
  private readonly drop: () => Promise<void>;

  private constructor(url: string, drop: () => Promise<void>, folder: string) {
    this.url = url;
    this.drop = drop;
    this.folder = folder;
    this.role = `peregrine_tool_${randomBytes(4).toString('hex')}`;
    this.pool = new pg.Pool({ connectionString: url, max: 3 });
    // Its connections are cut when the database is dropped.
    this.pool.on('error', () => undefined);
  }

  static async create(): Promise<OptimizerSubject> {
    const database = await createTestDatabase(DATABASE_URL);
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-optimizer-tool-'));
    const subject = new OptimizerSubject(database.url, () => database.drop(), folder);
    await subject.pool.query(SCHEMA);
    await subject.pool.query(`CREATE ROLE ${subject.role} LOGIN PASSWORD '${PASSWORD}'`);
    subject.statements = await subject.folderOf({
      'by-customer.sql': `${BY_CUSTOMER};\n`,
      'by-product.sql': BY_PRODUCT,
    });
    return subject;
  }

  /** The same database for the role without rights. */
  get urlOfRole(): string {
    return Object.assign(new URL(this.url), { username: this.role, password: PASSWORD }).href;
  }

  run(command: string, ...args: string[]): Promise<Ended> {
    return beginOptimizer([command, '--no-build', '--url', this.url, ...args]).ended;
  }

  async indexes(): Promise<readonly string[]> {
    const { rows } = await this.pool.query<{ name: string }>(
      `SELECT indexrelid::regclass::text AS name FROM pg_index
        WHERE indrelid = 'purchase'::regclass AND NOT indisprimary ORDER BY 1`,
    );
    return rows.map((it) => it.name);
  }

  /** A new folder with these files. */
  async folderOf(files: Readonly<Record<string, string>>): Promise<string> {
    const path = await mkdtemp(join(this.folder, 'statements-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    return path;
  }

  /** What `recommend` says about the statements, in a file. */
  async advise(): Promise<{
    readonly file: string;
    readonly recommendations: readonly GivenRecommendation[];
  }> {
    const { stdout } = await this.run('recommend', '--statements', this.statements, '--json');
    const file = join(this.folder, `advice-${randomBytes(4).toString('hex')}.json`);
    await writeFile(file, stdout);
    return { file, ...(JSON.parse(stdout) as { recommendations: GivenRecommendation[] }) };
  }

  /** Runs a statement as a program does for which everything is slow, and which has written that down when this resolves. */
  async slowly(sql: string): Promise<void> {
    const { createQueryOptimizer } = await import('@peregrine/query-optimizer');
    const optimizer = await createQueryOptimizer({
      connectionString: this.url,
      pool: { min: 1, max: 2, reserve: 0 },
      cache: { enabled: false, listen: false },
      slowQueries: { thresholdMs: 0, history: { install: true } },
    });
    await optimizer.execute(sql);
    await optimizer.slowQueries.settled();
    await optimizer.close();
    // The server counts what a connection has read when that has ended.
    while (!(await this.#isCounted())) await delay(20);
  }

  async #isCounted(): Promise<boolean> {
    const { rows } = await this.pool.query<{ scans: number }>(
      `SELECT seq_scan::int AS scans FROM pg_stat_user_tables WHERE relname = 'purchase'`,
    );
    return (rows[0]?.scans ?? 0) > 0;
  }

  /** As it was before anything was built. */
  async reset(): Promise<void> {
    for (const name of await this.indexes()) await this.pool.query(`DROP INDEX ${name}`);
    await this.pool.query(
      'DROP TABLE IF EXISTS peregrine_index_ledger, peregrine_slow_queries, peregrine_query_plans',
    );
  }

  async remove(): Promise<void> {
    await this.pool.query(`DROP OWNED BY ${this.role}; DROP ROLE ${this.role}`);
    await this.pool.end();
    await this.drop();
    await rm(this.folder, { recursive: true });
  }
}

export const ledgerOf = ({ stdout }: Ended): readonly LedgerEntry[] =>
  (JSON.parse(stdout) as { ledger: LedgerEntry[] }).ledger;
