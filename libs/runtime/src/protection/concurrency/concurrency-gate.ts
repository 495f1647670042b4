import { type MetricFamily } from '@peregrine/metrics';
import { OverloadedError } from '../protection.errors.js';
import { type AdaptiveLimit } from './adaptive-limit.js';

/** What goes first when not everything can go, and which share of the limit each may use. */
export const SHARE_OF_PRIORITY = { read: 1, write: 0.8, upload: 0.5 } as const;
export type RequestPriority = keyof typeof SHARE_OF_PRIORITY;
const PRIORITIES = Object.keys(SHARE_OF_PRIORITY) as RequestPriority[];

/** The place of one admitted request. */
export interface Place {
  /**
   * Gives it back; twice is once.
   *
   * @param kind as of `AdaptiveLimit.sample`; undefined when its time says nothing
   */
  release(kind?: string): void;
}

/** @param inFlight as of `AdaptiveLimit.sample` */
type LeavePlace = (kind: string | undefined, startedAtMs: number, inFlight: number) => void;

class HeldPlace implements Place {
  #isHeld = true;

  constructor(
    private readonly leave: LeavePlace,
    private readonly startedAtMs: number,
    private readonly inFlight: number,
  ) {}

  release(kind?: string): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.leave(kind, this.startedAtMs, this.inFlight);
  }
}

interface Waiting {
  readonly admit: (place: Place) => void;
  readonly refuse: (error: OverloadedError) => void;
  readonly timer: NodeJS.Timeout;
}

export interface ConcurrencyGateOptions {
  /** Longest wait for a place, milliseconds. */
  readonly maxWaitMs: number;
}

/** Seconds, with up to as many more: those who were refused together should not come back together. */
const RETRY_AFTER_SECONDS = 1;
const RETRY_AFTER_SPREAD_SECONDS = 3;

/**
 * Lets in as many requests at once as the limit says. The others wait in a short queue, reads before writes before
 * uploads, at most half as many as run; beyond that the least urgent are refused.
 */
export class ConcurrencyGate {
  /** Name as a source of metrics. */
  readonly name = 'concurrency';
  readonly shed: Record<RequestPriority, number> = { read: 0, write: 0, upload: 0 };
  inFlight = 0;

  readonly #waiting: Record<RequestPriority, Set<Waiting>> = {
    read: new Set(),
    write: new Set(),
    upload: new Set(),
  };
  readonly #limit: AdaptiveLimit;
  readonly #maxWaitMs: number;
  readonly #now: () => number;

  constructor(limit: AdaptiveLimit, { maxWaitMs }: ConcurrencyGateOptions, now: () => number) {
    this.#limit = limit;
    this.#maxWaitMs = maxWaitMs;
    this.#now = now;
  }

  /** Requests that wait for a place. */
  get queued(): number {
    const { read, write, upload } = this.#waiting;
    return read.size + write.size + upload.size;
  }

  /**
   * A place, at once when there is one.
   *
   * @param whileWaiting is told how to end the wait of a caller who has left
   * @throws {OverloadedError} also as a rejection
   */
  enter(priority: RequestPriority, whileWaiting?: (leave: () => void) => void): Place | Promise<Place> {
    if (this.#hasRoom(priority) && this.#isNext(priority)) return this.#place();
    if (!this.#makeRoomInQueue(priority)) throw this.#refusal(priority);
    return this.#wait(priority, whileWaiting);
  }

  /** Figures for the metrics endpoint. */
  collect(): MetricFamily[] {
    const gauge = (name: string, help: string, value: number): MetricFamily => ({
      name,
      help,
      type: 'gauge',
      samples: [{ value }],
    });
    return [
      gauge('protection_concurrency_limit', 'Requests at once that are admitted.', this.#limit.limit),
      gauge('protection_concurrency_in_flight', 'Admitted requests without an answer yet.', this.inFlight),
      gauge('protection_concurrency_queued', 'Requests that wait for a place.', this.queued),
      gauge(
        'protection_concurrency_least_seconds',
        'Shortest time to an answer in the last window.',
        this.#limit.leastMs / 1_000,
      ),
      {
        name: 'protection_concurrency_shed_total',
        help: 'Requests that were refused with 503 because too many were there.',
        type: 'counter',
        samples: PRIORITIES.map((priority) => ({ labels: { priority }, value: this.shed[priority] })),
      },
    ];
  }

  #hasRoom(priority: RequestPriority): boolean {
    // One of each kind always: a small limit must not lock a priority out.
    return this.inFlight < Math.max(1, Math.ceil(this.#limit.limit * SHARE_OF_PRIORITY[priority]));
  }

  /** Nobody as urgent waits. */
  #isNext(priority: RequestPriority): boolean {
    for (const it of PRIORITIES) {
      if (this.#waiting[it].size > 0) return false;
      if (it === priority) return true;
    }
    return true;
  }

  #place(): Place {
    return new HeldPlace(this.#leave, this.#now(), ++this.inFlight);
  }

  readonly #leave: LeavePlace = (kind, startedAtMs, inFlight) => {
    this.inFlight--;
    const nowMs = this.#now();
    if (kind !== undefined) this.#limit.sample(kind, nowMs - startedAtMs, inFlight, nowMs);
    if (this.queued > 0) this.#admitWaiting();
  };

  #admitWaiting(): void {
    for (const priority of PRIORITIES) {
      for (const next of this.#waiting[priority]) {
        if (!this.#hasRoom(priority)) break;
        this.#waiting[priority].delete(next);
        clearTimeout(next.timer);
        next.admit(this.#place());
      }
    }
  }

  /** The newest of a less urgent kind goes, if need be. */
  #makeRoomInQueue(priority: RequestPriority): boolean {
    if (this.queued < Math.ceil(this.#limit.limit / 2)) return true;
    const lesser = PRIORITIES.slice(PRIORITIES.indexOf(priority) + 1).reverse();
    const victims = lesser.find((it) => this.#waiting[it].size > 0);
    const victim = victims && [...this.#waiting[victims]].at(-1);
    if (!victim) return false;
    this.#waiting[victims].delete(victim);
    clearTimeout(victim.timer);
    victim.refuse(this.#refusal(victims));
    return true;
  }

  #wait(priority: RequestPriority, whileWaiting: ((leave: () => void) => void) | undefined): Promise<Place> {
    const { promise, resolve, reject } = Promise.withResolvers<Place>();
    const leave = () => {
      if (!this.#waiting[priority].delete(its)) return;
      clearTimeout(its.timer);
      reject(this.#refusal(priority));
    };
    const its: Waiting = {
      admit: resolve,
      refuse: reject,
      timer: setTimeout(leave, this.#maxWaitMs).unref(),
    };
    this.#waiting[priority].add(its);
    whileWaiting?.(leave);
    return promise;
  }

  #refusal(priority: RequestPriority): OverloadedError {
    this.shed[priority]++;
    return new OverloadedError(
      RETRY_AFTER_SECONDS + Math.floor(Math.random() * (RETRY_AFTER_SPREAD_SECONDS + 1)),
    );
  }
}
