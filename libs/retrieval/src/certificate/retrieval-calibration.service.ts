import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { withQueryPriority } from '@peregrine/query-optimizer';
import { AsyncLocalStorage } from 'node:async_hooks';
import { readSearchStart } from '../querying/search-start.js';
import { CorpusTooLargeError } from '../retrieval.errors.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { type CertifiedSearch } from '../search/certified-search.js';
import { VectorCache } from '../vectors/vector-cache.js';
import { type Embedder, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';
import { type CalibrationFigures, calibrationMetrics, type ShadowOutcome } from './calibration-metrics.js';
import { calibrate, type Calibration, type CalibrationRule, enoughSamples } from './calibration-rule.js';
import { CalibrationStore, type NewSample } from './calibration-store.js';
import { chunkQuestions } from './chunk-questions.js';
import { exactAnswer, type ExactBounds, type ExactQuestion } from './exact-search.js';
import { type ExactAnswer, leastHits, neededCertainty } from './needed-certainty.js';

/** The least that a cache can be bounded by: no vector has room in it. */
const NOTHING = 1;

/** The query of a search that has ended. */
export interface AnsweredQuery {
  readonly vector: Float32Array;
  readonly query: { readonly recallFloor: number };
  /** Of the workspace, before the search began; undefined inside a transaction, which sees what nobody else does. */
  readonly version: string | undefined;
}

interface ShadowTask {
  readonly question: ExactQuestion;
  readonly recallFloor: number;
  readonly found: ReadonlySet<string>;
  readonly isCertified: boolean;
  /** Of the workspace, before the search began. */
  readonly version: string;
}

/**
 * How certain answers have to be, learned for each embedding model: a share of the queries is answered again exactly in the background, one
 * at a time, and what each would have needed is kept in a table that all processes share.
 */
@Injectable()
export class RetrievalCalibration implements BeforeApplicationShutdown {
  readonly name = 'retrieval-calibration';
  readonly #log = new Logger(RetrievalCalibration.name);
  /** Work in the background belongs to no request: not to its transaction, nor to its trace. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #ending = new AbortController();
  readonly #outcomes = new Map<ShadowOutcome, number>();
  readonly #rule: CalibrationRule;
  readonly #store: CalibrationStore;
  #calibration: Calibration | undefined;
  #freshUntilMs = 0;
  #loading: Promise<Calibration> | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly transactions: Transactions,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {
    const { minCertainty, missRate, keptSamples } = options.calibration;
    this.#rule = { certainty: options.certainty, minCertainty, missRate };
    this.#store = new CalibrationStore(transactions, embedder.id, keptSamples);
  }

  /** While the pool is open. A sample that is under way is given up. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** What is known of the embedder, by any process, at most `calibration.refreshMs` ago. */
  async current(): Promise<Calibration> {
    if (this.#calibration && performance.now() < this.#freshUntilMs) return this.#calibration;
    this.#loading ??= this.#outside(() => this.#load()).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Draws whether a query whose search has ended is one of the sample, and if so compares it in the background. Never waits. */
  offer(search: CertifiedSearch, { vector, query, version }: AnsweredQuery): void {
    if (version === undefined || Math.random() >= this.options.calibration.share) return;
    if (this.#running || this.#ending.signal.aborted) {
      this.#count('busy');
      return;
    }
    const task = taskOf(search, { vector, recallFloor: query.recallFloor, version });
    this.#running = this.#outside(() => withQueryPriority('low', () => this.#shadow(task)))
      .then((outcome) => this.#count(outcome))
      .catch((error: unknown) => {
        this.#count('error');
        if (!this.#ending.signal.aborted) this.#log.warn(`A sample was lost: ${String(error)}`);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /**
   * Calibrates a new embedding model before it has traffic, by queries that are made of random chunks of a workspace. Samples of real
   * queries take over as soon as there are enough. Takes an exact search for each.
   *
   * @param options.queries @default as many as are needed
   * @returns what is known then
   * @throws {CorpusTooLargeError} when the workspace has more than `calibration.maxRows` chunks
   */
  async calibrate(
    workspaceId: string,
    { queries = enoughSamples(this.#rule.missRate), limit = 10 } = {},
  ): Promise<Calibration> {
    const space = { workspaceId, embedder: this.embedder.id };
    return withQueryPriority('low', async () => {
      const samples: NewSample[] = [];
      const bounds = this.#bounds(this.options.maxVectorBytes);
      for (const question of await chunkQuestions(this.transactions.manager, space, { queries, limit })) {
        const exact = await exactAnswer(this.transactions.manager, question, bounds);
        if (exact.members.length >= limit) samples.push(sampleOf(exact, 0, 'chunk'));
      }
      await this.#store.add(samples);
      return this.#load();
    });
  }

  /** Resolves when no sample is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  collect() {
    return calibrationMetrics(this.report());
  }

  /** As this process knows it. */
  report(): CalibrationFigures {
    const { certainty: z } = this.#rule;
    const calibration = this.#calibration ?? { z, from: 'option' as const, samples: 0, failures: 0 };
    return { embedder: this.embedder.id, calibration, outcomes: Object.fromEntries(this.#outcomes) };
  }

  /** @param maxVectorBytes how much is kept for the next exact search with these */
  #bounds(maxVectorBytes: number): ExactBounds {
    const cache = new VectorCache({ maxVectorBytes });
    return { maxRows: this.options.calibration.maxRows, signal: this.#ending.signal, cache };
  }

  async #load(): Promise<Calibration> {
    const samples = await this.#store.load();
    this.#calibration = calibrate(samples, this.#rule);
    this.#freshUntilMs = performance.now() + this.options.calibration.refreshMs;
    return this.#calibration;
  }

  async #shadow(task: ShadowTask): Promise<ShadowOutcome> {
    const { question, recallFloor } = task;
    const { manager } = this.transactions;
    const exact = await exactAnswer(manager, question, this.#bounds(NOTHING)).catch((error: unknown) => {
      if (error instanceof CorpusTooLargeError) return undefined;
      throw error;
    });
    if (!exact) return 'too-large';
    // Such an answer holds everything, at any certainty.
    if (exact.members.length < exact.limit) return 'complete';
    const sample = sampleOf(exact, recallFloor, 'query');
    const hits = exact.members.filter((it) => task.found.has(it.chunkId)).length;
    const isUnder = hits < leastHits(exact, recallFloor);
    const { workspaceId } = question.goal.space;
    // What was written meanwhile is in the exact answer, and could not be in the other one.
    if (
      isUnder &&
      task.isCertified &&
      task.version === (await readSearchStart(manager, workspaceId, [])).version
    ) {
      await this.#raise(sample);
      return 'failed';
    }
    await this.#store.add([sample]);
    await this.#load();
    return 'kept';
  }

  async #raise(sample: NewSample): Promise<void> {
    const to = await this.#store.addFailure(sample, this.#rule);
    const { z } = await this.#load();
    this.#log.error(
      `An answer of ${this.embedder.id} was certified, and under its recall floor of ${sample.floor}: ` +
        `it needed a certainty of ${sample.neededZ.toFixed(2)}. Raised to ${Math.max(to, z).toFixed(2)}`,
    );
  }

  #count(outcome: ShadowOutcome): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }
}

/** What a comparison needs, as it is now: the search may go on to rank other chunks. */
function taskOf(
  { goal, ranking, neighbourhood, isCertified }: CertifiedSearch,
  { vector, recallFloor, version }: Pick<ShadowTask, 'recallFloor' | 'version'> & { vector: Float32Array },
): ShadowTask {
  const proximities = neighbourhood?.proximities ?? new Map<string, number>();
  const found = new Set(ranking.best().map((it) => it.chunkId));
  return { question: { goal, vector, proximities }, recallFloor, found, isCertified, version };
}

function sampleOf(exact: ExactAnswer, floor: number, source: NewSample['source']): NewSample {
  return { neededZ: neededCertainty(exact, floor), floor, k: exact.limit, source };
}
