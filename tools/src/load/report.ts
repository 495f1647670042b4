import { availableParallelism, cpus } from 'node:os';

import { type Stage, usersAt } from './arrivals.ts';
import type { Figures, Recorder, Second } from './recorder.ts';
import { renderPlot } from './svg-plot.ts';
import type { Action, Mix } from './workload.ts';

/** What the platform is to hold under this load. */
export const GOALS = { p95Ms: 400, errorRate: 0.01 } as const;

export interface LoadSetup {
  readonly stages: readonly Stage[];
  readonly mix: Mix;
  /** A second. */
  readonly requestsPerUser: number;
  readonly seed: number;
}

/** Also what `load.json` holds. */
export interface LoadReport extends LoadSetup {
  readonly model: string;
  readonly machine: string;
  readonly total: Figures;
  readonly byAction: Partial<Record<Action, Figures>>;
  readonly errorKinds: Readonly<Record<string, number>>;
  /** Of the generator: above a few milliseconds the figures are partly its own. */
  readonly generatorLagP99Ms: number;
  readonly timeline: readonly (Second & { readonly users: number })[];
  readonly goals: { readonly p95Ms: number; readonly errorRate: number; readonly met: boolean };
}

export function makeReport(setup: LoadSetup, recorder: Recorder): LoadReport {
  const { total } = recorder;
  const seconds = setup.stages.reduce((sum, it) => sum + it.seconds, 0);
  const met = total.p95Ms !== null && total.p95Ms < GOALS.p95Ms && total.errorRate < GOALS.errorRate;
  return {
    ...setup,
    model:
      'open: requests are due at random times and measured from then, whether or not others are answered',
    machine: `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), load generator on the same machine`,
    total,
    byAction: recorder.byAction,
    errorKinds: recorder.errorKinds,
    generatorLagP99Ms: recorder.lagP99Ms,
    timeline: recorder
      .timeline(seconds)
      .map((it) => ({ ...it, users: usersAt(setup.stages, it.second * 1_000) })),
    goals: { ...GOALS, met },
  };
}

/** The files of a report by their names. */
export function renderReport(report: LoadReport): Record<string, string> {
  const { timeline } = report;
  const curve = (name: string, color: string, of: (it: (typeof timeline)[number]) => number | null) => ({
    name,
    color,
    values: timeline.map(of),
  });
  return {
    'load.json': `${JSON.stringify(report, null, 2)}\n`,
    'load.md': renderMarkdown(report),
    'latency.svg': renderPlot({
      title: 'Time from due to answered, p95 of each second',
      unit: 'ms',
      curves: [curve('p95', '#c0392b', (it) => it.p95Ms)],
    }),
    'throughput.svg': renderPlot({
      title: 'Users, requests and errors',
      unit: 'users, requests a second',
      curves: [
        curve('users', '#7f8c8d', (it) => it.users),
        curve('requests', '#2980b9', (it) => it.requests),
        curve('errors', '#c0392b', (it) => it.errors),
      ],
    }),
  };
}

export function renderMarkdown(report: LoadReport): string {
  const { total, byAction, goals, errorKinds, stages } = report;
  const rows = [...Object.entries(byAction), ['all', total] as const].map(([name, it]) =>
    [
      name,
      it.requests,
      it.errors,
      ...[it.p50Ms, it.p90Ms, it.p95Ms, it.p99Ms, it.maxMs].map(milliseconds),
    ].join(' | '),
  );
  const users = [0, ...stages.map((it) => it.users)].join(' – ');
  const kinds = Object.entries(errorKinds).map(([kind, count]) => `${count} × ${kind}`);
  return [
    '# Load test',
    '',
    `${users} users in ${stages.reduce((sum, it) => sum + it.seconds, 0)} s, ${report.requestsPerUser} requests a second each; mix ${JSON.stringify(report.mix)}; seed ${report.seed}.`,
    `Model ${report.model}. Percentiles are of what was answered with a 2xx, milliseconds.`,
    '',
    '| action | requests | errors | p50 | p90 | p95 | p99 | max |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map((it) => `| ${it} |`),
    '',
    `Goals, p95 under ${goals.p95Ms} ms and errors under ${goals.errorRate * 100} %: **${goals.met ? 'met' : 'missed'}** (${milliseconds(total.p95Ms)} ms, ${(total.errorRate * 100).toFixed(2)} %).${kinds.length === 0 ? '' : ` Errors: ${kinds.join(', ')}.`}`,
    `The generator itself was late by ${report.generatorLagP99Ms.toFixed(1)} ms (p99). ${report.machine}.`,
    '',
    '![latency](latency.svg)',
    '![throughput](throughput.svg)',
    '',
  ].join('\n');
}

function milliseconds(value: number | null): string {
  return value === null ? '–' : value.toFixed(1);
}
