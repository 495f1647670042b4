import { performance } from 'node:perf_hooks';

/** Rows that are worked off before the event loop gets a turn: about a millisecond of rendering. */
export const ROWS_PER_SLICE = 500;

/** What a sliced piece of work was made of. */
export interface SliceFigures {
  readonly rows: number;
  /** Most rows between two turns of the event loop. */
  readonly longestRows: number;
  /** Longest time between two turns of the event loop, seconds. */
  readonly longestSeconds: number;
}

/**
 * Cuts long synchronous work into slices, so that requests are answered in between. The work counts its rows and pauses
 * when told so: `if (slices.isFull(rows)) await slices.pause()`.
 */
export class Slices {
  #rows = 0;
  #inSlice = 0;
  #longestRows = 0;
  #longestMs = 0;
  #since = performance.now();

  constructor(private readonly maxRows: number = ROWS_PER_SLICE) {}

  /** Counts rows; true when the slice is full. */
  isFull(rows = 1): boolean {
    this.#inSlice += rows;
    return this.#inSlice >= this.maxRows;
  }

  /** Ends the slice and resolves after a turn of the event loop. */
  async pause(): Promise<void> {
    this.end();
    await new Promise(setImmediate);
    this.begin();
  }

  /** Ends the slice without a turn of its own: before an await on something else, or at the end. */
  end(): void {
    this.#rows += this.#inSlice;
    this.#longestRows = Math.max(this.#longestRows, this.#inSlice);
    this.#longestMs = Math.max(this.#longestMs, performance.now() - this.#since);
    this.#inSlice = 0;
  }

  /** Begins a slice after an {@link end}. */
  begin(): void {
    this.#since = performance.now();
  }

  figures(): SliceFigures {
    return {
      rows: this.#rows,
      longestRows: this.#longestRows,
      longestSeconds: this.#longestMs / 1_000,
    };
  }
}
