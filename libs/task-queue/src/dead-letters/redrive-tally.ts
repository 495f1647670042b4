import { type RedriveResult, type RedriveSkip } from './dead-letter.js';
import { type RedriveOutcome } from './dead-letter-source.js';

/** Counts what became of the tasks of a redrive. */
export class RedriveTally {
  readonly #skips: Partial<Record<RedriveSkip, number>> = {};
  #matched = 0;
  #redriven = 0;
  #skipped = 0;

  /** @param outcomes `dead`: would have been redriven */
  add(outcomes: readonly (RedriveOutcome | 'dead')[]): void {
    this.#matched += outcomes.length;
    for (const outcome of outcomes) {
      if (outcome === 'dead') continue;
      if (outcome === 'redriven') {
        this.#redriven++;
        continue;
      }
      this.#skipped++;
      this.#skips[outcome] = (this.#skips[outcome] ?? 0) + 1;
    }
  }

  result(): RedriveResult {
    return {
      matched: this.#matched,
      redriven: this.#redriven,
      skipped: this.#skipped,
      skips: { ...this.#skips },
    };
  }
}
