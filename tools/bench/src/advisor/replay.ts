import { readFile } from 'node:fs/promises';
import { type Advice, advise, createQueryOptimizer, IndexTrials } from '@peregrine/query-optimizer';
import pg from 'pg';

import { formatNumber, type SuiteResult, type Table } from '../harness/report.ts';
import { runRounds } from '../harness/rounds.ts';
import { median, quantile } from '../harness/statistics.ts';
import type { SuiteOptions } from '../harness/suite.ts';
import { loadFixture } from './fixture.ts';
import { REPLAY_KINDS, type ReplayStep, replaySteps } from './replay-mix.ts';
import { type AdvisorServers, withClient } from './servers.ts';

/** `watched` as in production: slow queries are timed, sampled and written to the history; `plain` without all of it. */
type Mode = 'watched' | 'plain';

/** One replay of all statements. */
interface Replay {
  /** Of this process and of the connections' backends together, milliseconds. */
  readonly cpuMs: number;
  readonly ownCpuMs: number;
  /** Milliseconds of every call, by statement. */
  readonly latencies: ReadonlyMap<string, readonly number[]>;
}

const FULL = { count: 10_000, scale: 0.3, rounds: 5 };
const QUICK = { count: 600, scale: 0.05, rounds: 2 };
const WARM_UP = 300;
/** Linux counts the time of a process in ticks of 10 ms. */
const TICK_MS = 10;

/** What watching costs, and what the advice is worth, over a replayed workload. */
export async function runReplaySuite(
  { isQuick, repetitions, progress }: SuiteOptions,
  servers: AdvisorServers,
): Promise<SuiteResult> {
  const { count, scale, rounds } = isQuick ? QUICK : FULL;
  const url = await progress.step('replay: load', async () =>
    loadFixture(await servers.embedded(), 'decision-support', scale),
  );
  const steps = replaySteps(count, scale);
  const before = await progress.step('replay: without indexes', () => replay(url, steps, 'plain'));
  const advice = await progress.step('replay: advise and build', () => improve(url, steps, before));
  const samples = await runRounds<Mode, Replay>(
    ['plain', 'watched'],
    isQuick ? rounds : Math.max(rounds, repetitions),
    progress,
    (mode) => replay(url, steps, mode),
  );
  const [plain = [], watched = []] = [samples.get('plain'), samples.get('watched')];
  const overheads = plain.map((it, i) => 100 * ((watched[i]?.cpuMs ?? Number.NaN) / it.cpuMs - 1));
  return {
    title: `A replay of ${formatNumber(count)} statements`,
    notes: [
      `An application's mix on the tables of decision-support, one statement after the other, nothing cached; ${advice.recommendations.length} indexes`,
      'were advised, built and judged between the first replay and the others. CPU is that of the process and of its connections’',
      'backends; watched and plain take turns, and each pair of neighbours is compared.',
    ],
    tables: [cpuTable(plain, watched), latencyTable(before, plain)],
    lines: [
      { what: 'CPU of watching', measured: median(overheads), limit: 2, bound: 'at most', unit: '% more' },
    ],
    samples: { overheads, advisedMs: advice.elapsedMs },
  };
}

async function replay(url: string, steps: readonly ReplayStep[], mode: Mode): Promise<Replay> {
  const optimizer = await createQueryOptimizer({
    connectionString: url,
    pool: { min: 1, max: 2, reserve: 0 },
    cache: { enabled: false, listen: false },
    slowQueries: { enabled: mode === 'watched', history: { install: mode === 'watched' } },
  });
  try {
    for (const { kind, parameters } of steps.slice(0, WARM_UP))
      await optimizer.execute(kind.text, parameters);
    const latencies = new Map<string, number[]>(REPLAY_KINDS.map((it) => [it.id, []]));
    const [own, backends] = [process.cpuUsage(), await backendCpuMs(url)];
    for (const { kind, parameters } of steps) {
      const start = performance.now();
      await optimizer.execute(kind.text, parameters);
      latencies.get(kind.id)?.push(performance.now() - start);
    }
    const { user, system } = process.cpuUsage(own);
    const ownCpuMs = (user + system) / 1_000;
    return { cpuMs: ownCpuMs + (await backendCpuMs(url)) - backends, ownCpuMs, latencies };
  } finally {
    await optimizer.close();
  }
}

/** Of all connections to the database but this one; NaN where the system does not tell. */
async function backendCpuMs(url: string): Promise<number> {
  const pids = await withClient(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    return rows.map((it) => it.pid);
  });
  const ticks = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      // The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
      const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
      return fields === undefined ? Number.NaN : Number(fields[11]) + Number(fields[12]);
    }),
  );
  return ticks.reduce((sum, it) => sum + it, 0) * TICK_MS;
}

async function improve(url: string, steps: readonly ReplayStep[], { latencies }: Replay): Promise<Advice> {
  const source = new pg.Pool({ connectionString: url, max: 2 });
  try {
    const workload = REPLAY_KINDS.map(({ id, text }) => {
      const times = latencies.get(id) ?? [];
      const parameters = steps.find((it) => it.kind.id === id)?.parameters ?? [];
      const totalMs = times.reduce((sum, it) => sum + it, 0);
      return { id, text, parameters, calls: Math.max(1, times.length), totalMs };
    });
    const advice = await advise(workload, { source });
    const candidates = advice.recommendations.map((plan) => ({ plan, statements: workload }));
    await new IndexTrials({ source }).runTogether(candidates, {}, { watched: workload });
    await source.query('VACUUM ANALYZE');
    return advice;
  } finally {
    await source.end();
  }
}

function cpuTable(plain: readonly Replay[], watched: readonly Replay[]): Table {
  const row = (what: string, of: readonly Replay[]) => [
    what,
    formatNumber(median(of.map((it) => it.cpuMs))),
    formatNumber(median(of.map((it) => it.ownCpuMs))),
  ];
  return {
    caption: 'CPU of one replay, medians:',
    columns: ['How', 'All, ms', 'Of it this process, ms'],
    rows: [row('plain', plain), row('watched, as in production', watched)],
  };
}

function latencyTable(before: Replay, after: readonly Replay[]): Table {
  const rows = [...REPLAY_KINDS.map((it) => it.id), 'all of them'].map((id) => {
    const then = latenciesOf([before], id);
    const now = latenciesOf(after, id);
    const fields = [0.5, 0.99].flatMap((q) => [quantile(then, q), quantile(now, q)]);
    return [
      id,
      ...fields.map(formatNumber),
      `${formatNumber(100 * (1 - (fields[1] ?? 0) / (fields[0] ?? 1)))} %`,
    ];
  });
  return {
    caption: 'Latency before and after the advised indexes:',
    columns: ['Statement', 'p50 before, ms', 'p50 after', 'p99 before', 'p99 after', 'p50 less'],
    rows,
  };
}

function latenciesOf(replays: readonly Replay[], id: string): readonly number[] {
  return replays.flatMap(({ latencies }) =>
    [...latencies].filter(([kind]) => id === 'all of them' || kind === id).flatMap(([, times]) => times),
  );
}
