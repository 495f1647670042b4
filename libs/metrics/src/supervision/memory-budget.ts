import { type MemoryLevel } from './memory-pressure.js';

/** The share of their budgets that consumers may use at a level. */
const SHARES: Readonly<Record<MemoryLevel, number>> = { normal: 1, trim: 0.5, shed: 0 };
const STEP = 0.1;
/** Growing stops a little below the share that was too much, for a while. */
const CAUTION = 0.8;
const CAUTION_MS = 600_000;

/** How much of their budgets consumers may use: less at once, more a tenth at a time. */
export class MemoryBudget {
  #share = 1;
  #changedAtMs = 0;
  #tooMuch = Infinity;
  #tooMuchAtMs = -Infinity;

  constructor(private readonly growEveryMs: number) {}

  /** 0 to 1. */
  get share(): number {
    return this.#share;
  }

  /**
   * @param canGrow there is room for more
   * @param nowMs monotonic
   * @returns whether the share has changed
   */
  adapt(level: MemoryLevel, canGrow: boolean, nowMs: number): boolean {
    const target = SHARES[level];
    if (this.#share > target) {
      // Falling further, as from half to nothing, says nothing about what would have been right.
      if (level === 'trim' || this.#share > SHARES.trim) this.#noteTooMuch(nowMs);
      return this.#set(target, nowMs);
    }
    const growsTo = Math.min(target, this.#share + STEP, this.#ceiling(nowMs));
    if (!canGrow || growsTo <= this.#share || nowMs - this.#changedAtMs < this.growEveryMs) return false;
    // Tenths, without what adding them up leaves over.
    return this.#set(Math.round(growsTo * 100) / 100, nowMs);
  }

  #ceiling(nowMs: number): number {
    return nowMs - this.#tooMuchAtMs < CAUTION_MS ? this.#tooMuch * CAUTION : 1;
  }

  #noteTooMuch(nowMs: number): void {
    this.#tooMuch = this.#share;
    this.#tooMuchAtMs = nowMs;
  }

  #set(share: number, nowMs: number): boolean {
    this.#share = share;
    this.#changedAtMs = nowMs;
    return true;
  }
}
