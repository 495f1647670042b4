import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { AppProcess } from '../src/platform/app-process.ts';
import { LogFile } from '../src/platform/log-file.ts';
import { startTimeOf } from '../src/platform/process-identity.ts';

const LISTEN =
  "process.send({ type: 'listening', url: 'http://127.0.0.1:1' }); setInterval(() => undefined, 1_000);";

describe('the process of an app', () => {
  let folder: string;
  let log: LogFile;
  let shown: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-app-'));
    log = new LogFile(join(folder, 'app.log'));
    shown = [];
  });

  afterEach(async () => {
    await log.close();
    await rm(folder, { recursive: true });
  });

  async function start(script: string, overrides: { stopTimeoutMs?: number; signal?: AbortSignal } = {}) {
    const path = join(folder, 'app.mjs');
    await writeFile(path, script);
    return AppProcess.start({
      name: 'app',
      script: path,
      environment: process.env,
      log,
      show: (text) => shown.push(text),
      stopTimeoutMs: 60_000,
      signal: new AbortController().signal,
      force: new AbortController().signal,
      ...overrides,
    });
  }

  it('fails to start with exactly what the app said on stderr', async () => {
    const script = "console.error('app cannot start:\\n  the reason'); process.exit(1);";
    await expect(start(script)).rejects.toThrow(/^app cannot start:\n {2}the reason$/);
    expect(shown).toEqual([]);
  });

  it('fails to start with the last log lines when the app said nothing else', async () => {
    const script = "console.log('step 1'); console.log('step 2'); process.exit(3);";
    await expect(start(script)).rejects.toThrow(
      /^app did not start: exit code 3\. Its last lines:\n {2}step 1\n {2}step 2$/,
    );
  });

  it('keeps the whole log and shows warnings, errors and stderr', async () => {
    const lines = [
      { level: 'log', message: 'quiet' },
      { level: 'warn', message: 'look' },
      { level: 'error', message: 'look again' },
    ];
    const prints = lines.map((it) => `console.log(${JSON.stringify(JSON.stringify(it))});`).join('');
    const atEnd = `process.on('SIGTERM', () => { ${prints} console.error('raw'); process.exit(0); });`;
    const app = await start(`${atEnd} ${LISTEN}`);
    await app.stop();
    expect(await app.ended).toBe('exit code 0');
    expect([...shown].sort()).toEqual(['error: look again', 'raw', 'warn: look']);
    await log.close();
    expect(await readFile(log.path, 'utf8')).toContain('"quiet"');
  });

  it('is killed when it does not end in time', async () => {
    const app = await start(`process.on('SIGTERM', () => undefined); ${LISTEN}`, { stopTimeoutMs: 200 });
    await app.stop();
    expect(await app.ended).toBe('killed by SIGKILL');
    expect(await startTimeOf(app.pid)).toBeUndefined();
  });

  it('is ended when it is no longer wanted before it listens', async () => {
    const unwanted = new AbortController();
    const starting = start("console.log('up'); setInterval(() => undefined, 1_000);", {
      signal: unwanted.signal,
    });
    const failure = expect(starting).rejects.toThrow('Interrupted');
    while (log.tail.length === 0) await new Promise((resolve) => setImmediate(resolve));
    unwanted.abort();
    await failure;
  });
});

describe('a log file', () => {
  it('keeps two files of a bounded size, and every line of the newer one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-log-'));
    const log = new LogFile(join(folder, 'a.log'));
    const line = 'x'.repeat(1_023);
    for (let index = 0; index < 25_000; index += 1) log.write(line);
    log.write('the last');
    await log.close();
    const [newer, older] = await Promise.all([log.path, `${log.path}.1`].map((it) => readFile(it, 'utf8')));
    expect(newer?.endsWith(`${line}\nthe last\n`)).toBe(true);
    expect(older?.length).toBeLessThanOrEqual(10 * 1024 * 1024 + 1024);
    expect(log.tail).toHaveLength(20);
    await rm(folder, { recursive: true });
  });
});
