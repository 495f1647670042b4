import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseOptions, runCommand } from './command-line.ts';
import { demonstrateAi, formatAiDemo } from './demo/ai-demo.ts';
import { ApiClient } from './demo/api-client.ts';
import { awaitExtraction, importFiles, selectFiles, type Selection } from './demo/import-folder.ts';
import { demonstrateIndexes } from './demo/index-demo.ts';
import { formatIndexDemo } from './demo/index-ledger.ts';
import { demonstrateMemories, formatMemoriesDemo } from './demo/memories-demo.ts';
import {
  cacheFigures,
  readsBetween,
  type ColdAndWarm,
  measureConcurrentLoads,
  measureFileLoads,
  measureSearches,
} from './demo/measure.ts';
import { awaitIngest, demonstrateRetrieval, formatRetrievalDemo } from './demo/retrieval-demo.ts';
import { type DemoReport, describeEnvironment, formatReport } from './demo/report.ts';
import { startSlowStorageApi } from './demo/slow-storage-api.ts';
import { listenForInterrupt, whenAborted } from './interrupt.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder, ROOT } from './paths.ts';
import type { DevFile } from './platform/dev-file.ts';
import { findOrStartPlatform } from './platform/find-or-start.ts';
import { type Reporter, TerminalReporter } from './reporter.ts';
import { InterruptedError } from './tools.errors.ts';

const STORAGE_LATENCY_MS = 300;
/** Of a platform that the demo starts. Adaptive indexing builds what is missing while it runs, if anything is. */
const SETTINGS = {
  // A thousand requests at once wait for each other, which the figures show.
  SLOW_REQUEST_MS: '5000',
  INDEX_ADVISOR_MODE: 'apply',
  INDEX_ADVISOR_SCHEDULE: '*/20 * * * * *',
  INDEX_ADVISOR_INDEXES_PER_DAY: '20',
};

const HELP = `Usage: npm run demo -- [folder] [options]

Imports the Markdown files below a folder (default: node_modules) through the HTTP API, waits until their text is
extracted, and prints what the cache does for file loads, searches and 1,000 requests at once. Then it makes a table that
misses its indexes, asks it, waits until the workers' adaptive indexing has built them, and prints the ledger; it remembers
paragraphs of the files and asks three questions about them; it asks for passages of the files by words, vector and links, with the
plan, the certificate and the time of each answer; and it analyses source files of the folder, twice. Uses the
platform that "npm start" runs on the data folder, else starts one for the duration, with INDEX_ADVISOR_MODE=apply and a round
every 20 seconds unless they are set. Where the platform has no rounds, the demo has one of its own, and says so.

  --data <folder>  data folder of the platform (default: .peregrine)
  --json <file>    also write the figures as JSON
  --keep           keep the imported workspace, and the table with its indexes
  --help           this text`;

const options = {
  data: { type: 'string' },
  json: { type: 'string' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

await runCommand(async () => {
  const { values, positionals } = parseOptions('npm run demo --', { options, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const folder =
    positionals[0] === undefined ? join(ROOT, 'node_modules') : fromCallersFolder(positionals[0]);
  const dataFolder = values.data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(values.data);
  const selection = await selectFiles(folder);
  const reporter = new TerminalReporter();
  const interrupt = listenForInterrupt();
  const platform = await findOrStartPlatform(dataFolder, {
    environment: { ...SETTINGS, ...process.env },
    reporter,
    signal: interrupt.stop,
  });
  try {
    const work = runDemo({ dev: platform.dev, dataFolder, selection, keep: values.keep, reporter });
    const report = await Promise.race([work, whenAborted(interrupt.stop)]);
    if (!report) throw new InterruptedError();
    reporter.print(formatReport(report));
    reporter.print(formatIndexDemo(report.indexes));
    reporter.print(formatAiDemo(report.ai));
    reporter.print(formatMemoriesDemo(report.memories));
    reporter.print(formatRetrievalDemo(report.retrieval));
    if (values.json !== undefined)
      await writeFile(fromCallersFolder(values.json), `${JSON.stringify(report, null, 2)}\n`);
    return report.concurrent.errors === 0 ? 0 : 1;
  } finally {
    await platform.stop();
    interrupt.dispose();
  }
});

interface DemoOptions {
  dev: DevFile;
  dataFolder: string;
  selection: Selection;
  keep: boolean;
  reporter: Reporter;
}

async function runDemo({ dev, dataFolder, selection, keep, reporter }: DemoOptions): Promise<DemoReport> {
  const api = new ApiClient(dev.url, dev.apiKey);
  const admin = new ApiClient(dev.url, dev.adminKey);
  const { id } = await api.json<{ id: string }>('POST', '/workspaces', {
    json: { name: `demo ${new Date().toISOString()}` },
  });
  try {
    const importStart = performance.now();
    const files = await importFiles(api, id, selection);
    const extractionStart = performance.now();
    const byStatus = await awaitExtraction(api, id);
    const extractionEnd = performance.now();
    await reporter.step('Passages of the texts', () => awaitIngest(api, id, files));
    const ingestEnd = performance.now();
    const fileLoad = await reporter.step(
      `File loads, with ${STORAGE_LATENCY_MS} ms added to the storage`,
      () => measureBehindSlowStorage(dev, dataFolder, (slow) => measureFileLoads(slow, id, files)),
    );
    const cold = await cacheFigures(admin);
    const search = await reporter.step('Searches', () => measureSearches(api, id));
    // The first wave fills the cache, the second is measured.
    await measureConcurrentLoads(api, id, files);
    const warm = await cacheFigures(admin);
    const concurrent = await reporter.step('1,000 requests at once', () =>
      measureConcurrentLoads(api, id, files),
    );
    const end = await cacheFigures(admin);
    const { databaseUrl } = dev;
    const indexes = await demonstrateIndexes({ admin, databaseUrl, selection, keep, reporter });
    const memories = await reporter.step('Memories of what the files say', () =>
      demonstrateMemories(api, id, selection),
    );
    const retrieval = await reporter.step('Questions for passages', () => demonstrateRetrieval(api, id));
    return {
      environment: describeEnvironment(dev.redisUrl !== null),
      files: files.length,
      sizeBytes: files.reduce((sum, it) => sum + it.sizeBytes, 0),
      importSeconds: (extractionStart - importStart) / 1_000,
      extractionSeconds: (extractionEnd - extractionStart) / 1_000,
      ingestSeconds: (ingestEnd - extractionEnd) / 1_000,
      byStatus,
      storageLatencyMs: STORAGE_LATENCY_MS,
      fileLoad,
      search,
      concurrent,
      indexes,
      ai: await demonstrateAi(api, selection.folder, reporter),
      memories,
      retrieval,
      cache: {
        fromCold: readsBetween(cold, end),
        onceWarm: readsBetween(warm, end),
        // Every read that hits saves one query, but for the bytes that lie in the other storage.
        databaseCallsSaved: end.hits - cold.hits - concurrent.outsideDatabase,
      },
    };
  } finally {
    if (!keep) await api.request('DELETE', `/workspaces/${id}`);
  }
}

async function measureBehindSlowStorage(
  dev: DevFile,
  dataFolder: string,
  measure: (api: ApiClient) => Promise<ColdAndWarm>,
): Promise<ColdAndWarm> {
  const slow = await startSlowStorageApi(dev, dataFolder, STORAGE_LATENCY_MS);
  try {
    return await measure(new ApiClient(slow.url, dev.apiKey));
  } finally {
    await slow.stop();
  }
}
