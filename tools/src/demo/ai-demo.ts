import { glob, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

import type { Reporter } from '../reporter.ts';
import type { ApiClient } from './api-client.ts';
import { concurrently } from './concurrently.ts';

const SOURCES = '**/*.{js,mjs,cjs,jsx,ts,mts,cts,tsx}';
const MAX_FILES = 40;
/** Well below the limit of a request's body; larger ones are generated. */
const MAX_FILE_BYTES = 100_000;
const AT_ONCE = 4;

/** One round of analyses. */
interface Round {
  readonly seconds: number;
  /** Analyses that were made in it. */
  readonly made: number;
}

export interface AiDemoReport {
  readonly files: number;
  readonly findings: number;
  readonly first: Round;
  readonly again: Round;
}

interface Source {
  readonly code: string;
  readonly language: string;
}

/** Analyses source files below a folder, twice. Null when there is none. */
export async function demonstrateAi(
  api: ApiClient,
  folder: string,
  reporter: Reporter,
): Promise<AiDemoReport | null> {
  const sources = await readSources(folder);
  if (sources.length === 0) return null;
  return reporter.step(`${sources.length} source files analysed, twice`, async () => {
    let findings = 0;
    const first = await analyseAll(api, sources, (count) => (findings += count));
    const again = await analyseAll(api, sources, () => undefined);
    return { files: sources.length, findings, first, again };
  });
}

/** What the demo says of it. */
export function formatAiDemo(report: AiDemoReport | null): string {
  if (report === null) return '\n  AI results: the folder holds no JavaScript or TypeScript to analyse.';
  const { files, findings, first, again } = report;
  const seconds = (it: Round) => `${it.seconds.toFixed(2)} s`;
  return (
    `\n  AI results: ${files} source files analysed in ${seconds(first)}, ${findings} findings; again in ${seconds(again)}. ` +
    `${2 * files - first.made - again.made} of ${2 * files} calls saved.`
  );
}

async function analyseAll(
  api: ApiClient,
  sources: readonly Source[],
  onFindings: (count: number) => void,
): Promise<Round> {
  const startedAt = performance.now();
  let made = 0;
  await concurrently(sources, AT_ONCE, async (json) => {
    const { source, analysis } = await api.json<{ source: string; analysis: { findings: unknown[] } }>(
      'POST',
      '/ai/analyses',
      { json },
    );
    if (source === 'miss') made++;
    onFindings(analysis.findings.length);
  });
  return { seconds: (performance.now() - startedAt) / 1_000, made };
}

async function readSources(folder: string): Promise<Source[]> {
  const sources: Source[] = [];
  for await (const path of glob(SOURCES, { cwd: folder })) {
    const file = join(folder, path);
    const found = await stat(file);
    // A package may have a folder that is called like a file: bn.js.
    if (!found.isFile() || found.size > MAX_FILE_BYTES || path.includes('.min.')) continue;
    const code = await readFile(file, 'utf8');
    if (code.trim() !== '') sources.push({ code, language: extname(path).slice(1) });
    if (sources.length === MAX_FILES) break;
  }
  return sources;
}
