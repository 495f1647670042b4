import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  EdgeLog,
  type EdgeStatistics,
  Origin,
  renderNginxProxy,
  renderVarnishVcl,
  VARNISH_LOG_FORMAT,
} from '../src/index.js';
import { ask, type RunningServer, startVarnish } from '../src/testing/index.js';
import { closeServer, listen } from './listening.js';
import { startTestNginx } from './support/nginx.js';

const run = promisify(execFile);
/** Less than a test may take, so that a failure says what was there. */
const PATIENCE_MS = 45_000;
const FILE = '/app.3f2a1b9c4d5e.js';

/** The hit ratio, from what real servers in front of a real origin write. */
describe('EdgeLog behind', () => {
  let folder: string;
  let origin: Server;
  let base: URL;
  let log: EdgeLog;
  let path: string;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-edge-servers-'));
    const root = await mkdtemp(join(folder, 'root-'));
    await writeFile(join(root, FILE), 'export const a = 1;\n');
    origin = createServer((await new Origin({ root }).open()).listener);
    base = await listen(origin);
  });
  afterAll(async () => {
    await closeServer(origin);
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    path = join(await mkdtemp(join(folder, 'logs-')), 'access.log');
    log = new EdgeLog(path);
    await log.poll();
  });
  afterEach(async () => {
    await log.close();
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const get = async ({ url }: RunningServer, headers: Record<string, string> = {}) =>
    expect((await ask(new URL(url), { path: FILE, headers })).status).toBe(200);
  /** Servers write their line after the answer: reads on until these are the counts. */
  const statisticsWith = async (expected: Partial<EdgeStatistics['requests']>) => {
    let first: EdgeStatistics | undefined;
    await until(async () => {
      await log.poll();
      [first] = log.statistics();
      return Object.entries(expected).every(([name, it]) => first?.requests[name as 'hit'] === it);
    }, JSON.stringify(expected));
    return first;
  };
  const until = async (isDone: () => boolean | Promise<boolean>, what: string) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!(await isDone())) {
      if (signal.aborted) throw new Error(`Waited in vain for ${what}`);
      await new Promise(setImmediate);
    }
  };
  const untilExists = (file: string) =>
    until(
      () =>
        readFile(file).then(
          () => true,
          () => false,
        ),
      file,
    );
  /** As a daemon, for only then it takes a rotation; @returns its id */
  const startVarnishLog = async (workFolder: string, pidFile: string): Promise<number> => {
    await run('varnishncsa', [
      '-D',
      '-P',
      pidFile,
      '-n',
      workFolder,
      '-F',
      VARNISH_LOG_FORMAT,
      '-a',
      '-w',
      path,
    ]);
    // The file is there before the number is in it, and 0 would be this process and all beside it.
    let pid = 0;
    await until(async () => (pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))) > 1, pidFile);
    stops.push(() => Promise.resolve(process.kill(pid)));
    return pid;
  };

  it('nginx with the generated configuration, also when its log is rotated', async () => {
    const nginx = await startTestNginx(await mkdtemp(join(folder, 'nginx-')), (options) =>
      renderNginxProxy({
        ...options,
        accessLog: path,
        upstreams: [base.host],
        cache: { folder: join(options.temporaryFolder, 'cache') },
      }),
    );
    stops.push(() => nginx.stop());
    for (let i = 0; i < 4; i++) await get(nginx);
    await get(nginx, { Authorization: 'Bearer "\\\n'.trim() });
    expect(await statisticsWith({ miss: 1, hit: 3, pass: 1 })).toMatchObject({
      source: 'nginx',
      hitRatio: 0.75,
    });
    await rename(path, `${path}.1`);
    process.kill(nginx.pid, 'SIGUSR1');
    await untilExists(path);
    for (let i = 0; i < 4; i++) await get(nginx);
    expect(await statisticsWith({ miss: 1, hit: 7 })).toMatchObject({ hitRatio: 7 / 8 });
    expect(log.unreadLines).toBe(0);
  });

  it('Varnish with the VCL of the library, also when its log is rotated', async () => {
    const own = await mkdtemp(join(folder, 'varnish-'));
    const { hostname: host, port } = base;
    const varnish = await startVarnish(own, renderVarnishVcl({ origin: { host, port: Number(port) } }));
    stops.push(() => varnish.stop());
    const pid = await startVarnishLog(join(own, 'work'), join(own, 'log.pid'));
    // It makes the file before it has found the log in memory: it is there when it writes of something.
    await until(async () => {
      await ask(new URL(varnish.url), { path: FILE, method: 'PURGE' });
      await log.poll();
      return log.statistics().length > 0;
    }, 'the first line of Varnish');
    for (let i = 0; i < 4; i++) await get(varnish);
    expect(await statisticsWith({ miss: 1, hit: 3 })).toMatchObject({ source: 'varnish', hitRatio: 0.75 });
    await rename(path, `${path}.1`);
    process.kill(pid, 'SIGHUP');
    await untilExists(path);
    for (let i = 0; i < 4; i++) await get(varnish);
    expect(await statisticsWith({ miss: 1, hit: 7 })).toMatchObject({ hitRatio: 7 / 8 });
    expect(log.unreadLines).toBe(0);
  });
});
