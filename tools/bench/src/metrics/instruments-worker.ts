import { serveWorker } from '../harness/worker.ts';
import { median } from '../harness/statistics.ts';
import { openRecorder, type RecorderId } from './recorders.ts';

export interface InstrumentsInput {
  readonly recorder: RecorderId;
  readonly requests: number;
}

/** Of one process: CPU of counting one request, nanoseconds. */
export interface InstrumentsSample {
  readonly nanoseconds: number;
}

const PASSES = 7;
const ROUTES = 20;
const STATUSES = [200, 200, 200, 304, 404, 500];

await serveWorker<InstrumentsInput, InstrumentsSample>(({ recorder, requests }) => {
  const opened = openRecorder(recorder, 1_000);
  const routes = Array.from({ length: ROUTES }, (_, i) => {
    const [method, route] = [i % 2 === 0 ? 'GET' : 'POST', `/api/v1/things/${i}/:id`];
    return { method, route, count: opened.route(method, route) };
  });
  // Made before, so that only the counting is measured.
  const asked = Array.from({ length: 1_024 }, (_, i) => {
    const { method, route } = routes[i % ROUTES] as { method: string; route: string };
    const status = STATUSES[i % STATUSES.length] as number;
    return { method, route, status, seconds: (i % 97) / 500, requestBytes: i * 7, responseBytes: i * 31 };
  });
  const pass = (): number => {
    const before = process.cpuUsage();
    for (let i = 0; i < requests; i++) {
      routes[(i % 1_024) % ROUTES]?.count(asked[i % 1_024] as (typeof asked)[number]);
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / requests;
  };
  pass();
  return Promise.resolve({ nanoseconds: median(Array.from({ length: PASSES }, pass)) });
});
