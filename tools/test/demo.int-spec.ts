import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, describe, expect, it, jest } from '@jest/globals';

import type { DemoReport } from '../src/demo/report.ts';
import { ROOT } from '../src/paths.ts';
import { StartRun } from './start-fixture.ts';

// A round that is under way is waited for, and then another one: on a machine at work that takes its time.
jest.setTimeout(300_000);

const run = promisify(execFile);

describe('npm run demo', () => {
  let platform: StartRun | undefined;
  afterEach(() => platform?.cleanUp());

  const demo = (...args: string[]) =>
    run(process.execPath, [join(ROOT, 'tools/src/demo.ts'), ...args], { cwd: ROOT });

  it('imports a folder into the platform that runs, prints its table, and takes the files away again', async () => {
    const environment = { INDEX_ADVISOR_MODE: 'apply', INDEX_ADVISOR_SCHEDULE: '*/5 * * * * *' };
    platform = await StartRun.ready({ environment });
    const { folder } = platform;
    const json = join(folder, 'demo.json');
    const { stdout } = await demo(join(ROOT, 'docs'), '--data', folder, '--json', json);

    for (const row of [
      'Imported',
      'Text extracted',
      'Passages made',
      'File load, cold (storage +300 ms)',
      'File load, warm',
      'Search, first',
      'Search, repeated',
      '1,000 requests at once',
      'Cache hit rate',
      'Database calls saved',
      'Its ledger:',
      'AI results: ',
      'Memories: ',
      'Passages: ',
    ]) {
      expect(stdout).toContain(row);
    }
    const report = JSON.parse(await readFile(json, 'utf8')) as DemoReport;
    expect(report.files).toBeGreaterThan(5);
    expect(report.byStatus).toMatchObject({ extracted: report.files, pending: 0, failed: 0 });
    expect(report.concurrent).toMatchObject({ count: 1_000, errors: 0 });
    expect(report.cache.databaseCallsSaved).toBeGreaterThan(1_000);

    // Said again, nothing is remembered twice; and every question has an answer.
    expect(report.memories.added).toBeGreaterThan(5);
    expect(report.memories.addedAgain).toBe(0);
    for (const { hits } of report.memories.questions) expect(hits).not.toEqual([]);

    // Every passage is found by its own words, and each answer says how certain it is.
    for (const { hits, explanation } of report.retrieval.questions) {
      expect(hits).not.toEqual([]);
      expect(explanation.status).not.toBe('uncertified');
      expect(stdout).toContain(`plan ${explanation.plan}`);
    }
    expect(report.retrieval.questions.map((it) => it.mode)).toEqual(['plain', 'boost', 'plain', 'boost']);

    // Its workers had the round, as they have them all day.
    expect(report.indexes).toMatchObject({ by: 'workers', why: null, round: { outcome: 'completed' } });
    expect(report.indexes.calls).toBeGreaterThanOrEqual(80);
    // Whether an index helps so small a table is for the measurement to say; that it was tried, and why it ended so, is not.
    for (const it of report.indexes.ledger) {
      expect(it.decision).toMatch(/^(Kept|Dropped): /);
      expect(stdout).toContain(it.decision);
    }

    const { url, apiKey } = await platform.dev();
    const response = await fetch(`${url}/api/v1/workspaces`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(await response.json()).toMatchObject({ items: [] });
  });

  it('says so when the folder holds nothing to import', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'peregrine-demo-'));
    await expect(demo(empty)).rejects.toMatchObject({
      code: 1,
      stderr: `${empty} holds no Markdown file to import\n`,
    });
    await rm(empty, { recursive: true });
  });
});
