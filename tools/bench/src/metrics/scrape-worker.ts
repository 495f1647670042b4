import { median } from '../harness/statistics.ts';
import { serveWorker } from '../harness/worker.ts';
import { openRecorder } from './recorders.ts';

/** Those that make a page by themselves. */
export type PageMaker = 'peregrine' | 'prom-client';

export interface ScrapeInput {
  readonly recorder: PageMaker;
  readonly labelSets: number;
}

/** Of one process, milliseconds and bytes. */
export interface ScrapeSample {
  readonly totalMs: number;
  /** Most CPU of the main thread between two turns of the event loop. */
  readonly longestMs: number;
  readonly bytes: number;
}

const PAGES = 3;

await serveWorker<ScrapeInput, ScrapeSample>(async ({ recorder, labelSets }) => {
  const opened = openRecorder(recorder, labelSets);
  for (let i = 0; i < labelSets; i++) {
    const request = { status: 200, seconds: i / 1_000, requestBytes: i, responseBytes: i };
    const [method, route] = ['GET', `/api/v1/things/${i}/:id`] as const;
    opened.route(method, route)({ method, route, ...request });
  }
  const pages: ScrapeSample[] = [];
  for (let i = 0; i < PAGES; i++) pages.push(await timed(() => opened.page?.() ?? Promise.resolve(0)));
  return {
    totalMs: median(pages.map((it) => it.totalMs)),
    longestMs: median(pages.map((it) => it.longestMs)),
    bytes: pages[0]?.bytes ?? 0,
  };
});

/** Of this thread alone: on a busy machine the clock would count what others do. Collecting garbage is in it. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

async function timed(page: () => Promise<number>): Promise<ScrapeSample> {
  let longestMs = 0;
  let before = cpuMs();
  let isDone = false;
  const turn = () => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - before);
    before = now;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const startedAt = performance.now();
  const bytes = await page();
  const totalMs = performance.now() - startedAt;
  isDone = true;
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return { totalMs, longestMs, bytes };
}
