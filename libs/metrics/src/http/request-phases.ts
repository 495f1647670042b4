/** A named part of a request's time. */
export interface Phase {
  /** A token as RFC 9110 section 5.6.2 has it. */
  readonly name: string;
  /** Milliseconds. */
  readonly durationMs: number;
  readonly description?: string;
}

/** More phases than this are summed up in one called `other`, so that the header stays small. */
export const MAX_PHASES = 16;

/**
 * The clock of one request, at `request.timing`. Phases added before the headers leave appear in `Server-Timing`;
 * later ones, of a streamed body for example, only in the slow-request report.
 */
export class RequestTiming {
  /** True once the headers were written; kept here so that a second `onSend` does not write them twice. */
  headersWritten = false;
  /** True once the request was counted. */
  finished = false;

  readonly #now: () => number;
  #phases: Phase[] | undefined;

  /**
   * @param startMs when the request arrived, on the clock of `now`
   * @param now milliseconds on a monotonic clock
   */
  constructor(
    readonly startMs: number,
    now: () => number,
  ) {
    this.#now = now;
  }

  /** Milliseconds since the request arrived. */
  get elapsedMs(): number {
    return this.#now() - this.startMs;
  }

  /** What was added so far, in order. */
  get phases(): readonly Phase[] {
    return this.#phases ?? [];
  }

  /**
   * Adds a phase that was measured elsewhere.
   *
   * @param name letters, digits and `-_.`; anything else becomes `_`
   * @param durationMs milliseconds; a negative or non-finite one counts as 0
   */
  addTiming(name: string, durationMs: number, description?: string): void {
    const phases = (this.#phases ??= []);
    const ms = Number.isFinite(durationMs) ? Math.max(0, durationMs) : 0;
    const last = phases[MAX_PHASES - 1];
    if (last) {
      phases[MAX_PHASES - 1] = { name: 'other', durationMs: last.durationMs + ms };
      return;
    }
    phases.push({
      name: toToken(name),
      durationMs: ms,
      ...(description === undefined ? {} : { description }),
    });
  }

  /** Runs `work` and adds its time as a phase, also when it throws or rejects. */
  measure<T>(name: string, work: () => T): T {
    const before = this.#now();
    const add = (): void => this.addTiming(name, this.#now() - before);
    let result: T;
    try {
      result = work();
    } catch (error) {
      add();
      throw error;
    }
    if (result instanceof Promise) return result.finally(add) as T;
    add();
    return result;
  }
}

/** The value of `Server-Timing` (https://www.w3.org/TR/server-timing/): the total first, then the phases. */
export function formatServerTiming(totalMs: number, phases: readonly Phase[]): string {
  let header = `total;dur=${formatMs(totalMs)}`;
  for (const phase of phases) {
    header += `, ${phase.name};dur=${formatMs(phase.durationMs)}`;
    if (phase.description !== undefined) header += `;desc="${toQuoted(phase.description)}"`;
  }
  return header;
}

/** Three decimals: microseconds are the finest that means anything here. */
export function formatMs(ms: number): string {
  return Math.max(0, ms).toFixed(3);
}

function toToken(name: string): string {
  return name.replace(/[^\w.-]/g, '_').slice(0, 64) || 'unnamed';
}

/** Printable ASCII only, with the two characters escaped that a quoted string cannot hold: no header injection. */
function toQuoted(text: string): string {
  return text
    .slice(0, 100)
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/["\\]/g, '\\$&');
}
