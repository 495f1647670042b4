import { seededRandom, zipfOrder } from '../../harness/random.ts';
import { queryPostgres } from '../../harness/postgres-server.ts';
import type { FileRow, Subject } from '../libraries/contract.ts';
import { FILES, WORKSPACES } from '../table.ts';

export interface StatementsSample {
  /** What PostgreSQL has counted, of everybody. */
  readonly statements: number;
  readonly reads: number;
  readonly writes: number;
  /** Share of the reads that ask for what was asked before. */
  readonly repeated: number;
  /** Answers that are older than a write that was acknowledged before the question. */
  readonly stale: number;
  /** Of the whole, milliseconds. */
  readonly tookMs: number;
}

export const POPULAR_SHARE = 0.8;
export const POPULAR_FILES = 500;
export const READS_A_WRITE = 100;
const PAGE_SHARE = 0.2;
const CALLERS = 8;
/** Popular files are in all workspaces. */
const APART = 19;

type Step = { readonly kind: 'one' | 'page' | 'write'; readonly id: number };

/** The same for all: mostly popular files and pages, by Zipf, else any file; and writes to what is read. */
export function stepsOf(reads: number): Step[] {
  const random = seededRandom(42);
  const popular = zipfOrder(POPULAR_FILES, reads, random);
  const pages = zipfOrder(WORKSPACES, reads, random);
  return Array.from(popular, (rank, i): Step[] => {
    const isPopular = random() < POPULAR_SHARE;
    const isPage = isPopular && random() < PAGE_SHARE;
    const id = 1 + (isPopular ? rank * APART : Math.floor(random() * FILES));
    const read: Step = isPage ? { kind: 'page', id: pages[i] ?? 0 } : { kind: 'one', id };
    return i % READS_A_WRITE === READS_A_WRITE - 1 ? [read, { kind: 'write', id }] : [read];
  }).flat();
}

/** @param reads besides the writes */
export async function measureStatements(
  subject: Subject,
  reads: number,
  url: string,
): Promise<StatementsSample> {
  const steps = stepsOf(reads);
  const asked = new Set(steps.filter((it) => it.kind !== 'write').map(({ kind, id }) => `${kind} ${id}`));
  await queryPostgres(url, 'SELECT pg_stat_statements_reset()');
  const startedAt = performance.now();
  const stale = await runAll(subject, steps);
  const tookMs = performance.now() - startedAt;
  const writes = steps.length - reads;
  const repeated = 1 - asked.size / reads;
  return { statements: await countStatements(url), reads, writes, repeated, stale, tookMs };
}

/** @returns how many answers were stale */
async function runAll(subject: Subject, steps: readonly Step[]): Promise<number> {
  /** How often a file was written for certain. */
  const written = new Uint32Array(FILES + 1);
  let stale = 0;
  let next = 0;
  const check = (rows: readonly FileRow[], known: (id: number) => number | undefined) => {
    if (rows.some(({ id, version }) => version < (known(id) ?? 0))) stale++;
  };
  const run = async ({ kind, id }: Step) => {
    if (kind === 'write') {
      await subject.write(id);
      written[id] = (written[id] ?? 0) + 1;
    } else if (kind === 'one') {
      const known = written[id];
      const row = await subject.readOne(id);
      check(row ? [row] : [], () => known);
    } else {
      const known = written.slice();
      check(await subject.readPage(id), (file) => known[file]);
    }
  };
  const caller = async () => {
    for (let step = steps[next++]; step; step = steps[next++]) await run(step);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return stale;
}

/** Of the whole database, also what libraries ask on their own account. */
async function countStatements(url: string): Promise<number> {
  const [row] = await queryPostgres<{ calls: number }>(
    url,
    `SELECT sum(calls)::int AS calls FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND query NOT LIKE '%pg_stat_statements_reset%'`,
  );
  return row?.calls ?? Number.NaN;
}
