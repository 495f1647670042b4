import { availableParallelism, cpus, totalmem } from 'node:os';

import type { AiDemoReport } from './ai-demo.ts';
import type { IndexDemoReport } from './index-demo.ts';
import type { MemoriesDemoReport } from './memories-demo.ts';
import type { CacheFigures, ColdAndWarm, ConcurrentLoads } from './measure.ts';
import type { RetrievalDemoReport } from './retrieval-demo.ts';

/** Everything that the demo measured; also what `--json` writes. */
export interface DemoReport {
  readonly environment: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly redis: boolean;
  };
  readonly files: number;
  readonly sizeBytes: number;
  readonly importSeconds: number;
  readonly extractionSeconds: number;
  /** From then until passages of the files could be asked for. */
  readonly ingestSeconds: number;
  readonly byStatus: Record<string, number>;
  /** Added to every read of the storage in `fileLoad`. */
  readonly storageLatencyMs: number;
  readonly fileLoad: ColdAndWarm;
  readonly search: ColdAndWarm;
  readonly concurrent: ConcurrentLoads;
  /** What adaptive indexing made of a table without its indexes. */
  readonly indexes: IndexDemoReport;
  /** Source files below the folder, analysed twice; null without any. */
  readonly ai: AiDemoReport | null;
  readonly memories: MemoriesDemoReport;
  readonly retrieval: RetrievalDemoReport;
  readonly cache: {
    /** From before the first search and the first of two waves of 1,000 requests. */
    readonly fromCold: CacheFigures & { readonly hitRate: number };
    /** The second wave. */
    readonly onceWarm: CacheFigures & { readonly hitRate: number };
    readonly databaseCallsSaved: number;
  };
}

export function describeEnvironment(redis: boolean): DemoReport['environment'] {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    redis,
  };
}

/** The table that a person reads. */
export function formatReport(report: DemoReport): string {
  const { fileLoad, search, concurrent, cache, environment } = report;
  const rows: [string, string][] = [
    [
      'Imported',
      `${count(report.files)} files, ${(report.sizeBytes / 1_048_576).toFixed(1)} MiB in ${report.importSeconds.toFixed(1)} s`,
    ],
    ['Text extracted', `${seconds(report.extractionSeconds)} after the import; ${statuses(report.byStatus)}`],
    ['Passages made', `${seconds(report.ingestSeconds)} after that`],
    [`File load, cold (storage +${report.storageLatencyMs} ms)`, times(fileLoad.cold)],
    ['File load, warm', `${times(fileLoad.warm)}   ${fileLoad.timesFaster.toFixed(0)} times faster`],
    ['Search, first', times(search.cold)],
    ['Search, repeated', `${times(search.warm)}   ${search.timesFaster.toFixed(1)} times faster`],
    [
      '1,000 requests at once',
      `${times(concurrent)}   ${count(concurrent.requestsPerSecond)}/s, ${concurrent.errors} errors`,
    ],
    [
      'Cache hit rate',
      `${percent(cache.fromCold.hitRate)} from cold, ${percent(cache.onceWarm.hitRate)} once warm`,
    ],
    ['Database calls saved', count(cache.databaseCallsSaved)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const body = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const { node, cpu, cores, memoryGiB, redis } = environment;
  return [
    '',
    ...body,
    '',
    `  Node ${node}, ${cores} cores (${cpu}), ${memoryGiB} GiB, ${redis ? 'with' : 'without'} Redis; client on the same machine.`,
  ].join('\n');
}

function times({ p50Ms, p95Ms }: { p50Ms: number; p95Ms: number }): string {
  return `p50 ${p50Ms.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms`;
}

const seconds = (value: number) => `${value.toFixed(1)} s`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const count = (value: number) => Math.round(value).toLocaleString('en');

function statuses(byStatus: Record<string, number>): string {
  return Object.entries(byStatus)
    .filter(([, files]) => files > 0)
    .map(([status, files]) => `${count(files)} ${status}`)
    .join(', ');
}
