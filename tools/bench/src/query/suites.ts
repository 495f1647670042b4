import type { BenchPostgres } from '../harness/postgres-server.ts';
import { formatNumber, formatRatio, type Line, type SuiteResult } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median, mediansOf } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { runWorker } from '../harness/worker-process.ts';
import { POOL_IDS, type PoolId, poolOf, type ReaderId, readerOf } from './libraries/variants.ts';
import type { MeasureInput } from './measure-worker.ts';
import { CONNECTIONS as FLOOD_CONNECTIONS, type FloodSample, LOW_CALLERS } from './measures/flood.ts';
import type { HitsSample } from './measures/hits.ts';
import { CONNECTIONS as LOAD_CONNECTIONS, type LoadSample, RATE_HZ } from './measures/load.ts';
import { CALLERS, type OverheadSample } from './measures/overhead.ts';
import { POPULAR_FILES, POPULAR_SHARE, READS_A_WRITE, type StatementsSample } from './measures/statements.ts';
import { createTable, FILES } from './table.ts';

const WORKER = new URL('measure-worker.ts', import.meta.url);
const percent = (share: number | undefined): string =>
  share === undefined ? 'n/a' : `${formatNumber(100 * share)} %`;

export async function runHitsSuite(options: SuiteOptions, server: BenchPostgres): Promise<SuiteResult> {
  const full = options.isQuick ? 10_000 : 100_000;
  const isCached = (id: ReaderId) => id === 'peregrine' || id === 'peregrine-typeorm';
  const ids: ReaderId[] = ['pg', 'typeorm', 'typeorm-cache', 'peregrine-typeorm', 'peregrine'];
  const samples = await collect<ReaderId, HitsSample>(ids, options, server, (reader, url) => ({
    suite: 'hits',
    reader,
    url,
    amount: isCached(reader) ? full : full / 20,
  }));
  const measured = medians(samples);
  const line = (field: keyof HitsSample, limit: number, what: string): Line => {
    const value = measured.get('peregrine')?.[field] ?? Number.NaN;
    return { what, measured: value, limit, bound: 'at most', unit: 'µs' };
  };
  return {
    title: 'A row that was read before',
    notes: [
      `One row by its primary key, of a thousand that were all read before, one read after the other: ${formatNumber(full)} from the`,
      `cache of peregrine, ${formatNumber(full / 20)} from PostgreSQL. CPU is that of the process that asks, with garbage collection.`,
      "TypeORM's own cache is the one that it comes with, in a table of the same database.",
    ],
    tables: [
      {
        caption: 'One read:',
        columns: ['How', 'CPU, µs', 'p50, µs', 'p99, µs', 'longest, µs'],
        rows: [...measured].map(([id, it]) => [
          readerOf(id).name,
          ...[it.cpu, it.p50, it.p99, it.max].map(formatNumber),
        ]),
      },
    ],
    lines: [
      line('cpu', 5, 'A hit with a one-row result, CPU'),
      line('p99', 1_000, `A hit, p99 of ${formatNumber(full)}`),
    ],
    samples: Object.fromEntries(samples),
  };
}

export async function runOverheadSuite(options: SuiteOptions, server: BenchPostgres): Promise<SuiteResult> {
  const samples = await collect<'both', OverheadSample[]>(['both'], options, server, (_, url) => ({
    suite: 'overhead',
    url,
    amount: options.isQuick ? 4 : 24,
  }));
  const rounds = samples.get('both') ?? [];
  const of = (callers: number, value: (sample: OverheadSample) => number) =>
    median(rounds.flatMap((it) => it.filter((sample) => sample.callers === callers).map(value)));
  const line = (callers: number, kind: 'cpu' | 'wall', unit: string): Line => ({
    what: `An uncached \`execute\` beside \`Pool.query\`, ${callers} at a time, ${unit}`,
    measured: 100 * (of(callers, (it) => it.ratio[kind]) - 1),
    limit: 10,
    bound: 'at most',
    unit: '% more',
  });
  return {
    title: 'What a statement costs that is not cached',
    notes: [
      'One row by its primary key. Both in one process, in turn, in blocks of 200, each pair of neighbouring blocks compared; both',
      "opened anew again and again after a warm-up, and pg's pool with the same `statement_timeout`. `execute` analyses, observes, counts",
      'and takes its connection by priority.',
    ],
    tables: [
      {
        caption: 'One uncached read, median:',
        columns: ['Callers', 'pg CPU, µs', '`execute` CPU, µs', 'x', 'pg, µs', '`execute`, µs', 'x'],
        rows: CALLERS.map((callers) => [
          String(callers),
          ...(['cpu', 'wall'] as const).flatMap((kind) => [
            formatNumber(of(callers, (it) => it.pg[kind])),
            formatNumber(of(callers, (it) => it.peregrine[kind])),
            formatRatio(of(callers, (it) => it.ratio[kind])),
          ]),
        ]),
      },
    ],
    lines: CALLERS.flatMap((it) => [line(it, 'cpu', 'CPU'), line(it, 'wall', 'time')]),
    samples: rounds,
  };
}

export async function runFloodSuite(options: SuiteOptions, server: BenchPostgres): Promise<SuiteResult> {
  const samples = await collect<PoolId, FloodSample>(POOL_IDS, options, server, (pool, url) => ({
    suite: 'flood',
    pool,
    url,
    amount: options.isQuick ? 1 : 4,
  }));
  const ratios = ratiosOf(samples, 'pg', 'peregrine', (it) => it.p99);
  return {
    title: 'High priority under a flood of low priority',
    notes: [
      `${FLOOD_CONNECTIONS} connections; ${LOW_CALLERS} callers of low priority ask for 5 ms of the server's time again and again, one of high priority for`,
      '`SELECT 1` with pauses of 5 ms.',
    ],
    tables: [
      {
        caption: 'From the call to the answer:',
        columns: ['Pool', 'high, p50, ms', 'high, p99, ms', 'low, 1/s'],
        rows: [...medians(samples)].map(([id, it]) => [
          poolOf(id).name,
          ...[it.p50, it.p99, it.low].map(formatNumber),
        ]),
      },
    ],
    lines: [
      {
        what: "p99 of high priority under the flood beside that of pg's pool",
        measured: median(ratios),
        limit: 5,
        bound: 'at least',
        unit: 'times better',
      },
    ],
    samples: Object.fromEntries(samples),
  };
}

export async function runLoadSuite(options: SuiteOptions, server: BenchPostgres): Promise<SuiteResult> {
  const samples = await collect<PoolId, LoadSample>(POOL_IDS, options, server, (pool, url) => ({
    suite: 'load',
    pool,
    url,
    amount: options.isQuick ? 1 : 4,
  }));
  const measured = medians(samples);
  return {
    title: 'The pool under load',
    notes: [
      `${LOAD_CONNECTIONS} connections; ${formatNumber(RATE_HZ)} statements of 10 ms a second at random times, half of what they can do. Efficiency is the share`,
      'of the statements that had a connection within 10 ms.',
    ],
    tables: [
      {
        caption: 'Connections for statements at random times:',
        columns: ['Pool', 'efficiency', 'wait, p99, ms', 'statements, 1/s'],
        rows: [...measured].map(([id, it]) => [
          poolOf(id).name,
          percent(it.efficiency),
          formatNumber(it.p99),
          formatNumber(it.rate),
        ]),
      },
    ],
    lines: [
      {
        what: 'Efficiency of the pool under load',
        measured: 100 * (measured.get('peregrine')?.efficiency ?? Number.NaN),
        limit: 90,
        bound: 'at least',
        unit: '%',
      },
    ],
    samples: Object.fromEntries(samples),
  };
}

export async function runStatementsSuite(options: SuiteOptions, server: BenchPostgres): Promise<SuiteResult> {
  const reads = options.isQuick ? 4_000 : 40_000;
  const ids: ReaderId[] = ['pg', 'typeorm', 'typeorm-cache', 'peregrine-typeorm', 'peregrine'];
  // What is counted hardly differs from round to round.
  const once = { ...options, repetitions: 1 };
  const samples = await collect<ReaderId, StatementsSample>(ids, once, server, (reader, url) => ({
    suite: 'statements',
    reader,
    url,
    amount: reads,
  }));
  const saved = (id: ReaderId) =>
    median(ratiosOf(samples, id, 'pg', (it) => it.statements).map((it) => 1 - it));
  const [first] = samples.get('pg') ?? [];
  return {
    title: 'Statements that PostgreSQL has to do',
    notes: [
      `${formatNumber(reads)} reads by eight callers: ${percent(POPULAR_SHARE)} of them of ${POPULAR_FILES} popular files and their lists (Zipf, exponent 0.99), the others`,
      `of any of ${formatNumber(FILES)} files; after every ${READS_A_WRITE} reads one write to what was read last. ${percent(first?.repeated)} of the reads ask for what`,
      'was asked before. Counted by pg_stat_statements: writes, and what the libraries ask on their own account, too. An answer is stale',
      'that is older than a write which was acknowledged before the question.',
    ],
    tables: [
      {
        caption: `${formatNumber(reads)} reads and ${formatNumber(first?.writes)} writes:`,
        columns: ['How', 'statements', 'fewer', 'stale answers', 'took, s'],
        rows: [...samples].map(([id, [it]]) => [
          readerOf(id).name,
          formatNumber(it?.statements),
          percent(saved(id)),
          formatNumber(it?.stale),
          formatNumber((it?.tookMs ?? Number.NaN) / 1_000),
        ]),
      },
    ],
    lines: [
      ...(['peregrine', 'peregrine-typeorm'] as const).map((id): Line => ({
        what: `Statements that PostgreSQL is spared, ${readerOf(id).name}`,
        measured: 100 * saved(id),
        limit: 80,
        bound: 'at least',
        unit: '% fewer',
      })),
      {
        what: 'Stale answers of peregrine',
        measured:
          (samples.get('peregrine')?.[0]?.stale ?? Number.NaN) +
          (samples.get('peregrine-typeorm')?.[0]?.stale ?? 0),
        limit: 0,
        bound: 'at most',
        unit: '',
      },
    ],
    samples: Object.fromEntries(samples),
  };
}

function collect<Id extends string, Sample>(
  ids: readonly Id[],
  { repetitions, progress }: SuiteOptions,
  server: BenchPostgres,
  inputOf: (id: Id, url: string) => MeasureInput,
): Promise<Map<Id, Sample[]>> {
  return runRounds(ids, repetitions, progress, (id) =>
    server.withDatabase(async (url) => {
      await createTable(url);
      return runWorker<Sample>(WORKER, inputOf(id, url));
    }),
  );
}

function medians<Id, Sample extends object>(samples: ReadonlyMap<Id, readonly Sample[]>) {
  const of = (all: readonly Sample[]) =>
    mediansOf(all as readonly Partial<Record<keyof Sample & string, number>>[]);
  return new Map([...samples].map(([id, all]) => [id, of(all)]));
}

/** One's figure by another's of the same round. */
function ratiosOf<Id, Sample>(
  samples: ReadonlyMap<Id, readonly Sample[]>,
  id: Id,
  by: Id,
  value: (sample: Sample) => number,
): number[] {
  const divisors = (samples.get(by) ?? []).map(value);
  return (samples.get(id) ?? []).map((it, round) => value(it) / (divisors[round] ?? Number.NaN));
}
