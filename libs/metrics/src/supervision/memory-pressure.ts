/** `normal`; `trim`: give some memory back; `shed`: give all of it back, and take no new work. */
export const MEMORY_LEVELS = ['normal', 'trim', 'shed'] as const;
export type MemoryLevel = (typeof MEMORY_LEVELS)[number];

/** When levels change. Ratios are of the limit, 0 to 1. */
export interface PressureLimits {
  /** From here on the level is `trim`. */
  readonly trimRatio: number;
  /** From here on it is `shed`. */
  readonly shedRatio: number;
  /** A level ends that far below where it begins. */
  readonly recoverGap: number;
  /** A level lasts at least so long before it falls, milliseconds. */
  readonly minDwellMs: number;
  /** Shedding that has not seen a new peak for so long frees nothing more, and ends; milliseconds. */
  readonly plateauMs: number;
}

/** What is above the peak by less than this is no new peak. */
const PEAK_TOLERANCE = 0.005;
/** How far above the plateau memory has to rise before load is shed again, and the highest such mark. */
const ABOVE_PLATEAU = 0.02;
const HIGHEST_MARK = 0.98;

/**
 * The level of one ratio over time. It rises at once, since memory does; it falls one step at a time, after a dwell and
 * below a lower mark, so that a ratio that swings about a mark changes nothing.
 *
 * Memory that stays in use though all was given back is not the work of requests (it may be the allocator's own), and
 * refusing them for ever would be an outage for nothing: shedding ends on a plateau, and begins again above it.
 */
export class MemoryPressure {
  #level: MemoryLevel = 'normal';
  #changedAtMs = -Infinity;
  #peak = 0;
  #peakAtMs = 0;
  /** From where on load is shed again after a plateau. */
  #mark: number | undefined;

  constructor(private readonly limits: PressureLimits) {}

  get level(): MemoryLevel {
    return this.#level;
  }

  /** Takes the ratio at a monotonic time, milliseconds. @returns the level from now on */
  sample(ratio: number, atMs: number): MemoryLevel {
    const { trimRatio, shedRatio, recoverGap } = this.limits;
    if (ratio < shedRatio - recoverGap) this.#mark = undefined;
    if (this.#level !== 'shed' && ratio >= Math.max(shedRatio, this.#mark ?? 0)) {
      this.#peak = ratio;
      this.#peakAtMs = atMs;
      return this.#enter('shed', atMs);
    }
    if (this.#level === 'normal' && ratio >= trimRatio) return this.#enter('trim', atMs);
    if (this.#level === 'shed') return this.#whileShedding(ratio, atMs);
    if (this.#level === 'trim' && ratio < trimRatio - recoverGap && this.#hasDwelt(atMs))
      return this.#enter('normal', atMs);
    return this.#level;
  }

  #whileShedding(ratio: number, atMs: number): MemoryLevel {
    const { shedRatio, recoverGap, plateauMs } = this.limits;
    if (ratio < shedRatio - recoverGap && this.#hasDwelt(atMs)) return this.#enter('trim', atMs);
    if (ratio > this.#peak + PEAK_TOLERANCE) {
      this.#peak = ratio;
      this.#peakAtMs = atMs;
    } else if (atMs - this.#peakAtMs >= plateauMs && this.#hasDwelt(atMs)) {
      this.#mark = Math.min(HIGHEST_MARK, this.#peak + ABOVE_PLATEAU);
      return ratio >= this.#mark ? this.#level : this.#enter('trim', atMs);
    }
    return this.#level;
  }

  #hasDwelt(atMs: number): boolean {
    return atMs - this.#changedAtMs >= this.limits.minDwellMs;
  }

  #enter(level: MemoryLevel, atMs: number): MemoryLevel {
    this.#level = level;
    this.#changedAtMs = atMs;
    return level;
  }
}
