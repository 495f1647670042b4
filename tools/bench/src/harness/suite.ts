import type { Progress } from './progress.ts';

/** What every suite gets from the command line. */
export interface SuiteOptions {
  /** Of which the median is taken. */
  readonly repetitions: number;
  /** Smaller and shorter, to see that everything runs; its figures are not for quoting. */
  readonly isQuick: boolean;
  readonly progress: Progress;
}
