import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signCode } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { calibrate } from '../src/certificate/calibration-rule.js';
import { CalibrationStore, type NewSample } from '../src/certificate/calibration-store.js';
import { SqlCodes } from '../src/codes/sql-codes.js';
import { RetrievalCalibration, type RetrievalOptionsInput, type ShadowOutcome } from '../src/index.js';
import { readSearchStart } from '../src/querying/search-start.js';
import { CertifiedSearch } from '../src/search/certified-search.js';
import { ExactRanking } from '../src/search/exact-ranking.js';
import { ClusteredCorpus } from './clustered-corpus.js';
import { VectorCache } from '../src/vectors/vector-cache.js';
import { ChosenEmbedder, RetrievalFixture } from './retrieval-fixture.js';

type CalibrationInput = NonNullable<RetrievalOptionsInput['calibration']>;

/** Every query is a sample, and what other processes have learned is seen at once. 49 samples are enough. */
const EVERY_QUERY = { share: 1, refreshMs: 0, missRate: 0.02 } satisfies CalibrationInput;
const ENOUGH = 49;
const LIMIT = 10;

describe('the calibration', () => {
  let fixture: RetrievalFixture;
  let corpus: ClusteredCorpus;

  beforeAll(async () => {
    fixture = await RetrievalFixture.start({ calibration: EVERY_QUERY });
    corpus = await ClusteredCorpus.create(fixture);
    await fixture.query('ANALYZE');
  }, 300_000);
  afterAll(() => fixture?.stop());

  /** As another process, or the same after a restart. */
  const process = (id: string, calibration: CalibrationInput = EVERY_QUERY) =>
    fixture.beside({ calibration }, new ChosenEmbedder(id));
  const calibrationOf = (of: RetrievalFixture) => of.get(RetrievalCalibration);
  const outcomes = (of: RetrievalFixture): Partial<Record<ShadowOutcome, number>> =>
    calibrationOf(of).report().outcomes;

  /** A query, and what is made of it in the background. */
  async function ask(of: RetrievalFixture, { workspaceId }: ClusteredCorpus, vector = corpus.probe()) {
    const answer = await of.service.query(workspaceId, { vector, limit: LIMIT, plan: 'filtered-vector' });
    await calibrationOf(of).idle();
    return answer;
  }

  it('keeps what each query would have needed', async () => {
    const own = await process('chosen-64');
    for (let at = 0; at < 3; at++) await ask(own, corpus);
    const seeds = [corpus.chunks[700]?.id ?? ''];
    for (const mode of ['boost', 'within'] as const) {
      await own.service.query(corpus.workspaceId, { vector: corpus.probe(), mode, seeds, limit: 3 });
      await calibrationOf(own).idle();
    }
    const kept = await fixture.query<{ z: number; floor: number; k: number; source: string }>(
      `SELECT needed_z AS z, floor, k, source FROM retrieval_calibration WHERE embedder = 'chosen-64' ORDER BY id`,
    );
    expect(kept.map((it) => it.k)).toEqual([LIMIT, LIMIT, LIMIT, 3, 3]);
    for (const it of kept) {
      expect(it).toMatchObject({ floor: 0.95, source: 'query' });
      expect(it.z).toBeLessThan(4);
    }
    expect(outcomes(own)).toEqual({ kept: 5 });
  });

  it('compares one query at a time, and leaves out what comes meanwhile', async () => {
    const own = await process('chosen-64');
    await Promise.all(Array.from({ length: 8 }, () => ask(own, corpus)));
    await calibrationOf(own).idle();
    const { kept = 0, busy = 0, ...others } = outcomes(own);
    expect(others).toEqual({});
    expect(kept + busy).toBe(8);
    expect(kept).toBeGreaterThanOrEqual(1);
  });

  it('raises the certainty of a model whose codes mislead, for every process and after a restart, and of no other', async () => {
    const misled = await process('misled-64');
    const corpusOfMisled = await ClusteredCorpus.create(misled, 800);
    // Of each document every third chunk looks as if it was on the other side of the world.
    await fixture.query(
      `UPDATE retrieval_codes c SET code = ~c.code FROM retrieval_chunks k
        WHERE k.id = c.chunk_id AND c.embedder = 'misled-64' AND k.place % 3 = 0`,
    );
    const { explanation } = await ask(misled, corpusOfMisled);
    expect(explanation).toMatchObject({ status: 'certified', wantedZ: 3 });
    expect(outcomes(misled)).toEqual({ failed: 1 });
    const [row] = await fixture.query<{ needed: number; raised: number }>(
      `SELECT needed_z AS needed, raised_to AS raised FROM retrieval_calibration WHERE embedder = 'misled-64'`,
    );
    expect(row).toMatchObject({ raised: 3.25 });
    expect(row?.needed).toBeGreaterThan(6);
    expect((await ask(misled, corpusOfMisled)).explanation.wantedZ).toBe(6);

    const sampling = await process('misled-64');
    const notSampling = await process('misled-64', { share: 0 });
    for (const it of [sampling, notSampling]) {
      expect((await ask(it, corpusOfMisled)).explanation.wantedZ).toBe(6);
    }
    expect((await ask(fixture, corpus)).explanation.wantedZ).toBe(3);
    const families = calibrationOf(misled).collect();
    expect(families.find((it) => it.name === 'retrieval_calibrated_certainty')?.samples).toEqual([
      { labels: { embedder: 'misled-64' }, value: 6 },
    ]);
  });

  it('is raised by a quarter for each failure, also when several processes find one at once', async () => {
    const { missRate } = EVERY_QUERY;
    const stores = [fixture, await process('chosen-64')].map(
      (it) => new CalibrationStore(it.get(Transactions), 'failing-64', 2_000),
    );
    const rule = { certainty: 3, minCertainty: 2, missRate };
    const failure: NewSample = { neededZ: 3.1, floor: 0.95, k: LIMIT, source: 'query' };
    const raised = await Promise.all(
      stores.flatMap((it) => [failure, failure].map((f) => it.addFailure(f, rule))),
    );
    expect(raised.sort()).toEqual([3.25, 3.5, 3.75, 4]);
    const known = async () => calibrate((await stores[0]?.load()) ?? [], rule);
    expect(await known()).toMatchObject({ z: 4, from: 'failure' });
    await stores[1]?.add(Array<NewSample>(ENOUGH).fill({ ...failure, neededZ: 2.2 }));
    expect((await known()).z).toBe(3.1);
  });

  it('does not take a chunk that came after the answer for one that it missed', async () => {
    const own = await process('late-64');
    const workspaceId = await own.workspace();
    const vector = corpus.probe();
    const texts = Array.from({ length: 20 }, (_, at) => own.embedder.choose(`${at}`, corpus.probe()));
    await own.add(workspaceId, texts);
    const { manager } = own.get(Transactions);
    const space = { workspaceId, embedder: 'late-64' };
    const probe = signCode(vector);
    const goal = {
      space,
      probe,
      filter: {},
      mode: 'plain' as const,
      limit: 5,
      z: 3,
      boost: 0,
      isOverdue: () => false,
    };
    const search = new CertifiedSearch(
      goal,
      new ExactRanking(manager, { space, vector, boost: 0, limit: 5 }, own.get(VectorCache).of(own.embedder)),
      () => Promise.reject(new Error('nothing to walk')),
    );
    const { version } = await readSearchStart(manager, workspaceId, []);
    await search.certify(new SqlCodes(manager, space, probe));
    expect(search.isCertified).toBe(true);
    own.embedder.choose('late', vector);
    await own.add(workspaceId, ['late']);
    calibrationOf(own).offer(search, { vector, version, query: { recallFloor: 0.95 } });
    await calibrationOf(own).idle();
    expect(outcomes(own)).toEqual({ kept: 1 });
  });

  it('is known at once from the chunks of a new model', async () => {
    const fresh = await process('fresh-64', { ...EVERY_QUERY, share: 0 });
    const corpusOfFresh = await ClusteredCorpus.create(fresh, 800);
    const calibration = await calibrationOf(fresh).calibrate(corpusOfFresh.workspaceId);
    expect(calibration).toMatchObject({ from: 'chunk', samples: ENOUGH, failures: 0 });
    expect(calibration.z).toBeGreaterThanOrEqual(2);
    expect(calibration.z).toBeLessThan(4);
    const { explanation } = await ask(fresh, corpusOfFresh);
    expect(explanation.wantedZ).toBe(calibration.z);
  });

  it('keeps the latest samples only', async () => {
    const store = new CalibrationStore(fixture.get(Transactions), 'bounded-64', 5);
    const sample: NewSample = { neededZ: 0, floor: 0.95, k: LIMIT, source: 'query' };
    await store.add(Array.from({ length: 9 }, (_, at) => ({ ...sample, neededZ: at })));
    await store.add([{ ...sample, neededZ: Infinity }]);
    expect((await store.load()).map((it) => it.neededZ)).toEqual([5, 6, 7, 8, 99]);
    const [rows] = await fixture.query(
      `SELECT count(*)::integer AS count FROM retrieval_calibration WHERE embedder = 'bounded-64'`,
    );
    expect(rows).toEqual({ count: 5 });
  });

  it('leaves out what is too large to compare, and what needs no certainty', async () => {
    const small = await process('chosen-64', { ...EVERY_QUERY, maxRows: 100 });
    await ask(small, corpus);
    expect(outcomes(small)).toEqual({ 'too-large': 1 });
    await expect(calibrationOf(small).calibrate(corpus.workspaceId)).rejects.toMatchObject({
      code: 'RETRIEVAL_CORPUS_TOO_LARGE',
    });
    const empty = await small.workspace();
    await small.service.query(empty, { vector: corpus.probe() });
    await calibrationOf(small).idle();
    expect(outcomes(small)).toEqual({ 'too-large': 1, complete: 1 });
  });

  it('has ended when the application has', async () => {
    const ending = await process('chosen-64');
    await ending.service.query(corpus.workspaceId, { vector: corpus.probe() });
    const calibration = calibrationOf(ending);
    await ending.stop();
    const counts = Object.values(calibration.report().outcomes);
    expect(counts.reduce((sum, it) => sum + it, 0)).toBe(1);
    await calibration.idle();
  });
});
