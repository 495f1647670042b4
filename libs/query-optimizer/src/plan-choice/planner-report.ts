import { type PlanCalibration } from './calibration.js';
import { type PlanDrift } from './drift-watch.js';
import { type TrainingReport } from './model-trainer.js';
import { type PlanCount } from './plan-counts.js';
import { type RegretBlock } from './regret-history.js';

/** What a planner did, as plain JSON. Since it was made, where nothing else is said. Milliseconds. */
export interface PlannerReport {
  /** Those that happened. */
  readonly decisions: readonly PlanCount[];
  readonly cache: {
    readonly entries: number;
    readonly hits: number;
    readonly misses: number;
    /** Entries that were forgotten, by reason. */
    readonly drops: Readonly<Record<string, number>>;
  };
  readonly training: TrainingReport;
  readonly exploration: {
    /** Of this hour: what exploration took longer than the fallback, what is set aside for what runs now, and the budget of both so far. */
    readonly hour: { readonly spentMs: number; readonly reservedMs: number; readonly allowedMs: number };
    readonly spentMs: number;
    /** Decisions at which it could not be paid for. */
    readonly refused: number;
  };
  readonly regret: {
    readonly runs: number;
    readonly actualMs: number;
    readonly regretMs: number;
    /** Oldest first. */
    readonly blocks: readonly RegretBlock[];
  };
  /** By plan. */
  readonly calibration: Readonly<Record<string, PlanCalibration>>;
  /** By plan. */
  readonly drift: Readonly<Record<string, PlanDrift>>;
}
