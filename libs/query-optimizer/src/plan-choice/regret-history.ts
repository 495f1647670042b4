import { type PlannerReport } from './planner-report.js';

const BLOCKS = 120;
/** Runs of a block. */
const BLOCK_RUNS = 50;

/** Runs one after the other. Means in milliseconds. */
export interface RegretBlock {
  /** Number of the first run, from 1. */
  readonly from: number;
  readonly runs: number;
  /** When the last one ended, ISO 8601. */
  readonly at: string;
  readonly actualMs: number;
  /** What the fallback should have taken. Null where that is not known of any. */
  readonly fallbackMs: number | null;
  /** By how much the actual time was above what the best allowed plan should have taken. An estimate: of the model itself. */
  readonly regretMs: number;
  readonly explored: number;
}

export interface RanPlan {
  readonly ms: number;
  /** NaN where nobody knows. */
  readonly fallbackMs: number;
  /** Predicted, of the best allowed plan; NaN where nobody knows. */
  readonly bestMs: number;
  readonly isExploration: boolean;
}

/** Regret over time, the newest 120 blocks of 50 runs. */
export class RegretHistory {
  readonly #blocks: RegretBlock[] = [];
  #open: Block | undefined;
  #runs = 0;
  #regretMs = 0;
  #actualMs = 0;

  constructor(private readonly now: () => number) {}

  add(run: RanPlan): void {
    const regretMs = Math.max(run.ms - run.bestMs, 0) || 0;
    this.#runs++;
    this.#regretMs += regretMs;
    this.#actualMs += run.ms;
    this.#open ??= new Block(this.#runs);
    this.#open.add(run, regretMs, this.now());
    if (this.#open.runs < BLOCK_RUNS) return;
    this.#blocks.push(this.#open.toRegretBlock());
    if (this.#blocks.length > BLOCKS) this.#blocks.shift();
    this.#open = undefined;
  }

  /** The last block may not be full. */
  report(): PlannerReport['regret'] {
    return {
      runs: this.#runs,
      actualMs: this.#actualMs,
      regretMs: this.#regretMs,
      blocks: [...this.#blocks, ...(this.#open ? [this.#open.toRegretBlock()] : [])],
    };
  }
}

class Block {
  runs = 0;
  #actualMs = 0;
  #regretMs = 0;
  #fallbackMs = 0;
  #withFallback = 0;
  #explored = 0;
  #at = 0;

  constructor(private readonly from: number) {}

  add({ ms, fallbackMs, isExploration }: RanPlan, regretMs: number, at: number): void {
    this.runs++;
    this.#at = at;
    this.#actualMs += ms;
    this.#regretMs += regretMs;
    if (isExploration) this.#explored++;
    if (Number.isNaN(fallbackMs)) return;
    this.#fallbackMs += fallbackMs;
    this.#withFallback++;
  }

  toRegretBlock(): RegretBlock {
    return {
      from: this.from,
      runs: this.runs,
      at: new Date(this.#at).toISOString(),
      actualMs: this.#actualMs / this.runs,
      fallbackMs: this.#withFallback > 0 ? this.#fallbackMs / this.#withFallback : null,
      regretMs: this.#regretMs / this.runs,
      explored: this.#explored,
    };
  }
}
