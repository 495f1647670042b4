import { type PlanArm } from './plan-guard.options.js';

/** A statement that runs with other settings. Durations in milliseconds. */
export interface PinnedPlan {
  readonly fingerprint: string;
  readonly sql: string;
  readonly arm: PlanArm;
  readonly since: Date;
  /** As the trial measured them: the best of two. */
  readonly trial: { readonly defaultMs: number; readonly armMs: number };
  /** Since it is pinned, with the settings and without. */
  readonly runs: number;
  readonly meanMs: number;
  readonly controls: number;
  readonly controlMeanMs: number;
  /** Runs that were given up, and repeated without the settings. */
  readonly strikes: number;
}

/** Runs of each kind that are compared at a time. */
const WINDOW = 5;
/** Nothing that saves less is worth a setting. */
const STILL_BETTER = 0.9;
const MAX_STRIKES = 2;
/** A run may take this much longer than without the settings before it is given up. */
const PATIENCE = 1.5;

class Sum {
  count = 0;
  sumMs = 0;

  add(ms: number): void {
    this.count++;
    this.sumMs += ms;
  }

  get meanMs(): number {
    return this.count > 0 ? this.sumMs / this.count : 0;
  }
}

/** Counts what an arm does for a statement, and says when it does nothing any more. */
export class Pin {
  readonly since = new Date();
  readonly #runs = new Sum();
  readonly #controls = new Sum();
  #recentRuns = new Sum();
  #recentControls = new Sum();
  #turns = 0;
  #strikes = 0;

  constructor(
    readonly fingerprint: string,
    readonly sql: string,
    readonly arm: PlanArm,
    readonly trial: PinnedPlan['trial'],
  ) {}

  /** For how long a run with the settings may take: at least `patienceMs`. Milliseconds. */
  capMs(patienceMs: number): number {
    return Math.ceil(Math.max(this.trial.defaultMs * PATIENCE, patienceMs));
  }

  /** Whether the next run has no other settings. */
  isControl(controlEvery: number): boolean {
    return ++this.#turns % controlEvery === 0;
  }

  /** @returns why the settings go, null while they help */
  ran(ms: number, isControl: boolean): string | null {
    for (const it of isControl ? [this.#controls, this.#recentControls] : [this.#runs, this.#recentRuns])
      it.add(ms);
    const runs = this.#recentRuns;
    const controls = this.#recentControls;
    if (runs.count < WINDOW || controls.count < WINDOW) return null;
    this.#recentRuns = new Sum();
    this.#recentControls = new Sum();
    if (runs.meanMs <= controls.meanMs * STILL_BETTER) return null;
    return `with the settings ${runs.meanMs.toFixed(1)} ms, without ${controls.meanMs.toFixed(1)} ms`;
  }

  /** A run was given up. @returns why the settings go, null when it may be chance */
  struck(): string | null {
    this.#strikes++;
    return this.#strikes < MAX_STRIKES ? null : `${this.#strikes} runs took much longer than without`;
  }

  toPinnedPlan(): PinnedPlan {
    return {
      fingerprint: this.fingerprint,
      sql: this.sql,
      arm: this.arm,
      since: this.since,
      trial: this.trial,
      runs: this.#runs.count,
      meanMs: this.#runs.meanMs,
      controls: this.#controls.count,
      controlMeanMs: this.#controls.meanMs,
      strikes: this.#strikes,
    };
  }
}
