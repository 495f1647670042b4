import { Logger } from '@nestjs/common';
import { problemText } from '../execution/problem-text.js';
import { type Change } from './cusum.js';
import { type LatencyModel } from './latency-model.js';
import { LEAST_SAMPLES } from './model-fit.js';
import { type Sample, SampleLog } from './sample-log.js';
import { type TrainingJob } from './training-round.js';
import { TrainingThread } from './training-thread.js';

const KEPT_ROUNDS = 20;
/** After a change the samples before it count for a tenth. */
const OUTDATED_TRUST = 0.1;
const LEAST_TRAINED = 100;
/** While a plan is suspended, trainings come so many times as often. */
const HASTE = 4;

/** A training. */
export interface TrainingRound {
  /** When it ended, ISO 8601. */
  readonly at: string;
  readonly outcome: 'promoted' | 'rejected' | 'failed' | 'outdated';
  readonly why: string;
  readonly samples: number;
  /** In the thread, with the way there and back. */
  readonly durationMs: number;
}

export interface TrainingReport {
  /** 0 without a model; a prior is 1. */
  readonly modelVersion: number;
  readonly samples: number;
  readonly isTraining: boolean;
  readonly rounds: Readonly<Record<TrainingRound['outcome'], number>>;
  /** The latest first. */
  readonly latest: readonly TrainingRound[];
}

export interface TrainerOptions extends Omit<TrainingJob, 'samples' | 'current' | 'unseen' | 'seed'> {
  readonly width: number;
  readonly keepSamples: number;
  readonly retrainEvery: number;
  readonly program: URL | undefined;
  readonly now: () => number;
  readonly onPromotion: () => void;
}

/** Keeps samples, and has models trained from them, one after the other. */
export class ModelTrainer {
  readonly #logger = new Logger('QueryPlanner');
  readonly #log: SampleLog;
  readonly #thread: TrainingThread;
  readonly #rounds: Record<TrainingRound['outcome'], number> = {
    promoted: 0,
    rejected: 0,
    failed: 0,
    outdated: 0,
  };
  readonly #latest: TrainingRound[] = [];
  #model: LatencyModel | undefined;
  #version: number;
  #sinceTraining = 0;
  /** Samples that the model in use was not trained on. */
  #unseen = 0;
  #running: Promise<void> | undefined;
  #isWantedAgain = false;
  /** The samples under training are from before a change. */
  #isOutdated = false;
  #isClosed = false;

  constructor(private readonly options: TrainerOptions) {
    this.#log = new SampleLog(options.keepSamples, options.width);
    this.#thread = new TrainingThread(options.program);
    this.#model = options.prior;
    this.#version = options.prior ? 1 : 0;
  }

  get model(): LatencyModel | undefined {
    return this.#model;
  }

  get version(): number {
    return this.#version;
  }

  /** @param isUrgent a plan is suspended */
  add(sample: Sample, isUrgent: boolean): void {
    this.#log.add(sample);
    this.#unseen++;
    const { retrainEvery } = this.options;
    if (++this.#sinceTraining >= (isUrgent ? retrainEvery / HASTE : retrainEvery)) this.#train();
  }

  /**
   * A plan takes another time than it used to: what is known of it is moved, and a model is trained from that.
   * @param trainedOn samples behind the predictions that failed: with few of them it is the model that was wrong, not the world that changed
   */
  changed(plan: number, { count, shift }: Change, trainedOn: number): void {
    if (trainedOn >= LEAST_TRAINED) this.#log.age(plan, count, shift, OUTDATED_TRUST);
    this.#isOutdated = true;
    this.#train();
  }

  /** Resolves when no training is under way. */
  async trained(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread.close();
    await this.trained();
  }

  report(): TrainingReport {
    return {
      modelVersion: this.#version,
      samples: this.#log.count,
      isTraining: this.#running !== undefined,
      rounds: { ...this.#rounds },
      latest: [...this.#latest],
    };
  }

  #train(): void {
    if (this.#isClosed || this.#log.count < LEAST_SAMPLES) return;
    if (this.#running) {
      this.#isWantedAgain = true;
      return;
    }
    this.#isWantedAgain = false;
    this.#running = this.#round().then(() => {
      this.#running = undefined;
      if (this.#isWantedAgain) this.#train();
    });
  }

  async #round(): Promise<void> {
    const startedAt = performance.now();
    const samples = this.#log.snapshot();
    const { count } = samples;
    const unseenBefore = this.#unseen;
    this.#sinceTraining = 0;
    this.#isOutdated = false;
    const ended = (outcome: TrainingRound['outcome'], why: string) =>
      this.#ended({ outcome, why, samples: count, durationMs: performance.now() - startedAt });
    try {
      const { model, verdict } = await this.#thread.train(this.#job(samples));
      if (this.#isOutdated) return ended('outdated', 'a plan changed meanwhile');
      if (!verdict.isBetter) return ended('rejected', verdict.why);
      this.#model = model;
      this.#version++;
      this.#unseen -= unseenBefore;
      ended('promoted', verdict.why);
      this.options.onPromotion();
    } catch (error) {
      if (this.#isClosed) return;
      ended('failed', problemText(error));
      this.#logger.warn(`The plans of queries are not learned for now: ${problemText(error)}`);
    }
  }

  #job(samples: TrainingJob['samples']): TrainingJob {
    const { planCount, guard, prior, halfLife } = this.options;
    const [current, unseen, seed] = [this.#model, this.#unseen, this.#version];
    return { samples, planCount, guard, prior, halfLife, current, unseen, seed };
  }

  #ended(round: Omit<TrainingRound, 'at'>): void {
    this.#rounds[round.outcome]++;
    this.#latest.unshift({ at: new Date(this.options.now()).toISOString(), ...round });
    this.#latest.splice(KEPT_ROUNDS);
  }
}
