import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestDatabase } from '@peregrine/database/testing';

import { silentProgress } from '../src/harness/progress.ts';
import { certaintyBands } from '../src/retrieval/measure/certainty.ts';
import { callBesideWriters, type Seen } from '../src/retrieval/measure/concurrency.ts';
import { type LiveRun, runLive } from '../src/retrieval/measure/live.ts';
import { measureMatrix, type Row } from '../src/retrieval/measure/matrix.ts';
import { DEFAULT_PLAN, judge } from '../src/retrieval/policies/judge.ts';
import { cutOffRule, oracle, tuneRule } from '../src/retrieval/policies/rules.ts';
import { withLibrary, withStoredWorld } from '../src/retrieval/store/bench-world.ts';
import { FLOOR } from '../src/retrieval/world/shape.ts';
import { makeWorld } from '../src/retrieval/world/world.ts';

const SHAPE = { seed: 5, chunks: 2_000, questions: 40 };
/** From the sources, which nobody has built. */
const OPTIONS = { codeProgram: new URL('../../../libs/retrieval/test/code-thread.mjs', import.meta.url) };

describe('the bench of retrieval, small', () => {
  let database: TestDatabase;
  let rows: readonly Row[];
  let live: LiveRun;
  let beside: Seen;

  beforeAll(async () => {
    const { createTestDatabase } = await import('@peregrine/database/testing');
    database = await createTestDatabase(process.env['DATABASE_URL']);
    await withStoredWorld(database.url, await makeWorld(SHAPE), async (stored) => {
      rows = await measureMatrix(stored, 1, silentProgress, OPTIONS);
      live = await withLibrary(stored, OPTIONS, (library) => runLive(library));
      beside = await callBesideWriters(stored, OPTIONS);
    });
  }, 300_000);
  afterAll(() => database?.drop());

  it('asks every question by the plans of its mode, and every answer that has the time keeps the floor', () => {
    expect(rows).toHaveLength(SHAPE.questions);
    for (const { mode, runs } of rows) {
      expect(Object.keys(runs)).toEqual(expect.arrayContaining(['filtered-vector', 'cached-partial']));
      expect('graph-first' in runs).toBe(mode !== 'plain');
      expect('hybrid-parallel' in runs).toBe(mode === 'boost');
      const { 'first-page': _, ...unhurried } = runs;
      for (const run of Object.values(unhurried).flat()) {
        expect(run.status).not.toBe('uncertified');
        expect(run.recall).toBeGreaterThanOrEqual(FLOOR);
      }
    }
  });

  it('knows answers that are not certain by their z', () => {
    const runs = rows.flatMap((it) => Object.values(it.runs).flat());
    const bands = certaintyBands(rows);
    expect(bands.reduce((sum, it) => sum + it.answers, 0)).toBe(runs.length);
    expect(runs.some((it) => it.status === 'uncertified' && it.recall < FLOOR)).toBe(true);
    for (const it of bands.filter(({ name, answers }) => answers > 0 && /^(3|4|complete)/.test(name))) {
      expect(it.under).toBe(0);
    }
  });

  it('judges policies: none of the plans is faster than the oracle, all keep the floor', () => {
    const best = judge(rows, oracle);
    for (const policy of [tuneRule(rows), () => DEFAULT_PLAN]) {
      expect(judge(rows, policy).meanMs).toBeGreaterThanOrEqual(best.meanMs);
    }
    for (const policy of [cutOffRule(0.02), tuneRule(rows), () => DEFAULT_PLAN]) {
      const judged = judge(rows, policy);
      expect(judged).toMatchObject({ under: 0 });
      expect(judged.meanRecall).toBeGreaterThanOrEqual(0.999);
    }
  });

  it('asks live as clients do', () => {
    expect(live.answers.map((it) => it.index)).toEqual([...rows.keys()]);
    for (const { recall } of live.answers) expect(recall).toBeGreaterThanOrEqual(FLOOR);
  });
  it('answers many callers beside writers as if they were alone, and shows nobody what is of another workspace', () => {
    expect(beside.recalls).toHaveLength(SHAPE.questions);
    expect(Math.min(...beside.recalls)).toBeGreaterThanOrEqual(FLOOR);
    expect(beside.foreign).toBe(0);
    expect(beside.writes).toBeGreaterThan(0);
  });
});
