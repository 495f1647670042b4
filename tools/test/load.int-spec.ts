import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import type { LoadReport } from '../src/load/report.ts';
import type { SoakReport } from '../src/load/soak-report.ts';
import { ROOT } from '../src/paths.ts';
import { StartRun } from './start-fixture.ts';

jest.setTimeout(240_000);

const run = promisify(execFile);
const load = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const { DATABASE_URL: _database, REDIS_URL: _redis, NODE_OPTIONS: _options, ...inherited } = process.env;
  return run(process.execPath, [join(ROOT, 'tools/src/load.ts'), ...args], {
    cwd: ROOT,
    env: { ...inherited, ...env },
  });
};

describe('npm run load', () => {
  let platform: StartRun;
  beforeAll(async () => (platform = await StartRun.ready()));
  afterAll(() => platform?.cleanUp());

  const workspaces = async () => {
    const { url, apiKey } = await platform.dev();
    const headers = { authorization: `Bearer ${apiKey}` };
    return ((await (await fetch(`${url}/api/v1/workspaces`, { headers })).json()) as { items: unknown[] })
      .items;
  };

  it('loads the platform that runs with all of the mix, reports it in numbers and pictures, and leaves nothing', async () => {
    const out = join(platform.folder, 'load');
    const args = ['--quick', '--seconds', '4', '--rate', '2', '--data', platform.folder, '--out', out];
    const { stdout } = await load(args);
    const report = JSON.parse(await readFile(join(out, 'load.json'), 'utf8')) as LoadReport;
    // The plan is the same for the same seed: that many are due, however slow the machine is.
    expect(report.total.requests).toBe(report.timeline.reduce((sum, it) => sum + it.requests, 0));
    expect(report.total.requests).toBeGreaterThan(100);
    expect(Object.keys(report.byAction).toSorted()).toEqual(['read', 'search', 'upload']);
    for (const { requests, errors } of Object.values(report.byAction))
      expect(requests).toBeGreaterThan(errors);
    expect(report.timeline.map(({ users }) => users)).toEqual([0, 10, 50, 50]);
    const { p50Ms, p95Ms, p99Ms, maxMs } = report.total;
    expect([p50Ms, p95Ms, p99Ms, maxMs].map(Number).toSorted((a, b) => a - b)).toEqual([
      p50Ms,
      p95Ms,
      p99Ms,
      maxMs,
    ]);
    expect(stdout).toContain(await readFile(join(out, 'load.md'), 'utf8'));
    for (const plot of ['latency.svg', 'throughput.svg']) {
      expect(await readFile(join(out, plot), 'utf8')).toMatch(
        /^<svg [^>]+>[\s\S]*<path d="M[\s\S]*<\/svg>\n$/,
      );
    }
    expect(await workspaces()).toEqual([]);
  });

  it('loads any address with the key of the environment, and asks for the key', async () => {
    const { url, apiKey } = await platform.dev();
    const out = join(platform.folder, 'by-address');
    const args = ['--url', url, '--seconds', '1', '--mix', 'searches', '--out', out];
    await load(args, { LOAD_API_KEY: apiKey });
    const report = JSON.parse(await readFile(join(out, 'load.json'), 'utf8')) as LoadReport;
    expect(Object.keys(report.byAction)).toEqual(['search']);
    await expect(load(args)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('LOAD_API_KEY'),
    });
  });

  it.each([
    ['memories', ['add', 'bootstrap', 'query']],
    ['retrieval', ['retrieve', 'upload']],
  ])('loads with %s: %j', async (mix, actions) => {
    const out = join(platform.folder, mix);
    const setup = ['--mix', mix, '--seconds', '2', '--rate', '2'];
    await load([...setup, '--data', platform.folder, '--out', out]);
    const report = JSON.parse(await readFile(join(out, 'load.json'), 'utf8')) as LoadReport;
    expect(Object.keys(report.byAction).toSorted()).toEqual(actions);
    for (const { requests, errors } of Object.values(report.byAction))
      expect(requests).toBeGreaterThan(errors);
    expect(await workspaces()).toEqual([]);
  });

  it('compares with another tree by ratios within each round', async () => {
    const out = join(platform.folder, 'compared');
    // With itself. Whether two short rounds call it slower is chance: what counts is what was measured.
    await load(['--compare', ROOT, '--rounds', '2', '--seconds', '1', '--out', out]).catch(
      (error: { code: number; stderr: string }) => expect(error).toMatchObject({ code: 1, stderr: '' }),
    );
    const { ratios, rounds } = JSON.parse(await readFile(join(out, 'compare.json'), 'utf8'));
    expect(rounds).toHaveLength(2);
    for (const round of rounds) expect(round.new.requests).toBe(round.old.requests);
    for (const figure of ['p50Ms', 'p95Ms', 'cpuMsPerRequest'])
      expect(ratios[figure].median).toBeGreaterThan(0);
  });

  it('soaks a platform of its own, whose memory does not run away, and says how it went', async () => {
    const out = join(platform.folder, 'soak');
    // Half a minute is too short for a verdict: whether it is called flat is chance, that growth is bounded is not.
    await load(['--soak', '0.5', '--no-build', '--out', out]).catch(
      (error: { code: number; stdout: string }) => {
        expect(error.code).toBe(1);
        expect(error.stdout).toContain('**not flat**');
      },
    );
    const report = JSON.parse(await readFile(join(out, 'soak.json'), 'utf8')) as SoakReport;
    expect(report.load.total.requests).toBeGreaterThan(report.load.total.errors);
    expect(report.growths.map((it) => `${it.process} ${it.figure}`).toSorted()).toEqual([
      'api heap',
      'api rss',
      'worker-1 heap',
      'worker-1 rss',
    ]);
    for (const { figure, medianBytes, growthRatio } of report.growths)
      if (figure === 'heap') expect(medianBytes * growthRatio).toBeLessThan(32 * 2 ** 20);
    expect(await readFile(join(out, 'soak.md'), 'utf8')).toContain('| api | heap |');
    expect(await readFile(join(out, 'memory.svg'), 'utf8')).toMatch(/^<svg [^>]+>[\s\S]*<path d="M/);
  });

  it.each([
    [['--mix', 'nonsense'], /expected one of content, memories, retrieval, reads/],
    [['--seconds', '0'], /--seconds/],
    [['--soak', 'long'], /expected minutes above 0/],
    [['--compare', 'no-such-commit'], /neither a commit nor a clone/],
    [['--nonsense'], /npm run load -- --help/],
  ])('says what is wrong with %j', async (args, message) => {
    await expect(load(args)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });
});
