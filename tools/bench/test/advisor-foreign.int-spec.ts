import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { advise } from '@peregrine/query-optimizer';
import pg from 'pg';

import { loadFixture } from '../src/advisor/fixture.ts';
import { decisionSupportCloneSuite } from '../src/advisor/foreign-suites.ts';
import { joinHeavyStatements } from '../src/advisor/join-heavy.ts';
import { runReplaySuite } from '../src/advisor/replay.ts';
import { AdvisorServers } from '../src/advisor/servers.ts';
import { silentProgress } from '../src/harness/progress.ts';
import type { SuiteResult } from '../src/harness/report.ts';
import type { SuiteOptions } from '../src/harness/suite.ts';

const OPTIONS: SuiteOptions = {
  repetitions: 1,
  isQuick: true,
  progress: silentProgress,
};
const measured = ({ lines }: SuiteResult, what: string) =>
  lines.find((it) => it.what.endsWith(what))?.measured;

describe('workloads that the advisor was not made for, small', () => {
  let servers: AdvisorServers;
  beforeAll(async () => {
    servers = await AdvisorServers.start();
  });
  afterAll(() => servers.stop());

  it('advises on every statement of decision support, and makes them cheaper', async () => {
    const result = await decisionSupportCloneSuite(OPTIONS, servers);
    expect(measured(result, 'skipped statements')).toBe(0);
    expect(measured(result, 'sum of planner cost, after / before')).toBeLessThan(0.9);
  });

  it('has a plan for every join, and makes some of all sizes cheaper', async () => {
    const url = await loadFixture(await servers.embedded(), 'join-heavy', 0.02);
    const source = new pg.Pool({ connectionString: url, max: 1 });
    try {
      for (const { text } of joinHeavyStatements()) await source.query(`EXPLAIN ${text}`);
      const workload = joinHeavyStatements()
        .filter((_, i) => i % 12 === 0)
        .map(({ name: id, text }) => ({ id, text, calls: 1, totalMs: 0 }));
      const advice = await advise(workload, { source, timeLimitMs: 600_000, statementTimeoutMs: 120_000 });
      expect(advice.skipped).toEqual([]);
      expect(advice.recommendations.length).toBeGreaterThan(2);
      for (const { before, after } of advice.forecast) expect(after).toBeLessThanOrEqual(before);
    } finally {
      await source.end();
    }
  });

  it('has 113 joins of 4 to 17 tables, each another one', () => {
    const statements = joinHeavyStatements();
    expect(new Set(statements.map((it) => it.text)).size).toBe(113);
    const sizes = statements.map((it) => it.text.split(' AS ').length - 1);
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([4, 17]);
  });

  it('replays a mix with and without watching, and tells latencies and CPU', async () => {
    const result = await runReplaySuite(OPTIONS, servers);
    expect(measured(result, 'CPU of watching')).toEqual(expect.any(Number));
    expect(result.tables[1]?.rows.map((it) => it[0])).toContain('all of them');
  });
});
