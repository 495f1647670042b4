import { AsyncLocalStorage } from 'node:async_hooks';
import { type FastifyRequest } from 'fastify';
import { formatServerTiming } from './server-timing.js';

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

const OTHER_PHASE = 'other';
const NO_PHASES: readonly Phase[] = [];
const NO_CLOSERS: readonly (() => void)[] = [];

/** A phase while its request runs. */
interface RunningPhase {
  name: string;
  durationMs: number;
  description: string | undefined;
}

/** One entry into a phase, to be left once. */
export interface EnteredPhase {
  readonly phase: Phase;
}

interface Entry extends EnteredPhase {
  readonly phase: RunningPhase;
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
  #phases: RunningPhase[] | undefined;
  /** What was entered and not left, the latest last. */
  #entered: Entry[] | undefined;
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
    (this.#closers ??= []).push(callback);
  }

  /** @internal The response has closed. */
  close(): void {
    for (const callback of this.#closers ?? NO_CLOSERS) callback();
  }

  /** What was added so far, in the order of its beginning; a phase that is still running with its time until now. */
  get phases(): readonly Phase[] {
    this.#settle();
    return (this.#phases ?? []).map((it) => ({ ...it }));
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
    if (!this.#entered?.includes(entry as Entry)) return;
    this.#settle();
    this.#remove(entry as Entry);
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
    return formatServerTiming(total, withPhases ? (this.#phases ?? NO_PHASES) : NO_PHASES);
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
    const last = this.#entered?.at(-1);
    const now = this.#now();
    if (last) last.phase.durationMs += now - this.#settledMs;
    this.#settledMs = now;
  }

  #push(name: string): Entry {
    const entry = { phase: this.#phaseOf(name) };
    (this.#entered ??= []).push(entry);
    return entry;
  }

  #remove(entry: Entry): void {
    const entered = this.#entered ?? [];
    // Nearly always the last one.
    if (entered.at(-1) === entry) entered.pop();
    else entered.splice(entered.lastIndexOf(entry), 1);
  }

  #phaseOf(name: string, description?: string): RunningPhase {
    const phases = (this.#phases ??= []);
    const token = toToken(name);
    for (const it of phases) if (it.name === token) return it;
    const last = phases[MAX_PHASES - 1];
    if (!last) {
      const phase: RunningPhase = { name: token, durationMs: 0, description };
      phases.push(phase);
      return phase;
    }
    if (last.name === OTHER_PHASE) return last;
    // The last place is for all that follow; whoever is in it goes on under that name.
    last.name = OTHER_PHASE;
    last.description = undefined;
    return last;
  }
}

const TOKEN = /^[\w.-]{1,64}$/;

/** Names that are tokens, of which an application has few: most requests have the phases of the one before. */
const tokens = new Set<string>();
const MAX_KNOWN_TOKENS = 1_000;

function toToken(name: string): string {
  if (tokens.has(name)) return name;
  if (TOKEN.test(name)) {
    if (tokens.size < MAX_KNOWN_TOKENS) tokens.add(name);
    return name;
  }
  return name.replace(/[^\w.-]/g, '_').slice(0, 64) || 'unnamed';
}
