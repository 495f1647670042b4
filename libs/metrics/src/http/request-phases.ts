import { AsyncLocalStorage } from 'node:async_hooks';
import { type FastifyRequest } from 'fastify';
import { type PhaseName, phaseName } from './phase-name.js';
import { formatServerTiming, type LinkedPhase } from './server-timing.js';

/** A named part of a request's time. */
export interface Phase {
  /** A token as RFC 9110 section 5.6.2 has it. */
  readonly name: string;
  /** Milliseconds. */
  readonly durationMs: number;
  readonly description?: string | undefined;
}

/** More phases than this are summed up in one called `other`, so that the header stays small. */
export const MAX_PHASES = 16;

const OTHER_PHASE = phaseName('other');

/** A phase while its request runs. */
interface RunningPhase extends LinkedPhase {
  name: PhaseName;
  durationMs: number;
  description: string | undefined;
  next: RunningPhase | undefined;
}

/** One entry into a phase, to be left once. */
export interface EnteredPhase {
  readonly phase: LinkedPhase;
}

interface Entry extends EnteredPhase {
  readonly phase: RunningPhase;
  /** Entered before, and not left. */
  under: Entry | undefined;
}

const requests = new AsyncLocalStorage<RequestTiming>();

/** The clock of the request that this code works for; undefined outside of one, and before its body was read. */
export function currentRequestTiming(): RequestTiming | undefined {
  return requests.getStore();
}

/** Runs `work` for a request: {@link currentRequestTiming} finds it in all that follows. */
export function runForRequest<T>(timing: RequestTiming, work: () => T): T {
  return requests.run(timing, work);
}

/**
 * The clock of one request, at `request.timing`. A moment belongs to one phase: to that which was entered last and has
 * not been left. So what runs inside a phase, or beside it, is not counted twice, and the phases that are measured here
 * never sum up to more than the total. Phases added before the headers leave appear in `Server-Timing`; later ones, of
 * a streamed body for example, only in the slow-request report.
 */
export class RequestTiming {
  /** True once the headers were written; kept here so that a second `onSend` does not write them twice. */
  headersWritten = false;
  /** True once the request was counted, and for one that shall not be. */
  finished = false;
  /** What Fastify says of the route; it says so in an object of its own each time. Kept by whoever asks first. */
  route: FastifyRequest['routeOptions'] | undefined;
  /** Bytes that the connection had sent before an answer of unannounced length. */
  sentBefore: number | undefined;

  readonly #now: () => number;
  #closers: (() => void)[] | undefined;
  #firstPhase: RunningPhase | undefined;
  /** What was entered last and not left. */
  #entered: Entry | undefined;
  /** The one among them that {@link step} has entered. */
  #step: Entry | undefined;
  /** Up to when time was given to phases. */
  #settledMs = 0;

  /**
   * @param startMs when the request arrived, on the clock of `now`
   * @param now milliseconds on a monotonic clock
   * @param requestId for logs; undefined when the request has none
   */
  constructor(
    readonly startMs: number,
    now: () => number,
    readonly requestId?: string,
  ) {
    this.#now = now;
  }

  /** Milliseconds since the request arrived. */
  get elapsedMs(): number {
    return this.#now() - this.startMs;
  }

  /** Calls back once the response has closed, sent or not. Costs less than a listener of one's own. */
  whenClosed(callback: () => void): void {
    if (this.#closers) this.#closers.push(callback);
    // Nearly always the only one; an empty array makes room for 17.
    else this.#closers = [callback];
  }

  /** @internal The response has closed. */
  close(): void {
    if (this.#closers) for (const callback of this.#closers) callback();
  }

  /** What was added so far, in the order of its beginning; a phase that is still running with its time until now. */
  get phases(): readonly Phase[] {
    this.#settle();
    const phases: Phase[] = [];
    for (let it = this.#firstPhase; it; it = it.next) {
      const { name, durationMs, description } = it;
      phases.push({ name: name.token, durationMs, description });
    }
    return phases;
  }

  /**
   * Adds a phase that was measured elsewhere.
   *
   * @param name letters, digits and `-_.`; anything else becomes `_`
   * @param durationMs milliseconds; a negative or non-finite one counts as 0
   */
  addTiming(name: string, durationMs: number, description?: string): void {
    const ms = Number.isFinite(durationMs) ? Math.max(0, durationMs) : 0;
    this.#phaseOf(name, description).durationMs += ms;
  }

  /**
   * Enters a phase; one that was there before goes on.
   *
   * @returns leaves it; calling that twice changes nothing
   */
  enter(name: string): () => void {
    const entry = this.begin(name);
    return () => this.end(entry);
  }

  /** As {@link enter}, for what every request passes: makes no function. To be given to {@link end}. */
  begin(name: string): EnteredPhase {
    this.#settle();
    return this.#push(name);
  }

  /** Leaves a phase; a second time changes nothing. */
  end(entry: EnteredPhase): void {
    if (!this.#isEntered(entry)) return;
    this.#settle();
    this.#remove(entry);
  }

  /**
   * Leaves the step before and enters another, or none: `handler`, `serialise`. One look at the clock.
   *
   * @returns milliseconds since the request arrived
   */
  step(name?: string): number {
    this.#settle();
    if (this.#step) this.#remove(this.#step);
    this.#step = name === undefined ? undefined : this.#push(name);
    return this.#settledMs - this.startMs;
  }

  /** The value of `Server-Timing` as of the last step, in which the request had taken `total`: milliseconds, as text. */
  header(total: string, withPhases: boolean): string {
    return formatServerTiming(total, withPhases ? this.#firstPhase : undefined);
  }

  /** Runs `work` and adds its time as a phase, also when it throws or rejects. */
  measure<T>(name: string, work: () => T): T {
    const entry = this.begin(name);
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.end(entry);
      throw error;
    }
    if (result instanceof Promise) return this.#endAfter(result, entry) as T;
    this.end(entry);
    return result;
  }

  /** As `finally`, with one promise less on the way of every request. */
  #endAfter(work: Promise<unknown>, entry: EnteredPhase): Promise<unknown> {
    return work.then(
      (result) => {
        this.end(entry);
        return result;
      },
      (error: unknown) => {
        this.end(entry);
        throw error;
      },
    );
  }

  /** Gives the time since the last call to the phase that it belongs to. */
  #settle(): void {
    const now = this.#now();
    if (this.#entered) this.#entered.phase.durationMs += now - this.#settledMs;
    this.#settledMs = now;
  }

  #push(name: string): Entry {
    return (this.#entered = { phase: this.#phaseOf(name), under: this.#entered });
  }

  #isEntered(entry: EnteredPhase): entry is Entry {
    let it = this.#entered;
    while (it && it !== entry) it = it.under;
    return it !== undefined;
  }

  #remove(entry: Entry): void {
    let above: Entry | undefined;
    for (let it = this.#entered; it && it !== entry; it = it.under) above = it;
    // Nearly always the last one.
    if (above) above.under = entry.under;
    else this.#entered = entry.under;
  }

  #phaseOf(text: string, description?: string): RunningPhase {
    const name = phaseName(text);
    let last: RunningPhase | undefined;
    let count = 0;
    for (let it = this.#firstPhase; it; it = it.next) {
      if (it.name.token === name.token) return it;
      last = it;
      count++;
    }
    if (last && count === MAX_PHASES) return toOther(last);
    const phase: RunningPhase = { name, durationMs: 0, description, next: undefined };
    if (last) last.next = phase;
    else this.#firstPhase = phase;
    return phase;
  }
}

/** The last place is for all that follow; whoever is in it goes on under that name. */
function toOther(last: RunningPhase): RunningPhase {
  last.name = OTHER_PHASE;
  last.description = undefined;
  return last;
}
