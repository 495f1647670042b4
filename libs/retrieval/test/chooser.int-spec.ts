import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Transactions } from '@peregrine/database';
import { until } from '@peregrine/database/testing';
import { DataSource } from 'typeorm';
import {
  PlanChooser,
  RETRIEVAL_FEATURES,
  type RetrievalExplanation,
  RetrievalMetrics,
} from '../src/index.js';
import { SampleProbe } from '../src/probe/sample-probe.service.js';
import { PlanStatements } from '../src/querying/plan-statements.js';
import { ClusteredCorpus } from './clustered-corpus.js';
import { ChosenEmbedder, RetrievalFixture } from './retrieval-fixture.js';

const CHUNKS = 800;

describe('the choice of plans', () => {
  let fixture: RetrievalFixture;
  let corpus: ClusteredCorpus;

  beforeAll(async () => {
    fixture = await RetrievalFixture.start({ sampleMaxAgeMs: 0 });
    corpus = await ClusteredCorpus.create(fixture, CHUNKS);
    await fixture.query('ANALYZE');
  }, 120_000);
  afterAll(() => fixture?.stop());

  const ask = async (
    of: RetrievalFixture,
    query: Parameters<RetrievalFixture['service']['query']>[1] = { vector: corpus.probe() },
  ): Promise<RetrievalExplanation> =>
    (await of.service.query(corpus.workspaceId, { vector: corpus.probe(), ...query })).explanation;

  /** Until the sample is there and the codes are. */
  async function warm(of: RetrievalFixture): Promise<void> {
    await until(async () => {
      const { chooser } = await ask(of);
      return chooser?.fallback === 'cached-partial';
    });
  }

  it('says while nothing is known of the chunks that it does without, and waits for nothing', async () => {
    const own = await fixture.beside();
    const first = await ask(own);
    expect(first).toMatchObject({ plan: 'filtered-vector', reason: 'unknown', chooser: null, givenUp: null });
  });

  it('asks the planner, tells it what the plan took, and shows both', async () => {
    const own = await fixture.beside({ chooser: { prior: false } });
    await warm(own);
    const { chooser, stages, reason } = await ask(own, {
      vector: corpus.probe(),
      filter: { types: ['rare'] },
    });
    expect(reason).toBe('untrained');
    expect(chooser?.features).toHaveLength(RETRIEVAL_FEATURES.length);
    const feature = (name: (typeof RETRIEVAL_FEATURES)[number]) =>
      chooser?.features[RETRIEVAL_FEATURES.indexOf(name)] ?? NaN;
    // Known exactly, since the codes are in memory: an eighth of the files is of this type.
    expect(2 ** feature('chunks') - 1).toBeCloseTo(CHUNKS, 6);
    expect(feature('isResident')).toBe(1);
    expect(feature('filtersTypes')).toBe(1);
    expect(2 ** feature('selectivity')).toBeGreaterThan(0.02);
    expect(2 ** feature('selectivity')).toBeLessThan(0.4);
    expect(chooser).toMatchObject({
      allowed: ['filtered-vector', 'cached-partial', 'vector-first'],
      decision: { plan: 'cached-partial', modelVersion: 0, cached: false },
    });
    expect(stages.map((it) => it.name)).toEqual(
      expect.arrayContaining(['probe', 'choose', 'cached-partial']),
    );
    expect(stages.find((it) => it.name === 'start')?.predictedMs).toBeGreaterThan(0);
    const { planner } = own.get(PlanChooser);
    const runs = planner.report().regret.runs;
    await ask(own);
    expect(planner.report().regret.runs).toBe(runs + 1);
    // A plan that was asked for is no decision.
    const asked = await ask(own, { vector: corpus.probe(), plan: 'vector-first' });
    expect(asked).toMatchObject({ reason: 'asked', chooser: { decision: null, fallback: 'cached-partial' } });
    expect(planner.report().regret.runs).toBe(runs + 1);
  });

  it('always takes the fallback when it is off', async () => {
    const own = await fixture.beside({ chooser: { enabled: false } });
    await warm(own);
    const explanation = await ask(own);
    expect(explanation).toMatchObject({
      plan: 'cached-partial',
      reason: 'disabled',
      chooser: { decision: null },
    });
  });

  it('forgets remembered plans when an index goes, when the data has changed much, and for another model', async () => {
    const embedder = new ChosenEmbedder('first-64');
    const own = await fixture.beside({ chooser: { prior: false }, sampleMaxAgeMs: 0 }, embedder);
    const { planner } = own.get(PlanChooser);
    const drops = () => Object.keys(planner.report().cache.drops);
    const workspace = await own.workspace();
    const texts = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name} ${at}`);
    await own.add(workspace, texts('few', 10));
    const query = () => own.service.query(workspace, { vector: corpus.probe() });
    const untilDropped = (reason: string) =>
      until(async () => {
        await query();
        return drops().includes(reason);
      });
    await until(async () => (await query()).explanation.chooser !== null);
    await own.add(workspace, texts('many', 30));
    await untilDropped('the data has changed much');
    await own.query('CREATE INDEX for_a_while ON retrieval_edges (weight)');
    await untilDropped('indexes or statistics have changed');
    (embedder as { id: string }).id = 'second-64';
    await untilDropped('another embedding model is used');
  });

  it('draws a sample again when the workspace was written to, and not when it was not', async () => {
    const own = await fixture.beside({ sampleMaxAgeMs: 0 });
    const probe = own.get(SampleProbe);
    const workspace = await own.workspace();
    await own.add(workspace, ['one']);
    const query = () => own.service.query(workspace, { vector: corpus.probe() });
    await until(async () => (await query()).explanation.chooser !== null);
    const { drawn } = probe;
    for (let at = 0; at < 5; at++) await query();
    expect(probe.drawn).toBe(drawn);
    await own.add(workspace, ['two']);
    await until(async () => {
      await query();
      return probe.drawn === drawn + 1;
    });
  });

  it('gives a plan up that takes much longer than predicted, says so, and answers by the fallback', async () => {
    const own = await fixture.beside({ chooser: { prior: false } });
    await warm(own);
    const { planner } = own.get(PlanChooser);
    const decide = planner.decide.bind(planner);
    planner.decide = (question) => ({
      ...decide(question),
      plan: 'vector-first',
      reason: 'gain',
      timeoutMs: 1,
    });
    // Somebody else holds the table for as long as it takes.
    const blocker = own.get(DataSource).createQueryRunner();
    await blocker.startTransaction();
    await blocker.query('LOCK TABLE retrieval_codes IN ACCESS EXCLUSIVE MODE');
    const asked = ask(own);
    const explanation = await asked.finally(() => blocker.rollbackTransaction());
    await blocker.release();
    expect(explanation).toMatchObject({
      ...{ plan: 'cached-partial', givenUp: 'vector-first', reason: 'timed-out' },
      status: 'certified',
    });
    const families = own.get(RetrievalMetrics).collect();
    expect(families.find((it) => it.name === 'retrieval_plans_given_up_total')?.samples).toEqual([
      { labels: { plan: 'vector-first' }, value: 1 },
    ]);
  });

  it('cancels the statements of a plan on the server, and leaves their connections good', async () => {
    const { manager } = fixture.get(DataSource);
    const statements = new PlanStatements(manager, 50);
    const running = [1, 2].map(() => statements.query('SELECT pg_sleep(600)'));
    for (const it of running) await expect(it).rejects.toMatchObject({ code: 'RETRIEVAL_PLAN_TIMEOUT' });
    await expect(statements.query('SELECT 1')).rejects.toMatchObject({ code: 'RETRIEVAL_PLAN_TIMEOUT' });
    statements.end();
    const left = await fixture.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query ~ '^SELECT pg_sleep'`,
    );
    expect(left).toEqual([]);
    const patient = new PlanStatements(manager, 60_000);
    expect(await patient.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(patient.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
    patient.end();
  });

  it('keeps nothing of what an open transaction sees', async () => {
    const own = await fixture.beside();
    await warm(own);
    const before = await own.service.query(corpus.workspaceId, { vector: corpus.probe(), limit: 100 });
    const [gone] = before.hits;
    const seeds = [corpus.chunks[5]?.id ?? ''];
    const query = { vector: corpus.probe(), limit: 100, mode: 'boost' as const, seeds };
    const rollback = new Error('on purpose');
    const inside = own.get(Transactions).run(async (manager) => {
      await manager.query('DELETE FROM retrieval_chunks WHERE id = $1', [gone?.chunkId]);
      for (const plan of [undefined, 'cached-partial', 'hybrid-parallel'] as const) {
        const { hits, explanation } = await own.service.query(corpus.workspaceId, { ...query, plan });
        expect(hits.map((it) => it.chunkId)).not.toContain(gone?.chunkId);
        expect(explanation).toMatchObject({ plan: plan ?? 'filtered-vector', chooser: null });
      }
      throw rollback;
    });
    await expect(inside).rejects.toBe(rollback);
    const vector = corpus.chunks.find((it) => it.id === gone?.chunkId)?.vector ?? corpus.probe();
    const { hits, explanation } = await own.service.query(corpus.workspaceId, { vector, limit: 1 });
    expect(hits[0]?.chunkId).toBe(gone?.chunkId);
    expect(explanation.chooser?.fallback).toBe('cached-partial');
  });

  it('counts its answers', async () => {
    const own = await fixture.beside();
    await warm(own);
    const families = own.get(RetrievalMetrics).collect();
    const sum = (name: string) =>
      families.find((it) => it.name === name)?.samples.reduce((total, it) => total + it.value, 0) ?? NaN;
    const count = families
      .find((it) => it.name === 'retrieval_query_duration_seconds')
      ?.samples.find((it) => it.suffix === '_count')?.value;
    expect(sum('retrieval_queries_total')).toBe(count);
    expect(sum('retrieval_resident_chunks')).toBe(CHUNKS);
    expect(sum('retrieval_resident_bytes')).toBe(48 * CHUNKS);
    expect(sum('retrieval_kept_vectors')).toBeGreaterThan(0);
    expect(sum('retrieval_embeddings_read_total')).toBeGreaterThanOrEqual(sum('retrieval_kept_vectors'));
    expect(sum('retrieval_samples_drawn_total')).toBe(1);
  });
});
