import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Growth } from './memory-growth.ts';
import { type LoadReport, makeReport } from './report.ts';
import type { Soak } from './soak.ts';
import { renderPlot } from './svg-plot.ts';

/** Also what `soak.json` holds. */
export interface SoakReport {
  readonly load: LoadReport;
  readonly warmUpSeconds: number;
  readonly growths: readonly Growth[];
  readonly isFlat: boolean;
}

/** Writes soak.json, soak.md and a plot; @returns what they say */
export async function writeSoakReport(
  soak: Soak,
  out: string,
): Promise<{ report: SoakReport; text: string }> {
  const { setup, recorder, warmUpSeconds, growths } = soak;
  const isFlat = growths.length > 0 && growths.every((it) => it.isFlat);
  const report: SoakReport = { load: makeReport(setup, recorder), warmUpSeconds, growths, isFlat };
  const text = renderSoak(report);
  await mkdir(out, { recursive: true });
  await writeFile(
    join(out, 'soak.json'),
    `${JSON.stringify({ ...report, samples: [...soak.samples] }, null, 2)}\n`,
  );
  await writeFile(join(out, 'soak.md'), text);
  await writeFile(join(out, 'memory.svg'), renderMemory(soak));
  return { report, text };
}

function renderSoak({ load, warmUpSeconds, growths, isFlat }: SoakReport): string {
  const seconds = load.stages.reduce((sum, it) => sum + it.seconds, 0);
  const { requests, errors, p95Ms } = load.total;
  return [
    '# Soak',
    '',
    `${load.stages.at(-1)?.users} users for ${seconds} s, ${load.requestsPerUser} requests a second each; mix ${JSON.stringify(load.mix)}; seed ${load.seed}.`,
    `${requests} requests, ${errors} errors, p95 ${p95Ms === null ? '–' : p95Ms.toFixed(1)} ms. ${load.machine}.`,
    `Heap after a collection every two seconds; slopes (Theil-Sen, 95 % confidence) after ${warmUpSeconds.toFixed(0)} s of warm-up.`,
    '',
    '| process | figure | median | a minute | from | to | in all | verdict |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |',
    ...growths.map(
      (it) =>
        `| ${it.process} | ${it.figure} | ${mebibytes(it.medianBytes)} | ${kibibytes(it.bytesPerMinute)} | ${kibibytes(it.lowPerMinute)} | ${kibibytes(it.highPerMinute)} | ${(it.growthRatio * 100).toFixed(2)} % | ${it.isFlat ? 'flat' : 'RISING'} |`,
    ),
    '',
    `Memory is **${isFlat ? 'flat' : 'not flat'}**.`,
    '',
    '![memory](memory.svg)',
    '',
  ].join('\n');
}

const COLORS = ['#2980b9', '#c0392b', '#27ae60', '#8e44ad', '#d35400', '#7f8c8d'];

/** One point a second; between samples the last one holds. */
function renderMemory({ samples, setup }: Soak): string {
  const seconds = Math.ceil(setup.stages.reduce((sum, it) => sum + it.seconds, 0));
  const figures = [...samples].flatMap(([name, its]) => [
    { name: `${name} RSS`, values: its.map((it) => [it.seconds, it.rssBytes] as const) },
    { name: `${name} heap`, values: its.map((it) => [it.seconds, it.heapBytes] as const) },
  ]);
  return renderPlot({
    title: 'Memory',
    unit: 'MiB',
    curves: figures.map(({ name, values }, index) => ({
      name,
      color: COLORS[index % COLORS.length] ?? '',
      values: Array.from({ length: seconds }, (_, second) => {
        const bytes = values.findLast(([at]) => at <= second)?.[1] ?? null;
        return bytes === null ? null : bytes / 2 ** 20;
      }),
    })),
  });
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const kibibytes = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KiB`;
