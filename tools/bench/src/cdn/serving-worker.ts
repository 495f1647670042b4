import { median } from '../harness/statistics.ts';
import { serveWorker } from '../harness/worker.ts';
import { LARGE_FILE, SMALL_FILE } from './fixture.ts';
import { askOnce, runLoad } from './load.ts';
import type { RunningServer, ServerId } from './servers/contract.ts';
import { startServer } from './servers/start-server.ts';

/** What is asked for. */
const CASES = {
  small: { path: `/${SMALL_FILE}`, headers: {} },
  compressed: { path: `/${SMALL_FILE}`, headers: { 'Accept-Encoding': 'gzip' } },
  notModified: { path: `/${SMALL_FILE}`, headers: {} },
  large: { path: `/${LARGE_FILE}`, headers: {} },
} as const;
export type CaseId = keyof typeof CASES;

export interface ServingInput {
  readonly server: ServerId;
  readonly root: string;
  readonly windowMs: number;
}

/**
 * Of one process of a server: for each case answers a second, CPU of the server for one in microseconds, and how often
 * as much node:http from memory needs for it.
 */
export type ServingSample = Readonly<Record<`${CaseId}Rate` | `${CaseId}Cpu` | `${CaseId}Ratio`, number>>;

/** Windows of a case, in turn with those of node:http from memory: many short ones, as a busy machine changes between two. */
const WINDOWS = 10;
/** Before them, in windows: until the code is compiled. */
const WARM_UP = 4;

interface Measured {
  readonly rate: number;
  readonly cpu: number;
}

await serveWorker<ServingInput, ServingSample>(async ({ server, root, windowMs }) => {
  // A busy machine changes by the second: only what is measured in the same one is comparable.
  const floor = await startServer('node-http', root);
  const running = await startServer(server, root);
  const sample: Record<string, number> = {};
  try {
    for (const id of Object.keys(CASES) as CaseId[]) {
      const [ours, floors] = [await prepare(running, id), await prepare(floor, id)];
      await ours(WARM_UP * windowMs);
      await floors(WARM_UP * windowMs);
      const windows: { own: Measured; bare: Measured }[] = [];
      for (let i = 0; i < WINDOWS; i++) {
        // Each is first as often as the other: what changes with time favours neither.
        const before = i % 2 === 1 ? await floors(windowMs) : undefined;
        const own = await ours(windowMs);
        windows.push({ own, bare: before ?? (await floors(windowMs)) });
      }
      sample[`${id}Cpu`] = median(windows.map(({ own }) => own.cpu));
      sample[`${id}Rate`] = median(windows.map(({ own }) => own.rate));
      sample[`${id}Ratio`] = median(windows.map(({ own, bare }) => bare.cpu / own.cpu));
    }
  } finally {
    await running.stop();
    await floor.stop();
  }
  return sample as ServingSample;
});

/** Learns what the answer is like, and gives what measures it for a while. */
async function prepare(server: RunningServer, id: CaseId): Promise<(forMs: number) => Promise<Measured>> {
  const { path, headers } = CASES[id];
  const plain = { port: server.port, path, headers };
  const { etag = '' } = await askOnce(plain);
  const asked = id === 'notModified' ? { ...plain, headers: { 'If-None-Match': etag } } : plain;
  const answer = await askOnce(asked);
  if (answer.status !== (id === 'notModified' ? 304 : 200)) throw new Error(`${id}: status ${answer.status}`);
  return async (forMs) => {
    const [cpuBefore, startedAt] = [await server.cpuMicroseconds(), performance.now()];
    const answers = await runLoad({ ...asked, forMs }, answer);
    const seconds = (performance.now() - startedAt) / 1_000;
    return { cpu: ((await server.cpuMicroseconds()) - cpuBefore) / answers, rate: answers / seconds };
  };
}
