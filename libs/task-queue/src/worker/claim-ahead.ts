import { systemClock, type ClockTimer, type TaskClock } from '../clock.js';
import { type Attempt } from '../execution/attempt.js';
import { TaskStoppedError } from '../task-queue.errors.js';

/** Handlers whose mean time is below this are short: ahead of them tasks are claimed, milliseconds. */
const SHORT_MS = 5;
/** Weight of the latest run in the mean. */
const WEIGHT = 1 / 16;
/** One run counts as this at most, so that the mean forgets it within some dozens of short ones. */
const LONGEST_MS = 20 * SHORT_MS;
/** Tasks that are claimed ahead for every handler call at once. */
const DEPTH = 3;
/** How long what is claimed ahead may stand still, milliseconds. */
const PATIENCE_MS = 100;

export interface ClaimAheadInput {
  /** What the worker claims without it. */
  readonly claims: number;
  /** Handler calls at once. */
  readonly concurrency: number;
  /** By job id, in the order of their claims: what runs, and what waits for its turn. */
  readonly running: ReadonlyMap<string, Pick<Attempt, 'started' | 'company' | 'abort'>>;
  /** Changes how many tasks the worker claims. */
  readonly onChange: (claims: number) => void;
  readonly clock?: TaskClock;
}

/**
 * Claims more tasks than run at once while handlers are short, so that neither they nor the store wait for each other,
 * and one commit ends and claims many. The bound of the wait for a turn is what makes it fair to other workers: three
 * handler times of 5 ms. When handlers become slow, what has been claimed ahead goes back.
 */
export class ClaimAhead {
  readonly #it: ClaimAheadInput;
  readonly #clock: TaskClock;
  #meanMs = LONGEST_MS;
  #ahead = 0;
  #timer: ClockTimer | undefined;
  #ended = 0;

  constructor(input: ClaimAheadInput) {
    this.#it = input;
    this.#clock = input.clock ?? systemClock;
  }

  /** A handler has come back. One more claim for each, so that claims never hold up what is ready to run. */
  ended(tookMs: number): void {
    this.#ended++;
    this.#meanMs += WEIGHT * (Math.min(tookMs, LONGEST_MS) - this.#meanMs);
    if (this.#meanMs < SHORT_MS) this.#set(Math.min(this.#ahead + 1, DEPTH * this.#it.concurrency));
    else this.stop();
  }

  /** Nothing waits in the store: there is nothing to claim ahead. */
  stop(): void {
    if (this.#ahead > 0) this.#set(0);
  }

  #set(ahead: number): void {
    if (ahead === this.#ahead) return;
    this.#ahead = ahead;
    this.#it.onChange(this.#it.claims + ahead);
    if (!this.#timer) this.#lookLater();
  }

  /** While anything is claimed ahead. */
  #lookLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      if (this.#ended === 0) this.stop();
      this.#ended = 0;
      if (this.#ahead === 0) this.#giveBack();
      if (this.#ahead > 0 || this.#excess > 0) this.#lookLater();
    }, PATIENCE_MS);
    this.#timer.unref?.();
  }

  get #excess(): number {
    return this.#it.running.size - this.#it.claims;
  }

  /** The latest claims. Suspects wait for their turn with any number of claims. */
  #giveBack(): void {
    if (this.#excess <= 0) return;
    const waiting = [...this.#it.running.values()].filter(
      (it) => !it.started && it.company.turn === 'common',
    );
    for (const attempt of waiting.slice(-this.#excess)) attempt.abort(new TaskStoppedError());
  }
}
